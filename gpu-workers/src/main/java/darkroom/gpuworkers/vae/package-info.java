/**
 * Pictures to latents and back: AutoencoderKL, and the sizes and pixel values that diffusers' pipelines give it.
 *
 * <ul>
 *   <li><b>Start reading:</b> AutoencoderKl, beside its source autoencoder_kl.torchscript; KontextPictures for source pictures.
 *   <li><b>Not here:</b> Reading of picture files and resizing (edit-tasks); packing of latents into tokens.
 *   <li><b>Promises:</b> P-1, P-9 (native memory is released).
 * </ul>
 */
@NullMarked
package darkroom.gpuworkers.vae;

import org.jspecify.annotations.NullMarked;
