/** What a device computes: velocity models, sigma schedules, solvers, objectives, the optimizer, checkpoints. */
@NullMarked
package darkroom.gpuworkers;

import org.jspecify.annotations.NullMarked;
