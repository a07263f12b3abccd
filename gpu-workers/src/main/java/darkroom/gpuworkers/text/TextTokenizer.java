package darkroom.gpuworkers.text;

import ai.djl.engine.EngineException;
import ai.djl.huggingface.tokenizers.HuggingFaceTokenizer;
import ai.djl.huggingface.tokenizers.jni.LibUtils;
import com.fasterxml.jackson.databind.JsonNode;
import darkroom.gpuworkers.pretrained.ConfigFile;
import darkroom.gpuworkers.torchscript.Torch;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.nio.CharBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Map;

/**
 * A tokenizer of a model folder, by Hugging Face's tokenizers library: the token ids are those of transformers, special tokens
 * written in a text included.
 *
 * <p>Safe for many threads until it is closed.
 */
public final class TextTokenizer implements AutoCloseable {
    private final HuggingFaceTokenizer tokenizer;
    private final long pad;
    private final int lengthMax;

    private TextTokenizer(HuggingFaceTokenizer tokenizer, long pad, int lengthMax) {
        this.tokenizer = tokenizer;
        this.pad = pad;
        this.lengthMax = lengthMax;
    }

    /**
     * Opens the tokenizer of a CLIP model: {@code tokenizer.json}, or else {@code vocab.json} and {@code merges.txt}.
     *
     * @throws IOException naming the file and what is wrong with it
     */
    public static TextTokenizer clip(Path folder) throws IOException {
        TokenizerConfig config = TokenizerConfig.read(folder);
        Path file = folder.resolve("tokenizer.json");
        JsonNode json = Files.exists(file) ? ConfigFile.read(file).root() : ClipTokenizerJson.of(folder, config);
        return open(folder, json, config, config.pad("<|endoftext|>"));
    }

    /**
     * Opens the tokenizer of a T5 model: {@code tokenizer.json}.
     *
     * @throws IOException naming the file and what is wrong with it
     */
    public static TextTokenizer t5(Path folder) throws IOException {
        Path file = folder.resolve("tokenizer.json");
        if (!Files.exists(file) && Files.exists(folder.resolve("spiece.model"))) {
            throw new IOException(
                    """
                    %s is missing, and %s alone is not read. Make it once, with transformers and sentencepiece installed: \
                    python -c "from transformers import T5TokenizerFast as T; T.from_pretrained('%s').save_pretrained('%s')"\
                    """.formatted(file, folder.resolve("spiece.model").getFileName(), folder, folder));
        }
        TokenizerConfig config = TokenizerConfig.read(folder);
        return open(folder, ConfigFile.read(file).root(), config, config.pad("<pad>"));
    }

    private static TextTokenizer open(Path folder, JsonNode json, TokenizerConfig config, String padToken)
            throws IOException {
        loadLibrary();
        HuggingFaceTokenizer tokenizer;
        try {
            tokenizer = HuggingFaceTokenizer.newInstance(
                    new ByteArrayInputStream(json.toString().getBytes(StandardCharsets.UTF_8)),
                    Map.of("padding", "false", "truncation", "false"));
        } catch (RuntimeException e) {
            throw new IOException(
                    "%s: no tokenizer that the tokenizers library reads (%s); download the folder again"
                            .formatted(folder, e.getMessage()),
                    e);
        }
        try {
            long[] padIds = tokenizer.encode(padToken, false, false).getIds();
            long[] empty = tokenizer.encode("", true, false).getIds();
            if (padIds.length != 1) {
                throw new IOException("%s: the padding token \"%s\" is %d tokens of its vocabulary, expected 1"
                        .formatted(folder, padToken, padIds.length));
            }
            if (empty.length == 0) {
                throw new IOException("%s: adds no end token to a text; tokenizer.json has no post_processor that does"
                        .formatted(folder));
            }
            return new TextTokenizer(tokenizer, padIds[0], config.lengthMax());
        } catch (IOException | RuntimeException e) {
            tokenizer.close();
            throw e;
        }
    }

    private static void loadLibrary() throws IOException {
        Torch.offline();
        try {
            LibUtils.checkStatus();
        } catch (EngineException | LinkageError e) {
            throw new IOException(
                    "the tokenizers library cannot be loaded (%s); it is unpacked into .djl.ai of the home directory, or into DJL_CACHE_DIR, which must be writable and not mounted noexec"
                            .formatted(e.getCause() == null ? e : e.getCause()),
                    e);
        }
    }

    /** Returns {@code model_max_length} of tokenizer_config.json; {@link Integer#MAX_VALUE} where there is none. */
    public int lengthMax() {
        return lengthMax;
    }

    /**
     * Returns the token ids of a text, exactly {@code length}: longer ones are cut with the end token kept, shorter ones padded.
     *
     * @throws IllegalArgumentException if the text is no valid Unicode
     */
    public long[] ids(String text, int length) {
        if (length < 2) {
            throw new IllegalArgumentException("length=%d tokens, expected at least 2".formatted(length));
        }
        long[] ids = tokenizer.encode(unicode(text), true, false).getIds();
        long[] padded = Arrays.copyOf(ids, length);
        if (ids.length > length) {
            padded[length - 1] = ids[ids.length - 1];
        } else {
            Arrays.fill(padded, ids.length, length, pad);
        }
        return padded;
    }

    private static String unicode(String text) {
        try {
            StandardCharsets.UTF_8.newEncoder().encode(CharBuffer.wrap(text));
            return text;
        } catch (CharacterCodingException e) {
            throw new IllegalArgumentException(
                    "a prompt holds half a surrogate pair, which is no character; it was cut in the middle of one", e);
        }
    }

    @Override
    public void close() {
        tokenizer.close();
    }
}
