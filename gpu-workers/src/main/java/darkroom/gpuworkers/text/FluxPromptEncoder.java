package darkroom.gpuworkers.text;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import darkroom.config.Precision;
import darkroom.gpuworkers.pretrained.ModelFolder;
import java.io.IOException;
import java.util.ArrayDeque;
import java.util.Deque;

/**
 * Prompts of FLUX: the embeddings of T5 and the pooled output of CLIP, as {@code encode_prompt} of diffusers' pipelines computes
 * them.
 *
 * <p>No attention mask is used: padding is attended to, so that {@code maxLength} is part of the result. Thread-confined.
 */
public final class FluxPromptEncoder implements AutoCloseable {
    /** Tokens of CLIP where tokenizer_config.json does not say how many. */
    private static final int CLIP_TOKENS = 77;

    private final TextTokenizer clipTokenizer;
    private final TextTokenizer t5Tokenizer;
    private final ClipTextEncoder clip;
    private final T5TextEncoder t5;

    /**
     * An encoded prompt, whose arrays belong to the scope that was given.
     *
     * @param promptEmbeds FLOAT32 [1, maxLength, T5 width]
     * @param pooled FLOAT32 [1, CLIP width]
     * @param clipIds token ids of CLIP
     * @param t5Ids token ids of T5, {@code maxLength}
     */
    @SuppressWarnings("ArrayRecordComponent") // a carrier of values, never compared
    public record PromptEmbedding(NDArray promptEmbeds, NDArray pooled, long[] clipIds, long[] t5Ids) {}

    private FluxPromptEncoder(
            TextTokenizer clipTokenizer, TextTokenizer t5Tokenizer, ClipTextEncoder clip, T5TextEncoder t5) {
        this.clipTokenizer = clipTokenizer;
        this.t5Tokenizer = t5Tokenizer;
        this.clip = clip;
        this.t5 = t5;
    }

    /**
     * Opens {@code tokenizer}, {@code tokenizer_2}, {@code text_encoder} and {@code text_encoder_2} of a folder.
     *
     * @param precision element type of the computation; FLUX is published with bfloat16 encoders
     * @throws IOException naming the file, the key or the tensor that is wrong
     */
    public static FluxPromptEncoder open(ModelFolder folder, Precision precision) throws IOException {
        Deque<AutoCloseable> opened = new ArrayDeque<>();
        try {
            TextTokenizer clipTokenizer = TextTokenizer.clip(folder.root().resolve("tokenizer"));
            opened.push(clipTokenizer);
            TextTokenizer t5Tokenizer = TextTokenizer.t5(folder.root().resolve("tokenizer_2"));
            opened.push(t5Tokenizer);
            ClipTextEncoder clip = ClipTextEncoder.open(folder, "text_encoder", precision);
            opened.push(clip);
            return new FluxPromptEncoder(
                    clipTokenizer, t5Tokenizer, clip, T5TextEncoder.open(folder, "text_encoder_2", precision));
        } catch (IOException | RuntimeException e) {
            for (AutoCloseable part : opened) {
                try {
                    part.close();
                } catch (Exception suppressed) {
                    e.addSuppressed(suppressed);
                }
            }
            throw e;
        }
    }

    /** Returns a scope that frees its arrays when closed. */
    public NDManager scope() {
        return t5.scope();
    }

    /**
     * Encodes a prompt.
     *
     * @param maxLength tokens of T5, 2 to {@value T5TextEncoder#TOKENS_MAX}; longer prompts are cut, shorter ones padded
     * @throws IllegalArgumentException if the prompt is no valid Unicode, or {@code maxLength} is out of range
     */
    public PromptEmbedding encode(NDManager scope, String prompt, int maxLength) {
        if (maxLength < 2 || maxLength > T5TextEncoder.TOKENS_MAX) {
            throw new IllegalArgumentException(
                    "max length=%d tokens, expected 2 to %d".formatted(maxLength, T5TextEncoder.TOKENS_MAX));
        }
        long[] clipIds = clipTokenizer.ids(prompt, clipTokens());
        long[] t5Ids = t5Tokenizer.ids(prompt, maxLength);
        return new PromptEmbedding(t5.lastHiddenState(scope, t5Ids), clip.pooled(scope, clipIds), clipIds, t5Ids);
    }

    private int clipTokens() {
        int tokens = clipTokenizer.lengthMax() == Integer.MAX_VALUE ? CLIP_TOKENS : clipTokenizer.lengthMax();
        return Math.min(tokens, clip.config().positions());
    }

    @Override
    public void close() {
        t5.close();
        clip.close();
        t5Tokenizer.close();
        clipTokenizer.close();
    }
}
