package darkroom.gpuworkers.pretrained;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.TreeSet;

/** A model folder in the layout of diffusers: {@code model_index.json} and a folder for each component. */
public final class ModelFolder {
    private final Path root;
    private final String pipeline;

    private ModelFolder(Path root, String pipeline) {
        this.root = root;
        this.pipeline = pipeline;
    }

    /**
     * Opens a folder.
     *
     * @throws IOException if it has no {@code model_index.json} that names a pipeline
     */
    public static ModelFolder open(Path root) throws IOException {
        if (!Files.isDirectory(root)) {
            throw new IOException(root + " is no directory; a model is a folder in the layout of diffusers");
        }
        ConfigFile index = ConfigFile.read(root.resolve("model_index.json"));
        String pipeline = index.text("_class_name")
                .orElseThrow(() -> new IOException(root.resolve("model_index.json") + ": _class_name is missing"));
        return new ModelFolder(root, pipeline);
    }

    /** Returns the folder. */
    public Path root() {
        return root;
    }

    /** Returns the class name of the pipeline, such as {@code FluxKontextPipeline}. */
    public String pipeline() {
        return pipeline;
    }

    /** Returns the path of a file of a component. */
    public Path file(String component, String name) {
        return root.resolve(component).resolve(name);
    }

    /**
     * Returns the weight files of a component: the shards of its index, or its one file.
     *
     * @throws IOException if there is neither, or a shard is missing
     */
    public List<Path> weights(String component) throws IOException {
        Path folder = root.resolve(component);
        for (String base : List.of("diffusion_pytorch_model", "model")) {
            Path index = folder.resolve(base + ".safetensors.index.json");
            if (Files.exists(index)) {
                TreeSet<String> shards = new TreeSet<>();
                for (JsonNode shard : ConfigFile.read(index).root().path("weight_map")) {
                    shards.add(shard.asText());
                }
                for (String shard : shards) {
                    if (!Files.isRegularFile(folder.resolve(shard))) {
                        throw new IOException("%s is missing, which %s names; download it"
                                .formatted(folder.resolve(shard), index.getFileName()));
                    }
                }
                if (shards.isEmpty()) {
                    throw new IOException(index + ": weight_map names no file");
                }
                return shards.stream().map(folder::resolve).toList();
            }
            Path single = folder.resolve(base + ".safetensors");
            if (Files.exists(single)) {
                return List.of(single);
            }
        }
        throw new IOException(folder + " has no weights: neither *.safetensors nor *.safetensors.index.json");
    }
}
