/**
 * Text encoders: prompts to token ids, and token ids to embeddings, as transformers and diffusers compute them.
 *
 * <ul>
 *   <li><b>Start reading:</b> FluxPromptEncoder, then the sources clip_text.torchscript and t5_encoder.torchscript.
 *   <li><b>Not here:</b> The closed vocabulary of the embedded model; who asks for embeddings and who keeps them.
 *   <li><b>Promises:</b> P-9 (native memory is released).
 * </ul>
 */
@NullMarked
package darkroom.gpuworkers.text;

import org.jspecify.annotations.NullMarked;
