/**
 * The HTTP endpoint of a judge that runs in this process and answers like a vLLM server.
 *
 * <ul>
 *   <li><b>Start reading:</b> JudgeEndpoint for the routes, JudgeBatcher for batching, JudgeModel for the interface of a
 *       judge.
 *   <li><b>Not here:</b> The embedded judge's network: see gpu-workers.
 *   <li><b>Promises:</b> P-3, P-9.
 * </ul>
 */
@NullMarked
package darkroom.rewardactors.judge;

import org.jspecify.annotations.NullMarked;
