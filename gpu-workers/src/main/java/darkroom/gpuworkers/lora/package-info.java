/**
 * Low-rank adapters: their vector on a device, and the files in which they are exchanged.
 *
 * <ul>
 *   <li><b>Start reading:</b> LoraAdapter for adapters on a device, LoraFile for files.
 *   <li><b>Not here:</b> The models that apply adapters.
 *   <li><b>Promises:</b> An adapter is applied whole or refused: a tensor that matches no module is named, never ignored.
 * </ul>
 */
@NullMarked
package darkroom.gpuworkers.lora;

import org.jspecify.annotations.NullMarked;
