package darkroom.gpuworkers.flux;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import darkroom.gpuworkers.checkpoints.FlatLayout;
import darkroom.gpuworkers.checkpoints.Safetensors;
import darkroom.gpuworkers.lora.LoraFile;
import darkroom.gpuworkers.pretrained.ModelFolder;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class FluxMergeTest {
    private static final String MODULE = "single_transformer_blocks.0.proj_out";

    @TempDir
    Path directory = Path.of("unset");

    private Path folder = Path.of("unset");

    @BeforeEach
    void write() throws IOException {
        folder = FluxFolder.write(directory.resolve("base"));
    }

    private static LoraFile adapters(float value) {
        FlatLayout layout = new FlatLayout.Builder()
                .add(MODULE + ".lora_A.weight", 1, 80)
                .add(MODULE + ".lora_B.weight", 16, 1)
                .build();
        float[] flat = new float[layout.size()];
        Arrays.fill(flat, 0, 80, 0.5f);
        Arrays.fill(flat, 80, 88, value);
        return new LoraFile(layout, flat, 2);
    }

    private long merge(float value) throws IOException {
        return FluxMerge.write(ModelFolder.open(folder), adapters(value), directory.resolve("merged"));
    }

    @Test
    void adapters_that_are_0_give_the_files_of_the_base() throws IOException {
        assertThat(merge(0)).isZero();
        for (String name : List.of(FluxFolder.FIRST, FluxFolder.SECOND, FluxFolder.INDEX, "config.json")) {
            assertThat(directory.resolve("merged").resolve(name))
                    .hasSameBinaryContentAs(folder.resolve("transformer").resolve(name));
        }
        assertThat(directory.resolve("merged.partial")).doesNotExist();
    }

    @Test
    void a_merged_weight_is_that_of_the_base_and_the_scaled_product() throws IOException {
        assertThat(merge(3)).isEqualTo(8 * 80);
        assertThat(directory.resolve("merged").resolve(FluxFolder.FIRST))
                .hasSameBinaryContentAs(folder.resolve("transformer").resolve(FluxFolder.FIRST));
        try (Safetensors base = Safetensors.open(folder.resolve("transformer").resolve(FluxFolder.SECOND));
                Safetensors merged =
                        Safetensors.open(directory.resolve("merged").resolve(FluxFolder.SECOND))) {
            double[] before = base.doubles(MODULE + ".weight");
            double[] after = merged.doubles(MODULE + ".weight");
            for (int i = 0; i < before.length; i++) {
                assertThat(after[i]).isCloseTo(before[i] + (i < 8 * 80 ? 3 : 0), within(0.03));
            }
            assertThat(merged.bytes(MODULE + ".bias").mismatch(base.bytes(MODULE + ".bias")))
                    .isEqualTo(-1);
        }
    }

    @Test
    void adapters_too_small_for_the_element_type_and_a_folder_that_exists_are_refused() throws IOException {
        FlatLayout layout = new FlatLayout.Builder()
                .add("norm_out.linear.lora_A.weight", 1, 16)
                .add("norm_out.linear.lora_B.weight", 32, 1)
                .build();
        float[] flat = new float[layout.size()];
        flat[1] = 1e-20f;
        flat[16] = 1e-20f;
        Path merged = directory.resolve("merged");
        assertThatThrownBy(() -> FluxMerge.write(ModelFolder.open(folder), new LoraFile(layout, flat, 1), merged))
                .hasMessageContaining("change no value of the base");
        assertThat(directory).isDirectoryNotContaining(path -> !path.equals(folder));
        Files.createDirectories(merged.resolve("something"));
        assertThatThrownBy(() -> merge(1)).hasMessageContaining("merged exists");
    }
}
