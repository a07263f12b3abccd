package darkroom.gpuworkers.cases;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import darkroom.gpuworkers.checkpoints.Safetensors;
import darkroom.gpuworkers.checkpoints.Safetensors.Dtype;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The committed FLUX.1-Kontext folder, with what diffusers computes for it. */
final class ModelVerificationTest {
    private static final Path FOLDER = Path.of("src/test/resources/darkroom/gpuworkers/flux-kontext-tiny");

    @TempDir
    private Path directory = Path.of("unset");

    @Test
    void every_case_is_computed_as_diffusers_computes_it() throws IOException {
        List<String> failed = new ArrayList<>();
        List<Path> files;
        try (Stream<Path> all = Files.list(FOLDER.resolve("cases"))) {
            files = all.sorted().toList();
        }
        assertThat(files).hasSizeGreaterThan(25);
        try (ModelVerification verification = new ModelVerification(FOLDER)) {
            for (Path file : files) {
                ModelVerification.CaseResult result = verification.verify(file);
                if (!result.passed()) {
                    failed.add(result.name() + ": " + result.worst());
                }
            }
        }
        assertThat(failed).isEmpty();
    }

    @Test
    void a_value_outside_its_tolerance_fails_the_case() throws IOException {
        ModelCase right = ModelCase.read(FOLDER.resolve("cases/velocity-one.safetensors"));
        Path wrong = directory.resolve("velocity-wrong.safetensors");
        write(right, wrong, "velocity", 1.002);
        try (ModelVerification verification = new ModelVerification(FOLDER)) {
            ModelVerification.CaseResult result = verification.verify(wrong);
            assertThat(result.passed()).isFalse();
            assertThat(result.worst().output()).isEqualTo("velocity");
            assertThat(result.worst().error()).isGreaterThan(2e-4);
        }
    }

    @Test
    void a_file_that_is_no_case_is_a_failed_case_with_its_reason() throws IOException {
        Path file = Files.writeString(directory.resolve("page.safetensors"), "<!doctype html><html></html>");
        try (ModelVerification verification = new ModelVerification(FOLDER)) {
            ModelVerification.CaseResult result = verification.verify(file);
            assertThat(result.passed()).isFalse();
            assertThat(result.worst().problem()).contains("HTML");
        }
    }

    @Test
    void a_folder_without_an_index_is_refused() {
        assertThatThrownBy(() -> new ModelVerification(directory))
                .isInstanceOf(IOException.class)
                .hasMessageContaining("model_index.json is missing");
    }

    /** Writes a case again, the values of one tensor multiplied by a factor. */
    private static void write(ModelCase c, Path file, String changed, double factor) throws IOException {
        Map<String, String> metadata = new TreeMap<>(Map.of("kind", c.kind()));
        c.parameters().forEach((key, value) -> metadata.put(key, value.toString()));
        List<Safetensors.Tensor> tensors = new ArrayList<>();
        c.tensors().forEach((name, values) -> {
            float[] floats = new float[values.values().length];
            for (int i = 0; i < floats.length; i++) {
                floats[i] = (float) (values.values()[i] * (name.equals(changed) ? factor : 1));
            }
            tensors.add(new Safetensors.Tensor(
                    name,
                    Dtype.F32,
                    values.shape(),
                    () -> Safetensors.encode(Dtype.F32, MemorySegment.ofArray(floats))));
        });
        Safetensors.write(file, metadata, tensors);
    }
}
