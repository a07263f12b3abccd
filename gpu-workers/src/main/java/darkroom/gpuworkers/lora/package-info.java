/**
 * Low-rank adapters: their vector on a device, and the files in which they are exchanged.
 *
 * <ul>
 *   <li><b>Start reading:</b> LoraAdapter for adapters on a device.
 *   <li><b>Not here:</b> The models that apply adapters.
 *   <li><b>Promises:</b> An adapter is applied whole or refused.
 * </ul>
 */
@NullMarked
package darkroom.gpuworkers.lora;

import org.jspecify.annotations.NullMarked;
