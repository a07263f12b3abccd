package darkroom.gpuworkers.flux;

import static org.assertj.core.api.Assertions.assertThat;

import darkroom.gpuworkers.checkpoints.Safetensors;
import darkroom.gpuworkers.checkpoints.Safetensors.Dtype;
import darkroom.gpuworkers.pretrained.MemoryPlan;
import darkroom.gpuworkers.pretrained.ModelReport;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.SortedMap;
import java.util.TreeMap;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Issue 23, point 3: what is wrong with a folder is named before anything is computed with it. */
class FluxFolderCheckTest {
    private static final FluxWorkload LOAD = new FluxWorkload(1, 64, 1, 16, 4, 1, true);

    @TempDir
    Path folder = Path.of("unset");

    @BeforeEach
    void write() throws IOException {
        FluxFolder.write(folder);
    }

    private ModelReport check() throws IOException {
        return FluxFolderCheck.check(folder, LOAD);
    }

    private void assertProblems(String... parts) throws IOException {
        ModelReport report = check();
        assertThat(report.problems()).as("problems").hasSize(1);
        assertThat(report.problems().getFirst()).contains(parts);
        assertThat(report.digest()).isEmpty();
        assertThat(report.plans()).isEmpty();
    }

    private Path transformer(String name) {
        return folder.resolve("transformer").resolve(name);
    }

    @Test
    void a_whole_folder_has_no_problem_and_is_described() throws IOException {
        ModelReport report = check();
        assertThat(report.problems()).isEmpty();
        assertThat(report.pipeline()).isEqualTo("FluxKontextPipeline");
        assertThat(report.licence())
                .isEqualTo("license: other, license_name: flux-1-dev-non-commercial-license (README.md)");
        ModelReport.Component transformer = report.components().getFirst();
        assertThat(transformer.types()).containsExactly("BF16");
        assertThat(transformer.bytes()).isEqualTo(2 * transformer.parameters());
        assertThat(transformer.architecture()).startsWith("2 double and 2 single blocks, 2 heads x 8 = width 16");
        assertThat(report.plans()).extracting(MemoryPlan::role).containsExactly("rollout", "trainer", "encoder");
        assertThat(report.digest().orElseThrow()).hasSize(64);
    }

    @Test
    void the_folder_that_diffusers_wrote_has_no_problem() throws IOException {
        assertThat(FluxFolderCheck.check(FluxFolder.TINY, LOAD).problems()).isEmpty();
    }

    @Test
    void tensors_of_other_components_that_do_not_fit_their_configuration_are_named() throws IOException {
        for (String change : List.of("vae|latent_channels", "text_encoder|hidden_size", "text_encoder_2|d_ff")) {
            Path config =
                    folder.resolve(change.substring(0, change.indexOf('|'))).resolve("config.json");
            String key = "\"" + change.substring(change.indexOf('|') + 1) + "\": ";
            Files.writeString(config, Files.readString(config).replaceFirst(key + "(\\d+)", key + "2$1"));
        }
        assertThat(check().problems()).hasSize(3).allSatisfy(problem -> assertThat(problem)
                .contains("differ in shape from config.json"));
    }

    /** The counts are those of the published FLUX.1-dev: 1160 tensors, 11.9 thousand million values. */
    @Test
    void the_tensors_of_the_published_configuration_are_those_of_the_published_model() {
        FluxConfig published = new FluxConfig(19, 38, 24, 128, 64, 4096, 768, List.of(16, 56, 56), true);
        SortedMap<String, List<Integer>> tensors = FluxModules.tensors(published);
        assertThat(tensors).hasSize(1160);
        assertThat(tensors.values().stream()
                        .mapToLong(shape ->
                                shape.stream().mapToLong(Integer::longValue).reduce(1, Math::multiplyExact))
                        .sum())
                .isEqualTo(11_901_408_320L);
        FluxMemory memory =
                new FluxMemory(published, new FluxWorkload(1, 512, 1, 512, 32, 1, true), 23_802_816_640L, 2);
        assertThat(memory.tokens()).isEqualTo(512 + 2 * 1024);
        assertThat(memory.adapterParameters()).isEqualTo(32L * 6144 * (19 * 8 + 38 * 3));
        assertThat(memory.trainer().bytes()).isBetween(25_000_000_000L, 30_000_000_000L);
    }

    @Test
    void longer_segments_keep_less_and_recompute_more() {
        FluxConfig published = new FluxConfig(19, 38, 24, 128, 64, 4096, 768, List.of(16, 56, 56), true);
        Map<String, Long> one = items(published, 1);
        Map<String, Long> ten = items(published, 10);
        assertThat(ten.getOrDefault("kept inputs", 0L)).isLessThan(one.getOrDefault("kept inputs", 0L));
        assertThat(ten.getOrDefault("recomputed segment", 0L))
                .isPositive()
                .isEqualTo(10 * one.getOrDefault("recomputed segment", 0L));
    }

    private static Map<String, Long> items(FluxConfig config, int segment) {
        Map<String, Long> bytes = new TreeMap<>();
        new FluxMemory(config, new FluxWorkload(2, 512, 1, 512, 32, segment, true), 0, 2)
                .trainer()
                .items()
                .forEach(item -> bytes.put(item.name(), item.bytes()));
        return bytes;
    }

    @Test
    void the_digest_is_that_of_the_tensors_not_of_the_files() throws IOException {
        String before = check().digest().orElseThrow();
        List<Safetensors.Tensor> all = FluxModules.tensors(FluxFolder.CONFIG).entrySet().stream()
                .map(entry -> FluxFolder.tensor(entry.getKey(), entry.getValue(), Dtype.BF16))
                .toList();
        for (String name : List.of(FluxFolder.FIRST, FluxFolder.SECOND, FluxFolder.INDEX)) {
            Files.delete(transformer(name));
        }
        Path single = transformer("diffusion_pytorch_model.safetensors");
        Safetensors.write(single, Map.of("note", "one file"), all);
        assertThat(check().digest()).contains(before);
        try (RandomAccessFile file = new RandomAccessFile(single.toFile(), "rw")) {
            file.seek(file.length() - 1);
            int last = file.read();
            file.seek(file.length() - 1);
            file.write(last ^ 1);
        }
        assertThat(check().digest().orElseThrow()).isNotEqualTo(before);
    }

    @Test
    void another_pipeline_is_refused_with_the_supported_one() throws IOException {
        FluxFolder.text(folder, "model_index.json", "{\"_class_name\": \"QwenImageEditPipeline\"}");
        assertProblems("model_index.json: _class_name=QwenImageEditPipeline; supported is FluxKontextPipeline");
    }

    @Test
    void a_folder_that_is_none_or_a_cache_is_refused_with_what_it_is() throws IOException {
        assertThat(FluxFolderCheck.check(folder.resolve("vae/diffusion_pytorch_model.safetensors"), LOAD)
                        .problems()
                        .getFirst())
                .contains("is no directory");
        Files.delete(folder.resolve("model_index.json"));
        assertProblems("model_index.json is missing");
        Files.createDirectories(folder.resolve("snapshots/abc"));
        assertProblems("snapshots of a Hugging Face cache");
    }

    @Test
    void a_missing_shard_and_one_that_is_cut_are_named_together() throws IOException {
        Files.delete(transformer(FluxFolder.FIRST));
        try (RandomAccessFile file =
                new RandomAccessFile(transformer(FluxFolder.SECOND).toFile(), "rw")) {
            file.setLength(file.length() - 100);
        }
        assertThat(check().problems())
                .hasSize(2)
                .anySatisfy(problem -> assertThat(problem).contains(FluxFolder.FIRST, "is missing"))
                .anySatisfy(problem -> assertThat(problem).contains(FluxFolder.SECOND, "cut short"));
    }

    @Test
    void an_index_that_names_what_no_shard_has_is_refused() throws IOException {
        Path index = transformer(FluxFolder.INDEX);
        Files.writeString(
                index,
                Files.readString(index)
                        .replace("{\"weight_map\": {", "{\"weight_map\": {\"x.y\": \"" + FluxFolder.FIRST + "\","));
        assertProblems(FluxFolder.INDEX, "names 1 tensors that their shards do not have: x.y (" + FluxFolder.FIRST);
    }

    @Test
    void tensors_that_do_not_fit_the_configuration_are_named() throws IOException {
        SortedMap<String, List<Integer>> shapes = new TreeMap<>(FluxModules.tensors(FluxFolder.CONFIG));
        shapes.remove("proj_out.bias");
        shapes.put("x_embedder.weight", List.of(16, 7));
        shapes.put("extra.weight", List.of(1));
        FluxFolder.shards(folder, shapes, Dtype.BF16);
        assertThat(check().problems())
                .hasSize(3)
                .anySatisfy(problem -> assertThat(problem).contains("lacks 1 of the ", "proj_out.bias [64]"))
                .anySatisfy(problem -> assertThat(problem)
                        .contains(
                                "1 tensors differ in shape", "x_embedder.weight has shape [16, 7], expected [16, 64]"))
                .anySatisfy(problem ->
                        assertThat(problem).contains("has 1 tensors that config.json does not ask for: extra.weight"));
    }

    @Test
    void what_a_download_leaves_in_the_place_of_files_is_named() throws IOException {
        Path vae = folder.resolve("vae/diffusion_pytorch_model.safetensors");
        Files.writeString(vae, "version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 1\n");
        FluxFolder.text(folder, "tokenizer/vocab.json", "<html><body>Access denied</body></html>");
        FluxFolder.text(folder, "text_encoder_2/config.json", "<!DOCTYPE html><html></html>");
        Path clip = folder.resolve("text_encoder/model.safetensors");
        Files.delete(clip);
        Files.createSymbolicLink(clip, Path.of("../../blobs/0123"));
        Files.delete(folder.resolve("tokenizer_2/tokenizer.json"));
        assertThat(check().problems())
                .hasSize(5)
                .anySatisfy(problem -> assertThat(problem).contains(vae.toString(), "a pointer of Git LFS"))
                .anySatisfy(problem -> assertThat(problem).contains("tokenizer/vocab.json is a page in HTML"))
                .anySatisfy(problem -> assertThat(problem).contains("text_encoder_2/config.json is a page in HTML"))
                .anySatisfy(problem -> assertThat(problem)
                        .contains(clip + " is a symbolic link to ../../blobs/0123, which does not exist"))
                .anySatisfy(problem -> assertThat(problem).contains("tokenizer_2 has neither spiece.model"));
    }

    @Test
    void weights_that_are_not_computed_with_are_refused() throws IOException {
        byte[] header =
                "{\"x\":{\"dtype\":\"F8_E4M3\",\"shape\":[2],\"data_offsets\":[0,2]}}".getBytes(StandardCharsets.UTF_8);
        byte[] file = new byte[8 + header.length + 2];
        file[0] = (byte) header.length;
        System.arraycopy(header, 0, file, 8, header.length);
        Files.write(folder.resolve("vae/diffusion_pytorch_model.safetensors"), file);
        assertProblems("fp8 weights", "x F8_E4M3", "take the bfloat16 files");
        Files.write(
                folder.resolve("vae/diffusion_pytorch_model.safetensors"),
                "GGUF\003\0\0\0".getBytes(StandardCharsets.UTF_8));
        assertProblems("GGUF file");
        Files.move(
                folder.resolve("vae/diffusion_pytorch_model.safetensors"), folder.resolve("vae/flux1-kontext-Q4.gguf"));
        assertProblems("vae has no weights in safetensors", "flux1-kontext-Q4.gguf");
    }

    @Test
    void a_quantised_or_masked_variant_is_refused() throws IOException {
        Path config = transformer("config.json");
        String text = Files.readString(config);
        Files.writeString(
                config,
                text.replace(
                        "\"patch_size\"",
                        "\"quantization_config\": {\"quant_method\": \"bitsandbytes\"}, \"patch_size\""));
        assertProblems("quantization_config", "bitsandbytes");
        Files.writeString(config, text.replace("\"out_channels\": null", "\"out_channels\": 4"));
        assertProblems("out_channels=4, expected in_channels=64");
    }

    @Test
    void a_step_distilled_base_is_refused() throws IOException {
        FluxFolder.text(folder, "scheduler/scheduler_config.json", """
            {"_class_name": "FlowMatchEulerDiscreteScheduler", "use_dynamic_shifting": false, "shift": 1.0}
            """);
        assertProblems("scheduler_config.json", "step-distilled", "FLUX.1-schnell", "DiffusionNFT does not support");
    }

    @Test
    void a_directory_in_the_place_of_a_file_is_named() throws IOException {
        Files.delete(transformer("config.json"));
        Files.createDirectory(transformer("config.json"));
        assertProblems("transformer/config.json is a directory");
    }
}
