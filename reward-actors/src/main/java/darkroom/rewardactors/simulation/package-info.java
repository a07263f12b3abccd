/**
 * Scorers for tests and fault injection: a simulated vLLM, a proxy that breaks connections, the scripts of a real
 * vLLM.
 *
 * <ul>
 *   <li><b>Start reading:</b> SimulatedScorer and ScorerProxy.
 *   <li><b>Not here:</b> The scoring of a run, unless faults are injected.
 *   <li><b>Promises:</b> P-10 (no cost while faults are off).
 * </ul>
 */
@NullMarked
package darkroom.rewardactors.simulation;

import org.jspecify.annotations.NullMarked;
