/**
 * Client of scorers: endpoints, retries, hedging, limits, canaries, the cache.
 *
 * <ul>
 *   <li><b>Start reading:</b> Scorer, then ScorerClient for one scorer of several endpoints, ScorerPool for the
 *       choice among them, ScorerDevice for the actor side.
 *   <li><b>Not here:</b> Prompts and the meaning of answers: see the package protocol.
 *   <li><b>Promises:</b> P-2, P-3, P-4, P-9.
 * </ul>
 */
@NullMarked
package darkroom.rewardactors.client;

import org.jspecify.annotations.NullMarked;
