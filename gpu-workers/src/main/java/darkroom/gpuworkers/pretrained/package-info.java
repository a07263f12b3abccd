/**
 * Model folders in the layout of diffusers: their configurations, their weights mapped into memory, and what is wrong with one.
 *
 * <ul>
 *   <li><b>Start reading:</b> MappedWeights for how weights reach PyTorch, ComponentWeights for what can be wrong with them.
 *   <li><b>Not here:</b> The networks that use the weights.
 *   <li><b>Promises:</b> A folder is checked whole before anything is computed from it.
 * </ul>
 */
@NullMarked
package darkroom.gpuworkers.pretrained;

import org.jspecify.annotations.NullMarked;
