package darkroom.gpuworkers.lora;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import darkroom.gpuworkers.checkpoints.FlatLayout;
import darkroom.gpuworkers.checkpoints.Safetensors;
import darkroom.gpuworkers.checkpoints.Safetensors.Dtype;
import darkroom.gpuworkers.checkpoints.Safetensors.Tensor;
import darkroom.gpuworkers.flux.FluxConfig;
import darkroom.gpuworkers.flux.FluxModules;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Random;
import java.util.function.UnaryOperator;
import java.util.stream.Stream;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.DoubleRange;
import net.jqwik.api.lifecycle.AfterTry;
import net.jqwik.api.lifecycle.BeforeTry;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

class LoraFileTest {
    private static final LoraTargets TARGETS =
            FluxModules.linear(new FluxConfig(2, 2, 2, 6, 8, 5, 3, List.of(2, 2, 2), true));
    private static final String TO_K = "transformer_blocks.0.attn.to_k";
    private static final String SINGLE = "single_transformer_blocks.1.";

    private Path folder = Path.of("unset");

    @BeforeEach
    @BeforeTry
    void makeFolder() throws IOException {
        folder = Files.createTempDirectory("darkroom");
    }

    @AfterEach
    @AfterTry
    void deleteFolder() throws IOException {
        try (Stream<Path> all = Files.walk(folder)) {
            for (Path path : all.sorted(Comparator.reverseOrder()).toList()) {
                Files.delete(path);
            }
        }
    }

    /** Adapters of some of all linear modules, each of its own rank. */
    private static LoraFile random(Random random, double scale) {
        List<String> adapted = TARGETS.modules().keySet().stream()
                .filter(_ -> random.nextInt(3) > 0)
                .toList();
        FlatLayout.Builder builder = new FlatLayout.Builder();
        for (String module : adapted.isEmpty() ? List.of(TO_K) : adapted) {
            LoraTargets.Size size = TARGETS.size(module);
            int rank = 1 + random.nextInt(3);
            builder.add(module + LoraFile.A, rank, size.in()).add(module + LoraFile.B, size.out(), rank);
        }
        FlatLayout layout = builder.build();
        float[] flat = new float[layout.size()];
        for (int i = 0; i < flat.length; i++) {
            flat[i] = (float) random.nextGaussian();
        }
        return new LoraFile(layout, flat, scale);
    }

    /** Returns scale B A, by module. */
    private static Map<String, double[]> products(LoraFile file) {
        Map<String, double[]> products = new HashMap<>();
        TARGETS.modules().forEach((module, size) -> {
            if (file.adapts(module)) {
                float[] a = file.a(module);
                float[] b = file.b(module);
                int rank = file.rank(module);
                double[] product = new double[size.out() * size.in()];
                for (int o = 0; o < size.out(); o++) {
                    for (int i = 0; i < size.in(); i++) {
                        for (int r = 0; r < rank; r++) {
                            product[o * size.in() + i] += file.scale() * b[o * rank + r] * a[r * size.in() + i];
                        }
                    }
                }
                products.put(module, product);
            }
        });
        return products;
    }

    private static void assertSameEffect(LoraFile one, LoraFile other, double tolerance) {
        Map<String, double[]> expected = products(one);
        Map<String, double[]> actual = products(other);
        assertThat(actual.keySet()).isEqualTo(expected.keySet());
        expected.forEach((module, product) -> {
            double[] found = Objects.requireNonNull(actual.get(module));
            double largest = 0;
            for (int i = 0; i < product.length; i++) {
                largest = Math.max(largest, Math.abs(product[i] - found[i]));
            }
            assertThat(largest).as(module).isLessThan(tolerance);
        });
    }

    @Property(tries = 30)
    void what_is_written_in_any_spelling_is_read_with_the_same_effect(
            @ForAll LoraSpelling spelling, @ForAll @DoubleRange(min = 0.01, max = 20) double scale, @ForAll long seed)
            throws IOException {
        LoraFile written = random(new Random(seed), scale);
        Path file = folder.resolve("adapter.safetensors");
        written.write(file, spelling, TARGETS);
        assertSameEffect(written, LoraFile.read(file, TARGETS), 1e-5 * scale * 10);
        assertThat(folder).isDirectoryNotContaining(path -> !path.equals(file));
    }

    @ParameterizedTest
    @EnumSource(LoraSpelling.class)
    void adapters_that_are_0_stay_0_in_every_spelling(LoraSpelling spelling) throws IOException {
        LoraFile some = random(new Random(4), 2);
        float[] flat = some.flat().clone();
        some.layout().entries().forEach((name, entry) -> {
            if (name.endsWith(LoraFile.B)) {
                Arrays.fill(flat, entry.offset(), entry.offset() + entry.size(), 0);
            }
        });
        LoraFile zero = new LoraFile(some.layout(), flat, 2);
        zero.write(folder.resolve("zero.safetensors"), spelling, TARGETS);
        products(LoraFile.read(folder.resolve("zero.safetensors"), TARGETS))
                .values()
                .forEach(product -> assertThat(product).containsOnly(0));
    }

    /** diffusers and PEFT read alpha from elsewhere or not at all: the file for them has none. */
    @Test
    void the_file_for_diffusers_has_its_names_and_no_alpha() throws IOException {
        random(new Random(1), 3).write(folder.resolve("a.safetensors"), LoraSpelling.DIFFUSERS, TARGETS);
        try (Safetensors file = Safetensors.open(folder.resolve("a.safetensors"))) {
            assertThat(file.entries())
                    .allSatisfy(entry -> assertThat(entry.name()).matches("transformer\\..*\\.lora_[AB]\\.weight"));
        }
    }

    @Test
    void the_file_for_ComfyUI_has_fused_modules_and_alpha() throws IOException {
        LoraFile adapters = file(Map.of(TO_K, 2, "transformer_blocks.0.attn.to_q", 1), 0.5);
        adapters.write(folder.resolve("c.safetensors"), LoraSpelling.COMFYUI, TARGETS);
        String qkv = "diffusion_model.double_blocks.0.img_attn.qkv";
        try (Safetensors file = Safetensors.open(folder.resolve("c.safetensors"))) {
            assertThat(file.entries())
                    .extracting(Safetensors.Entry::name)
                    .containsExactly(qkv + ".alpha", qkv + ".lora_down.weight", qkv + ".lora_up.weight");
            assertThat(file.doubles(qkv + ".alpha")).containsExactly(1.5);
            assertThat(file.entry(qkv + ".lora_up.weight").shape()).containsExactly(36, 3);
        }
        adapters.write(folder.resolve("k.safetensors"), LoraSpelling.KOHYA, TARGETS);
        try (Safetensors file = Safetensors.open(folder.resolve("k.safetensors"))) {
            assertThat(file.entry("lora_unet_double_blocks_0_img_attn_qkv.lora_down.weight")
                            .shape())
                    .containsExactly(3, 12);
        }
    }

    private static LoraFile file(Map<String, Integer> ranks, double scale) {
        FlatLayout.Builder builder = new FlatLayout.Builder();
        ranks.entrySet().stream().sorted(Map.Entry.comparingByKey()).forEach(entry -> {
            LoraTargets.Size size = TARGETS.size(entry.getKey());
            builder.add(entry.getKey() + LoraFile.A, entry.getValue(), size.in())
                    .add(entry.getKey() + LoraFile.B, size.out(), entry.getValue());
        });
        FlatLayout layout = builder.build();
        float[] flat = new float[layout.size()];
        Random random = new Random(5);
        for (int i = 0; i < flat.length; i++) {
            flat[i] = random.nextInt(-8, 9) / 4f; // exact in every element type
        }
        return new LoraFile(layout, flat, scale);
    }

    private static Tensor tensor(String name, Dtype dtype, List<Integer> shape, float... values) {
        ByteBuffer floats = ByteBuffer.allocate(4 * values.length).order(ByteOrder.LITTLE_ENDIAN);
        for (float value : values) {
            floats.putFloat(value);
        }
        return new Tensor(name, dtype, shape, () -> Safetensors.encode(dtype, MemorySegment.ofArray(floats.array())));
    }

    private static List<Tensor> tensors(LoraFile file, Dtype dtype, UnaryOperator<String> spelled) {
        List<Tensor> tensors = new ArrayList<>();
        file.layout().entries().forEach((name, entry) -> {
            float[] values = new float[entry.size()];
            System.arraycopy(file.flat(), entry.offset(), values, 0, values.length);
            tensors.add(tensor(spelled.apply(name), dtype, entry.shape(), values));
        });
        return tensors;
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "transformer.MODULE.lora_A.weight | F32",
                "MODULE.lora_A.weight | F16",
                "base_model.model.MODULE.lora_A.default.weight | BF16",
                "base_model.model.transformer.MODULE.lora_A.weight | F32",
                "diffusion_model.MODULE.lora_A.weight | F32",
                "transformer.MODULE.lora_down.weight | BF16",
                "transformer.MODULE.lora.down.weight | F32",
                "lora_unet_UNDERSCORED.lora_down.weight | F16",
                "lora_transformer_UNDERSCORED.lora_down.weight | F32",
                "lycoris_UNDERSCORED.lora_down.weight | F32"
            })
    void the_usual_names_and_element_types_are_read(String form, Dtype dtype) throws IOException {
        LoraFile expected = file(Map.of(TO_K, 2, SINGLE + "proj_mlp", 3, SINGLE + "proj_out", 1), 1);
        Path file = folder.resolve("adapter.safetensors");
        Safetensors.write(file, Map.of(), tensors(expected, dtype, name -> {
            String module = name.substring(0, name.length() - LoraFile.A.length());
            String spelled = name.endsWith(LoraFile.A)
                    ? form
                    : form.replace("lora_A", "lora_B").replace("down", "up");
            return spelled.replace("MODULE", module).replace("UNDERSCORED", module.replace('.', '_'));
        }));
        LoraFile read = LoraFile.read(file, TARGETS);
        assertThat(read.layout().entries()).isEqualTo(expected.layout().entries());
        assertThat(read.flat()).isEqualTo(expected.flat());
        assertThat(read.scale()).isEqualTo(1);
    }

    /** A trained adapter of fused weights reaches all of them through one A. */
    @Test
    void fused_factors_that_share_their_input_are_given_to_every_module() throws IOException {
        float[] down = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12};
        float[] up = new float[84];
        for (int i = 0; i < up.length; i++) {
            up[i] = i + 1;
        }
        Path file = folder.resolve("adapter.safetensors");
        String name = "diffusion_model.single_blocks.1.linear1";
        Safetensors.write(
                file,
                Map.of(),
                List.of(
                        tensor(name + ".lora_A.weight", Dtype.F32, List.of(1, 12), down),
                        tensor(name + ".lora_B.weight", Dtype.F32, List.of(84, 1), up)));
        LoraFile read = LoraFile.read(file, TARGETS);
        assertThat(read.layout().entries()).hasSize(8);
        assertThat(read.a(SINGLE + "attn.to_v")).isEqualTo(down);
        assertThat(read.b(SINGLE + "attn.to_k")).startsWith(13).endsWith(24).hasSize(12);
        assertThat(read.b(SINGLE + "proj_mlp")).startsWith(37).endsWith(84).hasSize(48);
    }

    @Test
    void a_configuration_of_PEFT_gives_each_module_its_scale() throws IOException {
        LoraFile factors = file(Map.of(TO_K, 2, SINGLE + "proj_mlp", 3), 1);
        Safetensors.write(
                folder.resolve("adapter_model.safetensors"),
                Map.of(),
                tensors(factors, Dtype.F32, name -> "base_model.model." + name));
        Path config = folder.resolve("adapter_config.json");
        Files.writeString(config, """
            {"peft_type": "LORA", "r": 2, "lora_alpha": 8, "rank_pattern": {"proj_mlp": 3},
             "alpha_pattern": {"single_transformer_blocks.1.proj_mlp": 6}}
            """);
        LoraFile read = LoraFile.read(folder, TARGETS);
        assertThat(read.scale()).isEqualTo(1);
        assertThat(read.a(TO_K)).isEqualTo(factors.a(TO_K));
        assertThat(read.b(TO_K)[0]).isEqualTo(4 * factors.b(TO_K)[0]);
        assertThat(read.b(SINGLE + "proj_mlp")[0]).isEqualTo(2 * factors.b(SINGLE + "proj_mlp")[0]);
        Files.writeString(config, """
            {"r": 3, "lora_alpha": 6, "rank_pattern": {"to_k": 2}, "alpha_pattern": {"to_k": 4}, "use_rslora": false}
            """);
        assertThat(LoraFile.read(folder, TARGETS).scale()).isEqualTo(2);
        assertThat(LoraFile.read(folder.resolve("adapter_model.safetensors"), TARGETS)
                        .scale())
                .isEqualTo(2);
        Files.writeString(config, """
            {"r": 3, "lora_alpha": 6, "rank_pattern": {"to_k": 2}, "use_rslora": true}
            """);
        assertThat(LoraFile.read(folder, TARGETS).b(TO_K)[0])
                .isEqualTo((float) (factors.b(TO_K)[0] * 6 / Math.sqrt(2)));
        Files.writeString(config, "{\"r\": 3, \"lora_alpha\": 6}");
        assertThatThrownBy(() -> LoraFile.read(folder, TARGETS))
                .hasMessageContaining("adapter_config.json states rank 3 for " + TO_K + ", its factors have rank 2");
        Files.writeString(config, "{\"r\": 3, \"lora_alpha\": 6, \"use_dora\": true}");
        assertThatThrownBy(() -> LoraFile.read(folder, TARGETS))
                .hasMessageContaining("use_dora=true: adapters with DoRA are not applied");
        Files.delete(config);
        assertThatThrownBy(() -> LoraFile.read(folder, TARGETS)).hasMessageContaining("adapter_config.json is missing");
    }

    @Test
    void the_header_of_diffusers_gives_the_scale_and_a_tensor_of_alpha_comes_first() throws IOException {
        LoraFile factors = file(Map.of(TO_K, 2), 1);
        List<Tensor> tensors = new ArrayList<>(tensors(factors, Dtype.F32, name -> "transformer." + name));
        Map<String, String> header =
                Map.of("lora_adapter_metadata", "{\"transformer.r\": 2, \"transformer.lora_alpha\": 3}");
        Path file = folder.resolve("adapter.safetensors");
        Safetensors.write(file, header, tensors);
        assertThat(LoraFile.read(file, TARGETS).scale()).isEqualTo(1.5);
        tensors.add(tensor("transformer." + TO_K + ".alpha", Dtype.BF16, List.of(), 5));
        Safetensors.write(file, header, tensors);
        assertThat(LoraFile.read(file, TARGETS).scale()).isEqualTo(2.5);
    }

    /** Issue 23, point 7: what matches nothing is named, never ignored. */
    @Test
    void everything_that_does_not_fit_is_named_at_once() throws IOException {
        Path file = folder.resolve("adapter.safetensors");
        List<Tensor> tensors = new ArrayList<>(tensors(file(Map.of(TO_K, 2), 1), Dtype.F32, name -> name));
        for (int i = 0; i < 5; i++) {
            tensors.add(tensor("text_encoder.layer." + i + ".lora_A.weight", Dtype.F32, List.of(1, 1), 0));
        }
        tensors.add(tensor(SINGLE + "proj_out.lora_B.weight", Dtype.F32, List.of(12, 1), new float[12]));
        tensors.add(tensor(SINGLE + "attn.to_q.lora_A.weight", Dtype.F32, List.of(1, 9), new float[9]));
        tensors.add(tensor(SINGLE + "attn.to_q.lora_B.weight", Dtype.F32, List.of(12, 1), new float[12]));
        Safetensors.write(file, Map.of(), tensors);
        assertThatThrownBy(() -> LoraFile.read(file, TARGETS))
                .isInstanceOf(IOException.class)
                .hasMessageContaining(file + " does not fit the model, and none of it is applied")
                .hasMessageContaining("5 of 10 tensors match no module that takes adapters")
                .hasMessageContaining("text_encoder.layer.0.lora_A.weight, ")
                .hasMessageContaining("and 2 more")
                .hasMessageContaining(SINGLE + "proj_out has no factor A")
                .hasMessageContaining(
                        "\"" + SINGLE + "attn.to_q.lora_A.weight\" has shape [1, 9], expected [rank, 12]");
    }

    @Test
    void an_adapter_of_which_nothing_matches_is_refused_with_the_count() throws IOException {
        Path file = folder.resolve("adapter.safetensors");
        Safetensors.write(
                file,
                Map.of(),
                tensors(file(Map.of(TO_K, 2), 1), Dtype.F32, name -> name.replace("transformer_", "other_")));
        assertThatThrownBy(() -> LoraFile.read(file, TARGETS))
                .hasMessageContaining("0 of 2 tensors applied")
                .hasMessageContaining("other_blocks.0.attn.to_k.lora_A.weight");
        Safetensors.write(file, Map.of(), List.of());
        assertThatThrownBy(() -> LoraFile.read(file, TARGETS)).hasMessageContaining("0 of 0 tensors applied");
    }

    @Test
    void factors_that_are_there_twice_or_not_finite_or_of_another_shape_are_refused() throws IOException {
        Path file = folder.resolve("adapter.safetensors");
        LoraFile factors = file(Map.of(TO_K, 2), 1);
        List<Tensor> tensors = new ArrayList<>(tensors(factors, Dtype.F32, name -> name));
        tensors.addAll(tensors(factors, Dtype.F32, name -> "transformer." + name));
        Safetensors.write(file, Map.of(), tensors);
        assertThatThrownBy(() -> LoraFile.read(file, TARGETS)).hasMessageContaining("2 factors are there twice");
        factors.flat()[3] = Float.NaN;
        Safetensors.write(file, Map.of(), tensors(factors, Dtype.F32, name -> name));
        assertThatThrownBy(() -> LoraFile.read(file, TARGETS)).hasMessageContaining("value 3 is NaN");
        Safetensors.write(
                file,
                Map.of(),
                List.of(
                        tensor(TO_K + LoraFile.A, Dtype.F32, List.of(2, 12), new float[24]),
                        tensor(TO_K + LoraFile.B, Dtype.F32, List.of(12, 3), new float[36])));
        assertThatThrownBy(() -> LoraFile.read(file, TARGETS))
                .hasMessageContaining("has shape [12, 3], expected [12, 2]");
    }

    @Test
    void a_file_that_is_something_else_is_refused_with_what_it_is() throws IOException {
        Path file = Files.writeString(
                folder.resolve("adapter.safetensors"), "version https://git-lfs.github.com/spec/v1\noid sha256:0\n");
        assertThatThrownBy(() -> LoraFile.read(file, TARGETS)).hasMessageContaining("pointer of Git LFS");
        Files.writeString(file, "<!DOCTYPE html><html><body>Sign in to access this file</body></html>");
        assertThatThrownBy(() -> LoraFile.read(file, TARGETS)).hasMessageContaining("a page in HTML");
        assertThatThrownBy(() -> LoraFile.read(folder.resolve("absent"), TARGETS))
                .hasMessageContaining("absent does not exist");
        Files.delete(file);
        assertThatThrownBy(() -> LoraFile.read(folder, TARGETS)).hasMessageContaining("has no adapter");
    }
}
