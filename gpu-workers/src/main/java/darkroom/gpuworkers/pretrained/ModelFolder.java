package darkroom.gpuworkers.pretrained;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.FileVisitOption;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.Comparator;
import java.util.HexFormat;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Stream;

/** A model folder in the layout of diffusers: {@code model_index.json} and a folder for each component. */
public final class ModelFolder {
    private static final String INDEX = "model_index.json";
    private static final Set<String> COMPONENTS =
            Set.of("transformer", "vae", "text_encoder", "text_encoder_2", "tokenizer", "tokenizer_2", "scheduler");

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
        ConfigFile index = ConfigFile.read(root.resolve(INDEX));
        String pipeline = index.text("_class_name")
                .orElseThrow(() -> new IOException(root.resolve(INDEX) + ": _class_name is missing"));
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

    /**
     * Returns the SHA-256 of everything that a model is computed from, in hexadecimal: of the names and the SHA-256 of all
     * configurations, tokenizer files and weights, in the order of their paths.
     *
     * @throws IOException naming a file that cannot be read
     */
    public String sha256() throws IOException {
        MessageDigest digest = sha();
        List<Path> files;
        try (Stream<Path> all = Files.walk(root, 2, FileVisitOption.FOLLOW_LINKS)) {
            files = all.filter(file -> Files.isRegularFile(file) && isPartOfTheModel(root.relativize(file)))
                    .sorted(Comparator.comparing(file -> root.relativize(file).toString()))
                    .toList();
        }
        for (Path file : files) {
            MessageDigest content = sha();
            try (InputStream in = Files.newInputStream(file)) {
                byte[] part = new byte[1 << 20];
                for (int count = in.read(part); count >= 0; count = in.read(part)) {
                    content.update(part, 0, count);
                }
            }
            digest.update((root.relativize(file) + "\n" + HexFormat.of().formatHex(content.digest()) + "\n")
                    .getBytes(StandardCharsets.UTF_8));
        }
        return HexFormat.of().formatHex(digest.digest());
    }

    private static boolean isPartOfTheModel(Path file) {
        String name = file.getFileName().toString();
        return file.getNameCount() == 1
                ? name.equals(INDEX)
                : COMPONENTS.contains(file.getName(0).toString())
                        && (name.endsWith(".json")
                                || name.endsWith(".safetensors")
                                || name.endsWith(".model")
                                || name.equals("merges.txt"));
    }

    private static MessageDigest sha() {
        try {
            return MessageDigest.getInstance("SHA-256");
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException(e);
        }
    }
}
