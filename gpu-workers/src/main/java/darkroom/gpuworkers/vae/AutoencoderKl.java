package darkroom.gpuworkers.vae;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.Shape;
import darkroom.gpuworkers.pretrained.MappedWeights;
import darkroom.gpuworkers.pretrained.ModelFolder;
import darkroom.gpuworkers.torchscript.TorchModule;
import darkroom.gpuworkers.torchscript.TorchScriptSource;
import java.io.IOException;

/**
 * The autoencoder of FLUX: pictures to latents and back, as AutoencoderKL of diffusers, in float32.
 *
 * <p>Latents are normalised: (mean - shift) times scaling, what the transformer sees. The mean is used, never a sample.
 * Thread-confined.
 */
public final class AutoencoderKl implements AutoCloseable {
    private final AutoencoderKlConfig config;
    private final MappedWeights weights;
    private final TorchModule module;

    private AutoencoderKl(AutoencoderKlConfig config, MappedWeights weights, TorchModule module) {
        this.config = config;
        this.weights = weights;
        this.module = module;
    }

    /**
     * Opens {@code vae} of a folder.
     *
     * @throws IOException naming the file, the key or the tensor that is wrong
     */
    public static AutoencoderKl open(ModelFolder folder) throws IOException {
        AutoencoderKlConfig config = AutoencoderKlConfig.read(folder.file("vae", "config.json"));
        MappedWeights weights = MappedWeights.of(folder.weights("vae"));
        try {
            config.tensors().check(folder.root().resolve("vae"), weights);
            return new AutoencoderKl(
                    config,
                    weights,
                    new TorchModule(TorchScriptSource.of("autoencoder_kl")
                            .with("GROUPS", String.valueOf(config.groups()))
                            .with("SHIFT", String.valueOf(config.shift()))
                            .with("SCALING", String.valueOf(config.scaling()))
                            .text()));
        } catch (IOException | RuntimeException e) {
            weights.close();
            throw e;
        }
    }

    /** Returns the sizes of the autoencoder. */
    public AutoencoderKlConfig config() {
        return config;
    }

    /** Returns a scope that frees its arrays when closed. */
    public NDManager scope() {
        return module.scope();
    }

    /**
     * Encodes pictures.
     *
     * @param pixels FLOAT32 [batch, 3, height, width] in [-1, 1]; sides are multiples of {@link
     *     AutoencoderKlConfig#pixelsPerLatent}
     * @return FLOAT32 [batch, latent channels, height / pixelsPerLatent, width / pixelsPerLatent]
     */
    public NDArray encode(NDManager scope, NDArray pixels) {
        Shape shape = pixels.getShape();
        int step = config.pixelsPerLatent();
        if (shape.dimension() != 4 || shape.get(1) != 3 || shape.get(2) % step != 0 || shape.get(3) % step != 0) {
            throw new IllegalArgumentException(
                    "pixels are %s, expected [batch, 3, height, width] with multiples of %d".formatted(shape, step));
        }
        return call(scope, "encode_normalised", pixels);
    }

    /**
     * Decodes latents.
     *
     * @param latents FLOAT32 [batch, latent channels, height, width]
     * @return FLOAT32 [batch, 3, height * pixelsPerLatent, width * pixelsPerLatent], not clamped to [-1, 1]
     */
    public NDArray decode(NDManager scope, NDArray latents) {
        Shape shape = latents.getShape();
        if (shape.dimension() != 4 || shape.get(1) != config.latentChannels()) {
            throw new IllegalArgumentException(
                    "latents are %s, expected [batch, %d, height, width]".formatted(shape, config.latentChannels()));
        }
        return call(scope, "decode_normalised", latents);
    }

    private NDArray call(NDManager scope, String method, NDArray input) {
        NDList inputs = new NDList(input);
        inputs.addAll(weights.dictionary(_ -> true));
        return module.call(scope, method, inputs).get(0);
    }

    @Override
    public void close() {
        module.close();
        weights.close();
    }
}
