/**
 * Computation of devices, by DJL and PyTorch: velocity models, solvers, objectives, the optimizer, pretraining.
 *
 * <ul>
 *   <li><b>Start reading:</b> TorchRolloutDevice for rollouts, TorchTrainerDevice for gradients and updates,
 *       EmbeddedPolicy for the embedded model.
 *   <li><b>Not here:</b> Actors, leases and HTTP.
 *   <li><b>Promises:</b> P-1, P-9 (native memory is released).
 * </ul>
 */
@NullMarked
package darkroom.gpuworkers;

import org.jspecify.annotations.NullMarked;
