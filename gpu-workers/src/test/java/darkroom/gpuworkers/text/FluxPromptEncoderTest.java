package darkroom.gpuworkers.text;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import ai.djl.ndarray.NDManager;
import darkroom.config.Precision;
import darkroom.gpuworkers.pretrained.ModelFolder;
import darkroom.gpuworkers.pretrained.ReferenceCase;
import darkroom.gpuworkers.torchscript.Torch;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

class FluxPromptEncoderTest {
    private static FluxPromptEncoder encoder;

    @TempDir
    @SuppressWarnings("NullAway.Init")
    private Path folder;

    @BeforeAll
    static void open() throws IOException {
        Torch.enterThread();
        encoder = FluxPromptEncoder.open(ModelFolder.open(ReferenceCase.folder()), Precision.F32);
    }

    @BeforeEach
    void enterThread() {
        Torch.enterThread();
    }

    @AfterAll
    static void close() {
        encoder.close();
    }

    static Stream<String> prompts() {
        return ReferenceCase.names("encode-text");
    }

    /** Among them: the empty prompt, a cut one, Chinese, an emoji, full-width letters, and special tokens written as text. */
    @ParameterizedTest
    @MethodSource("prompts")
    void ids_and_embeddings_of_a_prompt_are_those_of_diffusers(String name) throws IOException {
        try (ReferenceCase reference = ReferenceCase.open(name);
                NDManager scope = encoder.scope()) {
            FluxPromptEncoder.PromptEmbedding encoded = encoder.encode(
                    scope,
                    reference.parameter("prompt").textValue(),
                    reference.parameter("max_length").intValue());
            assertThat(encoded.clipIds()).isEqualTo(reference.longs("ids.clip"));
            assertThat(encoded.t5Ids()).isEqualTo(reference.longs("ids.t5"));
            assertThat(encoded.promptEmbeds().getShape().getShape()).isEqualTo(reference.shape("prompt_embeds"));
            assertThat(encoded.pooled().getShape().getShape()).isEqualTo(reference.shape("pooled"));
            reference.matches("prompt_embeds", encoded.promptEmbeds().toFloatArray(), 5e-5);
            reference.matches("pooled", encoded.pooled().toFloatArray(), 5e-5);
        }
    }

    @Test
    void a_prompt_computed_in_bfloat16_is_near_the_one_in_float32() throws IOException {
        try (ReferenceCase reference = ReferenceCase.open("encode-text-1.safetensors");
                FluxPromptEncoder half =
                        FluxPromptEncoder.open(ModelFolder.open(ReferenceCase.folder()), Precision.BF16);
                NDManager scope = half.scope()) {
            FluxPromptEncoder.PromptEmbedding encoded =
                    half.encode(scope, reference.parameter("prompt").textValue(), 64);
            reference.matches("prompt_embeds", encoded.promptEmbeds().toFloatArray(), 0.2);
            reference.matches("pooled", encoded.pooled().toFloatArray(), 0.2);
            assertThat(encoded.pooled().toFloatArray()).isNotEqualTo(reference.floats("pooled"));
        }
    }

    /** Configurations give 2 as the end token where the tokenizer has another one, or, since transformers 4.31, that one. */
    @Test
    void a_configuration_with_the_true_end_token_gives_the_same_pooled_output() throws IOException {
        ModelFolder model = copy("text_encoder", "\"eos_token_id\": 2", "\"eos_token_id\": 569");
        try (ClipTextEncoder clip = ClipTextEncoder.open(model, "text_encoder", Precision.F32);
                ReferenceCase reference = ReferenceCase.open("encode-text-5.safetensors");
                NDManager scope = clip.scope()) {
            long[] ids = reference.longs("ids.clip");
            assertThat(ids).endsWith(569);
            reference.matches("pooled", clip.pooled(scope, ids).toFloatArray(), 5e-5);
        }
    }

    @Test
    void ids_of_another_vocabulary_are_refused() throws IOException {
        ModelFolder model = ModelFolder.open(ReferenceCase.folder());
        try (ClipTextEncoder clip = ClipTextEncoder.open(model, "text_encoder", Precision.F32);
                NDManager scope = clip.scope()) {
            assertThatThrownBy(() -> clip.pooled(scope, new long[] {3, 570}))
                    .isInstanceOf(IllegalArgumentException.class)
                    .hasMessage("token id 570, but vocab_size=570; tokenizer and encoder are of different models");
            assertThatThrownBy(() -> clip.pooled(scope, new long[78]))
                    .isInstanceOf(IllegalArgumentException.class)
                    .hasMessageStartingWith("78 token ids, expected 1 to 77");
        }
    }

    /** tokenizer.json, where there is one, is used instead of vocab.json and merges.txt. */
    @Test
    void a_clip_tokenizer_may_be_stored_as_one_file() throws IOException {
        Path source = ReferenceCase.folder().resolve("tokenizer");
        Files.writeString(
                folder.resolve("tokenizer.json"),
                ClipTokenizerJson.of(source, TokenizerConfig.read(source)).toString());
        try (TextTokenizer tokenizer = TextTokenizer.clip(folder);
                ReferenceCase reference = ReferenceCase.open("encode-text-1.safetensors")) {
            assertThat(tokenizer.ids(reference.parameter("prompt").textValue(), 77))
                    .isEqualTo(reference.longs("ids.clip"));
        }
    }

    @Test
    void a_length_that_the_pipeline_refuses_is_refused() {
        try (NDManager scope = encoder.scope()) {
            assertThatThrownBy(() -> encoder.encode(scope, "a cat", 513))
                    .isInstanceOf(IllegalArgumentException.class)
                    .hasMessage("max length=513 tokens, expected 2 to 512");
        }
    }

    @Test
    void half_a_surrogate_pair_is_refused() {
        try (NDManager scope = encoder.scope()) {
            assertThatThrownBy(() -> encoder.encode(scope, "a cat \ud83c", 8))
                    .isInstanceOf(IllegalArgumentException.class)
                    .hasMessageContaining("half a surrogate pair");
        }
    }

    @Test
    void a_sentencepiece_model_alone_is_refused_with_the_command_that_makes_a_tokenizer() throws IOException {
        Files.createFile(folder.resolve("spiece.model"));
        assertThatThrownBy(() -> TextTokenizer.t5(folder))
                .isInstanceOf(IOException.class)
                .hasMessageContaining(
                        folder.resolve("tokenizer.json") + " is missing, and spiece.model alone is not read")
                .hasMessageContaining("T5TokenizerFast as T; T.from_pretrained('%s')".formatted(folder));
    }

    @Test
    void a_merge_of_unknown_tokens_is_refused_with_its_line() throws IOException {
        Files.copy(ReferenceCase.folder().resolve("tokenizer/vocab.json"), folder.resolve("vocab.json"));
        Files.writeString(folder.resolve("merges.txt"), "#version: 0.2\nt h\nth missing\n");
        assertThatThrownBy(() -> TextTokenizer.clip(folder))
                .isInstanceOf(IOException.class)
                .hasMessageStartingWith(folder.resolve("merges.txt") + ": line 3: \"th missing\", expected two tokens");
    }

    @Test
    void a_clip_tokenizer_without_merges_is_refused() throws IOException {
        Files.copy(ReferenceCase.folder().resolve("tokenizer/vocab.json"), folder.resolve("vocab.json"));
        assertThatThrownBy(() -> TextTokenizer.clip(folder))
                .isInstanceOf(IOException.class)
                .hasMessage(folder.resolve("merges.txt")
                        + " is missing; a CLIP tokenizer is vocab.json with it, or tokenizer.json");
    }

    @Test
    void a_file_that_is_no_tokenizer_is_refused() throws IOException {
        Files.writeString(folder.resolve("tokenizer.json"), "{\"version\": \"1.0\"}");
        assertThatThrownBy(() -> TextTokenizer.t5(folder))
                .isInstanceOf(IOException.class)
                .hasMessageStartingWith(folder + ": no tokenizer that the tokenizers library reads");
    }

    @Test
    void a_configuration_of_other_widths_than_the_weights_is_refused() throws IOException {
        ModelFolder model = copy("text_encoder_2", "\"d_ff\": 24", "\"d_ff\": 32");
        assertThatThrownBy(() -> T5TextEncoder.open(model, "text_encoder_2", Precision.F32))
                .isInstanceOf(IOException.class)
                .hasMessage(folder.resolve("text_encoder_2")
                        + ": tensor encoder.block.0.layer.1.DenseReluDense.wi_0.weight has shape [24, 16], expected"
                        + " [32, 16] by config.json; download the folder again");
    }

    @Test
    void a_layer_without_weights_is_refused() throws IOException {
        ModelFolder model = copy("text_encoder", "\"num_hidden_layers\": 2", "\"num_hidden_layers\": 3");
        assertThatThrownBy(() -> ClipTextEncoder.open(model, "text_encoder", Precision.F32))
                .isInstanceOf(IOException.class)
                .hasMessageContaining("tensor text_model.encoder.layers.2.layer_norm1.weight is missing");
    }

    @Test
    void a_t5_without_gated_gelu_is_refused() throws IOException {
        ModelFolder model = copy("text_encoder_2", "\"gated-gelu\"", "\"relu\"");
        assertThatThrownBy(() -> T5TextEncoder.open(model, "text_encoder_2", Precision.F32))
                .isInstanceOf(IOException.class)
                .hasMessage(folder.resolve("text_encoder_2/config.json")
                        + ": feed_forward_proj=relu, expected gated-gelu, that is T5 version 1.1");
    }

    private ModelFolder copy(String component, String from, String to) throws IOException {
        Path source = ReferenceCase.folder();
        Files.copy(source.resolve("model_index.json"), folder.resolve("model_index.json"));
        Files.createDirectory(folder.resolve(component));
        Files.copy(
                source.resolve(component).resolve("model.safetensors"),
                folder.resolve(component).resolve("model.safetensors"));
        String config = Files.readString(source.resolve(component).resolve("config.json"));
        assertThat(config).contains(from);
        Files.writeString(folder.resolve(component).resolve("config.json"), config.replace(from, to));
        return ModelFolder.open(folder);
    }
}
