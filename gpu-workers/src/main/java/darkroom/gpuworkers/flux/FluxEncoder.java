package darkroom.gpuworkers.flux;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.Shape;
import darkroom.actors.device.Prompt;
import darkroom.config.Precision;
import darkroom.edittasks.pictures.RgbImage;
import darkroom.gpuworkers.pretrained.ModelFolder;
import darkroom.gpuworkers.text.FluxPromptEncoder;
import darkroom.gpuworkers.torchscript.TensorBuffer;
import darkroom.gpuworkers.vae.AutoencoderKl;
import darkroom.gpuworkers.vae.KontextPictures;
import darkroom.tensors.TensorRef;
import darkroom.tensors.TensorStore;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * Encodes prompts for FLUX: the instruction by CLIP and T5, the pictures by the autoencoder.
 *
 * <p>What it encoded last is kept in memory, up to {@link #KEPT_MAX} texts and as many pictures, by their content: the images
 * of a group and the samples of a step have few prompts. Thread-confined.
 */
final class FluxEncoder implements AutoCloseable {
    /** Texts, and pictures, that are kept. */
    static final int KEPT_MAX = 64;

    private final TensorStore store;
    private final int promptTokens;
    private final AutoencoderKl autoencoder;
    private final FluxPromptEncoder text;
    private final Map<String, Embedding> texts = kept();
    private final Map<TensorRef, Latent> pictures = kept();

    /** @param promptTokens tokens of T5 for each prompt */
    FluxEncoder(ModelFolder folder, Precision precision, int promptTokens, TensorStore store) throws IOException {
        this.store = store;
        this.promptTokens = promptTokens;
        this.autoencoder = AutoencoderKl.open(folder);
        try {
            this.text = FluxPromptEncoder.open(folder, precision);
        } catch (IOException | RuntimeException e) {
            autoencoder.close();
            throw e;
        }
    }

    private static <K, V> Map<K, V> kept() {
        return new LinkedHashMap<>(16, 0.75f, true) {
            @Override
            protected boolean removeEldestEntry(Map.Entry<K, V> eldest) {
                return size() > KEPT_MAX;
            }
        };
    }

    @SuppressWarnings("ArrayRecordComponent") // a carrier of values, never compared
    private record Embedding(float[] promptEmbeds, Shape promptShape, float[] pooled, Shape pooledShape) {}

    @SuppressWarnings("ArrayRecordComponent") // a carrier of values, never compared
    private record Latent(float[] values, Shape shape) {}

    /**
     * A prompt as the transformer takes it; belongs to the scope that asked for it.
     *
     * @param references latents of the source and of the second picture, if there is one, FLOAT32 [1, channels, height, width]
     * @param promptEmbeds FLOAT32 [1, tokens, prompt dim]
     * @param pooled FLOAT32 [1, pooled dim]
     */
    record Encoded(List<NDArray> references, NDArray promptEmbeds, NDArray pooled) {}

    /** Encodes a prompt. */
    Encoded encode(NDManager scope, Prompt prompt) {
        Embedding embedding = texts.get(prompt.instruction());
        if (embedding == null) {
            embedding = embedding(prompt.instruction());
            texts.put(prompt.instruction(), embedding);
        }
        List<NDArray> references = new ArrayList<>();
        for (TensorRef picture :
                prompt.reference() == null ? List.of(prompt.source()) : List.of(prompt.source(), prompt.reference())) {
            Latent latent = pictures.get(picture);
            if (latent == null) {
                latent = latent(picture);
                pictures.put(picture, latent);
            }
            references.add(array(scope, latent.values(), latent.shape()));
        }
        return new Encoded(
                references,
                array(scope, embedding.promptEmbeds(), embedding.promptShape()),
                array(scope, embedding.pooled(), embedding.pooledShape()));
    }

    private static NDArray array(NDManager scope, float[] values, Shape shape) {
        TensorBuffer buffer = TensorBuffer.floats(scope, shape.getShape());
        buffer.floats(0, values);
        return buffer.array();
    }

    private Embedding embedding(String instruction) {
        try (NDManager scope = text.scope()) {
            FluxPromptEncoder.PromptEmbedding embedding = text.encode(scope, instruction, promptTokens);
            return new Embedding(
                    embedding.promptEmbeds().toFloatArray(),
                    embedding.promptEmbeds().getShape(),
                    embedding.pooled().toFloatArray(),
                    embedding.pooled().getShape());
        }
    }

    private Latent latent(TensorRef picture) {
        int height = picture.shape().get(0);
        int width = picture.shape().get(1);
        byte[] rgb = store.read(picture).toArray(ValueLayout.JAVA_BYTE);
        RgbImage image = KontextPictures.reference(RgbImage.owning(width, height, rgb), false);
        try (NDManager scope = autoencoder.scope()) {
            NDArray pixels =
                    array(scope, KontextPictures.pixels(image), new Shape(1, 3, image.height(), image.width()));
            NDArray latent = autoencoder.encode(scope, pixels);
            return new Latent(latent.toFloatArray(), latent.getShape());
        }
    }

    /** Decodes a latent FLOAT32 [channels, height, width]. */
    RgbImage decode(MemorySegment latent, Shape shape) {
        try (NDManager scope = autoencoder.scope()) {
            NDArray pixels = autoencoder.decode(scope, array(scope, latent.toArray(ValueLayout.JAVA_FLOAT), shape));
            return KontextPictures.picture(
                    pixels.toFloatArray(), (int) pixels.getShape().get(3), (int)
                            pixels.getShape().get(2));
        }
    }

    @Override
    public void close() {
        text.close();
        autoencoder.close();
    }
}
