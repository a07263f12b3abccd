/**
 * Benchmarks behind the claims of docs/benchmarks.md.
 *
 * <ul>
 *   <li><b>Start reading:</b> LoopBench for the step time, TensorBench for the tensor plane, ScoringBench for scorers.
 *   <li><b>Not here:</b> Anything that training uses.
 *   <li><b>Promises:</b> A figure is printed next to its baseline or its limit.
 * </ul>
 */
@NullMarked
package darkroom.runtime.bench;

import org.jspecify.annotations.NullMarked;
