/**
 * Requests to a scorer and the meaning of its answers: prompts, request bodies, logprobs, label scores.
 *
 * <ul>
 *   <li><b>Start reading:</b> ScoringMethod, PromptTemplate for the question, ChatAnswer and LabelScore for the
 *     answer, ScorerFault for possible faults.
 *   <li><b>Not here:</b> Connections, retries and endpoints.
 *   <li><b>Promises:</b> P-3 (an answer without a score is a fault).
 * </ul>
 */
@NullMarked
package darkroom.rewardactors.protocol;

import org.jspecify.annotations.NullMarked;
