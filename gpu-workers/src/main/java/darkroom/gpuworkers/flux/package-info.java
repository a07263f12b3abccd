/**
 * FLUX.1-Kontext: its transformer with adapters, forward and backward, as diffusers computes it.
 *
 * <ul>
 *   <li><b>Start reading:</b> FluxTransformer, beside its source flux_transformer.torchscript; FluxFolderCheck for a folder, FluxMemory
 *       for the memory it needs, FluxModules for its tensors.
 *   <li><b>Not here:</b> Files of adapters (lora), model folders (pretrained), losses and optimizers.
 *   <li><b>Promises:</b> P-1, P-9 (native memory is released).
 * </ul>
 */
@NullMarked
package darkroom.gpuworkers.flux;

import org.jspecify.annotations.NullMarked;
