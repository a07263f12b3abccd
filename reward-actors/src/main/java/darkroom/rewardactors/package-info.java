/** How an edit gets its score: scoring methods, prompt templates, the client of a scorer, the endpoint of the embedded judge. */
@NullMarked
package darkroom.rewardactors;

import org.jspecify.annotations.NullMarked;
