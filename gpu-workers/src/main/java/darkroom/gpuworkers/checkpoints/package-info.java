/**
 * Checkpoints: safetensors files, their manifest with digests, and copies elsewhere.
 *
 * <ul>
 *   <li><b>Start reading:</b> Checkpoints for writing and loading, CheckpointManifest for what identifies one,
 *       Safetensors for the format.
 *   <li><b>Not here:</b> The meaning of tensors for a model.
 *   <li><b>Promises:</b> P-5, P-7: a checkpoint is whole or does not count.
 * </ul>
 */
@NullMarked
package darkroom.gpuworkers.checkpoints;

import org.jspecify.annotations.NullMarked;
