/** What may be set. Settings are read once from HOCON into records that refuse nonsense; no string key is used past this package. */
@NullMarked
package darkroom.config;

import org.jspecify.annotations.NullMarked;
