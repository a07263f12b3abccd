/**
 * Numbers that are equal on every machine: keyed random numbers and sums in a fixed order.
 *
 * <ul>
 *   <li><b>Start reading:</b> RandomKey for the streams of a run, Philox for the generator, SumTree for the order of
 *       a sum.
 *   <li><b>Not here:</b> Randomness without a key and floating-point sums whose order depends on arrival.
 *   <li><b>Promises:</b> P-1 (membership independence).
 * </ul>
 */
@NullMarked
package darkroom.actors.numeric;

import org.jspecify.annotations.NullMarked;
