/**
 * The interface between devices and velocity models.
 *
 * <ul>
 *   <li><b>Start reading:</b> PolicyModel for a run, RolloutModel and TrainerModel for one device.
 *   <li><b>Not here:</b> The models themselves, solvers, losses and optimizers.
 *   <li><b>Promises:</b> P-1: what a model computes is a function of its inputs.
 * </ul>
 */
@NullMarked
package darkroom.gpuworkers.models;

import org.jspecify.annotations.NullMarked;
