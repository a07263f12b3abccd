/**
 * Client of scorers: endpoints, retries, hedging, limits, canaries, the cache.
 *
 * <ul>
 *   <li><b>Start reading:</b> Scorer, then ScorerClient, the edge of the actors; ScorerPool, the actor that routes
 *       requests; ScorerEndpoint, the reward actor of one endpoint; ScorerServer for the exchanges; ScorerDevice for the work
 *       queue.
 *   <li><b>Not here:</b> Prompts and the meaning of answers: see the package protocol.
 *   <li><b>Promises:</b> P-2, P-3, P-4, P-9.
 * </ul>
 */
@NullMarked
package darkroom.rewardactors.client;

import org.jspecify.annotations.NullMarked;
