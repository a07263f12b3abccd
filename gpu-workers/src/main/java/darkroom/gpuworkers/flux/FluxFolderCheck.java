package darkroom.gpuworkers.flux;

import com.fasterxml.jackson.databind.JsonNode;
import darkroom.edittasks.pictures.FileFault;
import darkroom.gpuworkers.checkpoints.TensorDigests;
import darkroom.gpuworkers.pretrained.ComponentWeights;
import darkroom.gpuworkers.pretrained.ConfigFile;
import darkroom.gpuworkers.pretrained.FolderFiles;
import darkroom.gpuworkers.pretrained.FolderLicence;
import darkroom.gpuworkers.pretrained.MemoryPlan;
import darkroom.gpuworkers.pretrained.ModelFolder;
import darkroom.gpuworkers.pretrained.ModelReport;
import darkroom.gpuworkers.text.ClipTextEncoder;
import darkroom.gpuworkers.text.T5TextEncoder;
import darkroom.gpuworkers.vae.AutoencoderKlConfig;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/** Checks a folder of FLUX.1-Kontext whole, before anything is computed with it, and reports all that is wrong at once. */
public final class FluxFolderCheck {
    /** The pipeline class that this model has in {@code model_index.json}. */
    public static final String PIPELINE = "FluxKontextPipeline";

    private static final Map<String, String> CLASSES = new LinkedHashMap<>();

    static {
        CLASSES.put("transformer", "FluxTransformer2DModel");
        CLASSES.put("vae", "AutoencoderKL");
        CLASSES.put("text_encoder", "CLIPTextModel");
        CLASSES.put("text_encoder_2", "T5EncoderModel");
    }

    private final Path folder;
    private final FluxWorkload load;
    private final List<String> problems = new ArrayList<>();
    private final List<ModelReport.Component> components = new ArrayList<>();
    private final Map<String, ComponentWeights> weights = new LinkedHashMap<>();
    private @Nullable FluxConfig flux;

    private FluxFolderCheck(Path folder, FluxWorkload load) {
        this.folder = folder;
        this.load = load;
    }

    /**
     * Checks a folder; reads all its weights for the digest if nothing is wrong.
     *
     * @param load for the memory plans
     * @throws IOException if the weights cannot be read although their headers could
     */
    public static ModelReport check(Path folder, FluxWorkload load) throws IOException {
        return new FluxFolderCheck(folder, load).report();
    }

    private ModelReport report() throws IOException {
        String pipeline = pipeline();
        Optional<String> digest = Optional.empty();
        List<MemoryPlan> plans = List.of();
        if (pipeline.equals(PIPELINE)) {
            Map<String, ConfigFile> configs = new LinkedHashMap<>();
            for (String component : CLASSES.keySet()) {
                config(component + "/config.json").ifPresent(config -> configs.put(component, config));
                weights.put(component, ComponentWeights.read(folder.resolve(component)));
            }
            transformer(configs);
            others(configs);
            scheduler();
            tokenizer("tokenizer", List.of("vocab.json", "merges.txt"), "tokenizer.json");
            tokenizer("tokenizer_2", List.of("spiece.model"), "tokenizer.json");
            weights.forEach((component, tensors) -> {
                problems.addAll(tensors.problems());
                ConfigFile config = configs.get(component);
                components.add(new ModelReport.Component(
                        component,
                        CLASSES.getOrDefault(component, ""),
                        config == null ? "" : architecture(component, config),
                        tensors.types(),
                        tensors.parameters(),
                        tensors.bytes()));
            });
            FluxConfig transformer = flux;
            if (problems.isEmpty() && transformer != null) {
                plans = plans(transformer, configs);
            }
            if (problems.isEmpty()) {
                digest = Optional.of(digest());
            }
        }
        return new ModelReport(folder, pipeline, components, FolderLicence.of(folder), digest, plans, problems);
    }

    private String pipeline() {
        if (!Files.isDirectory(folder)) {
            problems.add(
                    folder + " is no directory; a model is a folder in the layout of diffusers, with model_index.json");
            return "";
        }
        Path index = folder.resolve("model_index.json");
        if (!Files.exists(index) && Files.isDirectory(folder.resolve("snapshots"))) {
            problems.add("%s has no model_index.json, but snapshots of a Hugging Face cache; name a folder in %s"
                    .formatted(folder, folder.resolve("snapshots")));
            return "";
        }
        Optional<ConfigFile> config = config("model_index.json");
        if (config.isEmpty()) {
            return "";
        }
        String pipeline = config.get().text("_class_name").orElse("");
        if (!pipeline.equals(PIPELINE)) {
            problems.add(
                    "%s: _class_name=%s; supported is %s. Take the folder of FLUX.1-Kontext-dev or of a model of its architecture"
                            .formatted(index, pipeline.isEmpty() ? "absent" : pipeline, PIPELINE));
            return pipeline;
        }
        CLASSES.forEach((component, type) -> expectClass(config.get(), index, component, type));
        expectClass(config.get(), index, "scheduler", "FlowMatchEulerDiscreteScheduler");
        return pipeline;
    }

    private void expectClass(ConfigFile index, Path file, String component, String type) {
        JsonNode named = index.root().path(component).path(1);
        if (!named.asText().equals(type)) {
            problems.add("%s: %s=%s, expected %s; take the folder as it was published"
                    .formatted(file, component, named.isTextual() ? named.asText() : "absent", type));
        }
    }

    private Optional<ConfigFile> config(String name) {
        Path file = folder.resolve(name);
        Optional<String> unreadable = FolderFiles.problem(file);
        if (unreadable.isPresent()) {
            problems.add(unreadable.get());
            return Optional.empty();
        }
        try {
            ConfigFile config = ConfigFile.read(file);
            if (!config.root().path("quantization_config").isMissingNode()) {
                problems.add(
                        "%s: quantization_config=%s; quantised weights are not computed with: take the bfloat16 files of the same model"
                                .formatted(file, config.root().path("quantization_config")));
            }
            return Optional.of(config);
        } catch (IOException e) {
            problems.add(named(file, e));
            return Optional.empty();
        }
    }

    private void transformer(Map<String, ConfigFile> configs) {
        if (configs.containsKey("transformer")) {
            Path file = folder.resolve("transformer/config.json");
            try {
                FluxConfig config = FluxConfig.read(file);
                flux = config;
                weights("transformer").compare(FluxModules.tensors(config));
            } catch (IOException e) {
                problems.add(named(file, e));
            }
        }
    }

    private void others(Map<String, ConfigFile> configs) throws IOException {
        ModelFolder model = ModelFolder.open(folder);
        for (String component : CLASSES.keySet()) {
            if (component.equals("transformer") || !configs.containsKey(component)) {
                continue;
            }
            Path file = folder.resolve(component).resolve("config.json");
            ComponentWeights tensors = weights(component);
            try {
                tensors.compare(
                        switch (component) {
                            case "vae" -> AutoencoderKlConfig.read(file).tensors();
                            case "text_encoder" -> ClipTextEncoder.expected(model, component, tensors.names());
                            default -> T5TextEncoder.expected(model, component, tensors.names());
                        });
            } catch (IOException e) {
                problems.add(named(file, e));
            }
        }
    }

    /** A base distilled for few steps has neither guidance nor a shift by size: its velocities do not follow the flow. */
    private void scheduler() {
        if (config("scheduler/scheduler_config.json").isEmpty()) {
            return;
        }
        Path file = folder.resolve("scheduler/scheduler_config.json");
        try {
            FlowMatchScheduler scheduler = FlowMatchScheduler.read(file);
            boolean unguided = flux != null && !flux.guidance();
            if (!scheduler.dynamic() && (unguided || scheduler.shift() == 1)) {
                problems.add(
                        "%s: use_dynamic_shifting=false, shift=%s%s: a step-distilled base, as FLUX.1-schnell is, which DiffusionNFT does not support. Take an undistilled one, such as FLUX.1-Kontext-dev"
                                .formatted(
                                        file,
                                        scheduler.shift(),
                                        unguided ? ", and guidance_embeds=false in transformer/config.json" : ""));
            }
        } catch (IOException e) {
            problems.add(named(file, e));
        }
    }

    /** Requires either of the two forms of a tokenizer, whose files are whole. */
    private void tokenizer(String component, List<String> sources, String compiled) {
        Path directory = folder.resolve(component);
        List<Path> present = sources.stream()
                .map(directory::resolve)
                .filter(FluxFolderCheck::there)
                .toList();
        boolean whole = there(directory.resolve(compiled));
        if (!whole && present.size() < sources.size()) {
            problems.add("%s has neither %s nor %s; download it"
                    .formatted(directory, String.join(" and ", sources), compiled));
        }
        List<Path> files = new ArrayList<>(present);
        if (whole) {
            files.add(directory.resolve(compiled));
        }
        files.forEach(file -> FolderFiles.problem(file).ifPresent(problems::add));
    }

    private static boolean there(Path file) {
        return Files.exists(file) || Files.isSymbolicLink(file);
    }

    private String architecture(String component, ConfigFile config) {
        JsonNode root = config.root();
        FluxConfig transformer = flux;
        return switch (component) {
            case "transformer" ->
                transformer == null
                        ? ""
                        : "%d double and %d single blocks, %d heads x %d = width %d, %d latent channels, prompts of width %d, %s"
                                .formatted(
                                        transformer.doubleBlocks(),
                                        transformer.singleBlocks(),
                                        transformer.heads(),
                                        transformer.headDim(),
                                        transformer.dim(),
                                        transformer.latentChannels(),
                                        transformer.promptDim(),
                                        transformer.guidance() ? "embedded guidance" : "no guidance");
            case "vae" ->
                "channels %s, %s latent channels, scaling %s, shift %s"
                        .formatted(
                                root.path("block_out_channels"),
                                root.path("latent_channels"),
                                root.path("scaling_factor"),
                                root.path("shift_factor"));
            case "text_encoder" ->
                "%s layers, %s heads, width %s"
                        .formatted(
                                root.path("num_hidden_layers"),
                                root.path("num_attention_heads"),
                                root.path("hidden_size"));
            default ->
                "%s layers, %s heads, width %s"
                        .formatted(root.path("num_layers"), root.path("num_heads"), root.path("d_model"));
        };
    }

    private List<MemoryPlan> plans(FluxConfig config, Map<String, ConfigFile> configs) {
        JsonNode vae = Objects.requireNonNull(configs.get("vae")).root().path("block_out_channels");
        int width = Math.max(vae.path(0).asInt(), vae.path(1).asInt());
        JsonNode t5 = Objects.requireNonNull(configs.get("text_encoder_2")).root();
        FluxMemory memory = new FluxMemory(config, load, weights("transformer").bytes(), valueBytes("transformer"));
        return List.of(
                memory.rollout(weights("vae").bytes(), width),
                memory.trainer(),
                memory.encoder(
                        weights("text_encoder").bytes()
                                + weights("text_encoder_2").bytes()
                                + weights("vae").bytes(),
                        valueBytes("text_encoder_2"),
                        t5.path("d_ff").asInt(),
                        t5.path("num_heads").asInt(),
                        width));
    }

    private ComponentWeights weights(String component) {
        return Objects.requireNonNull(weights.get(component));
    }

    private int valueBytes(String component) {
        return weights(component).types().stream().anyMatch(type -> type.equals("F32") || type.equals("F64"))
                ? Float.BYTES
                : Short.BYTES;
    }

    /** SHA-256 of one line for each component: its name and the digest of its tensors. */
    private String digest() throws IOException {
        StringBuilder lines = new StringBuilder();
        for (String component : CLASSES.keySet()) {
            lines.append(component)
                    .append(' ')
                    .append(weights(component).digest())
                    .append('\n');
        }
        return TensorDigests.of(MemorySegment.ofArray(lines.toString().getBytes(StandardCharsets.UTF_8)));
    }

    private static String named(Path file, IOException e) {
        String reason = FileFault.reason(e);
        return reason.contains(file.toString()) ? reason : file + ": " + reason;
    }
}
