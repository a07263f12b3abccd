/**
 * TorchScript in Java: sources, modules made from them, tensors whose memory Java writes, and the thread that owns them.
 *
 * <ul>
 *   <li><b>Start reading:</b> TorchScriptSource for the sources beside it, TorchModule for calling their functions.
 *   <li><b>Not here:</b> What the functions compute for: models, losses and optimizers are in the packages that load them.
 *   <li><b>Promises:</b> P-1 (one thread, no kernel chosen at run time), P-9 (native memory is released).
 * </ul>
 */
@NullMarked
package darkroom.gpuworkers.torchscript;

import org.jspecify.annotations.NullMarked;
