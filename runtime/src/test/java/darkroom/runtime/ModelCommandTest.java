package darkroom.runtime;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import darkroom.gpuworkers.checkpoints.Safetensors;
import darkroom.gpuworkers.checkpoints.Safetensors.Dtype;
import darkroom.gpuworkers.checkpoints.Safetensors.Tensor;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.lang.foreign.MemorySegment;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import picocli.CommandLine;

/** Issue 23, points 3 and 7: model folders and adapters as a user meets them. */
class ModelCommandTest {
    private static final Path TINY = Path.of("../gpu-workers/src/test/resources/darkroom/gpuworkers/flux-kontext-tiny");
    private static final String MODULE = "single_transformer_blocks.0.attn.to_q";

    @TempDir
    Path directory = Path.of("unset");

    private Path model = Path.of("unset");

    private record Output(int exitCode, String out, String err) {}

    @BeforeEach
    void writeModel() throws IOException {
        model = directory.resolve("model");
        try (Stream<Path> all = Files.walk(TINY)) {
            for (Path file : all.filter(Files::isRegularFile).toList()) {
                Path name = TINY.relativize(file);
                if (!name.startsWith("cases") && !name.startsWith("adapters")) {
                    Files.createDirectories(model.resolve(name).getParent());
                    Files.copy(file, model.resolve(name));
                }
            }
        }
    }

    private void text(String name, String text) throws IOException {
        Path file = model.resolve(name);
        Files.createDirectories(file.getParent());
        Files.writeString(file, text);
    }

    /** Every byte of the values is {@code value}. */
    private static Tensor tensor(String name, List<Integer> shape, byte value) {
        byte[] bytes = new byte[4 * shape.stream().reduce(1, (a, b) -> a * b)];
        Arrays.fill(bytes, value);
        return new Tensor(name, Dtype.F32, shape, () -> MemorySegment.ofArray(bytes));
    }

    private Path adapter(String module) throws IOException {
        Path file = directory.resolve("adapter.safetensors");
        Safetensors.write(
                file,
                Map.of(),
                List.of(
                        tensor(module + ".lora_A.weight", List.of(1, 16), (byte) 0x3f),
                        tensor(module + ".lora_B.weight", List.of(16, 1), (byte) 0x3f)));
        return file;
    }

    private static Output run(Object... args) {
        String[] words = Arrays.stream(args).map(Object::toString).toArray(String[]::new);
        StringWriter out = new StringWriter();
        StringWriter err = new StringWriter();
        CommandLine commands = Darkroom.commandLine();
        commands.setOut(new PrintWriter(out, true));
        commands.setErr(new PrintWriter(err, true));
        int code = commands.execute(words);
        return new Output(code, out.toString(), err.toString());
    }

    @Test
    void a_whole_folder_is_described_in_words_and_as_JSON() throws IOException {
        Output words = run("model", "check", model);
        assertThat(words.exitCode()).isZero();
        assertThat(words.out())
                .contains("FluxKontextPipeline", "width 16", "licence: not stated", "digest: sha256 ", "trainer");
        JsonNode json = new JsonMapper()
                .readTree(run("model", "check", model, "--json", "--rank", "8").out());
        assertThat(json.path("problems")).isEmpty();
        assertThat(json.path("components").path(0).path("dtypes").path(0).asText())
                .isEqualTo("F32");
        assertThat(json.path("memory").path("rank").asInt()).isEqualTo(8);
        assertThat(json.path("memory").path("plans").path(1).path("bytes").asLong())
                .isPositive();
    }

    @Test
    void every_problem_is_printed_and_the_exit_code_is_1() throws IOException {
        text("vae/diffusion_pytorch_model.safetensors", "version https://git-lfs.github.com/spec/v1\n");
        Files.delete(model.resolve("tokenizer/vocab.json"));
        Output checked = run("model", "check", model);
        assertThat(checked.exitCode()).isEqualTo(1);
        assertThat(checked.out()).contains("2 problems:", "a pointer of Git LFS", "tokenizer has neither vocab.json");
        assertThat(run("model", "check", model, "--resolution", "50").exitCode())
                .isEqualTo(2);
    }

    @Test
    void adapters_are_converted_and_merged() throws IOException {
        Path out = directory.resolve("kohya.safetensors");
        Path merged = directory.resolve("merged");
        Output exported = run(
                "model",
                "export",
                model,
                "--adapter",
                adapter(MODULE),
                "--format",
                "kohya",
                "--out",
                out,
                "--merged",
                merged);
        assertThat(exported.err()).isEmpty();
        assertThat(exported.exitCode()).isZero();
        assertThat(exported.out())
                .contains("1 of ", "modules adapted", "written as kohya", "256 values differ from the base");
        try (Safetensors file = Safetensors.open(out)) {
            assertThat(file.entry("lora_unet_single_blocks_0_linear1.lora_up.weight")
                            .shape())
                    .containsExactly(112, 1);
        }
        assertThat(merged.resolve("config.json")).exists();
    }

    @Test
    void adapters_of_another_model_are_refused_and_nothing_is_written() throws IOException {
        Path out = directory.resolve("out.safetensors");
        Output exported = run("model", "export", model, "--adapter", adapter("down_blocks.0.to_q"), "--out", out);
        assertThat(exported.exitCode()).isEqualTo(1);
        assertThat(exported.err()).contains("0 of 2 tensors applied", "down_blocks.0.to_q.lora_A.weight");
        assertThat(out).doesNotExist();
        assertThat(run("model", "export", model, "--adapter", adapter(MODULE)).exitCode())
                .isEqualTo(2);
        assertThat(run("model", "export", directory, "--adapter", adapter(MODULE), "--out", out)
                        .err())
                .contains("model_index.json is missing");
    }
}
