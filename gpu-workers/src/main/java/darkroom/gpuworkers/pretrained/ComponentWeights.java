package darkroom.gpuworkers.pretrained;

import com.fasterxml.jackson.databind.JsonNode;
import darkroom.edittasks.pictures.FileFault;
import darkroom.gpuworkers.checkpoints.Safetensors;
import darkroom.gpuworkers.checkpoints.TensorDigests;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.SortedMap;
import java.util.SortedSet;
import java.util.TreeMap;
import java.util.TreeSet;

/** The tensors of one component of a model folder, read from the headers of its files, with everything that is wrong. */
public final class ComponentWeights {
    private static final String SUFFIX = ".safetensors";

    private final Path folder;
    private final SortedMap<String, Tensor> tensors = new TreeMap<>();
    private final List<String> problems = new ArrayList<>();
    private boolean complete = true;

    private ComponentWeights(Path folder) {
        this.folder = folder;
    }

    private record Tensor(Path file, Safetensors.Entry entry) {}

    /** Reads the headers of all weight files of a component. */
    public static ComponentWeights read(Path folder) {
        ComponentWeights weights = new ComponentWeights(folder);
        if (!Files.isDirectory(folder)) {
            weights.damaged(folder + " is missing; a model folder has a folder for each component: download it again");
            return weights;
        }
        for (String base : List.of("diffusion_pytorch_model", "model")) {
            Path index = folder.resolve(base + SUFFIX + ".index.json");
            if (there(index)) {
                weights.shards(index);
                return weights;
            }
            Path single = folder.resolve(base + SUFFIX);
            if (there(single)) {
                weights.open(single);
                return weights;
            }
        }
        weights.damaged(
                "%s has no weights in safetensors: no diffusion_pytorch_model.safetensors, model.safetensors or index of shards; %s. Download the safetensors files of the layout of diffusers, not GGUF, .bin or one file for another program"
                        .formatted(folder, FolderFiles.present(folder)));
        return weights;
    }

    private static boolean there(Path file) {
        return Files.exists(file) || Files.isSymbolicLink(file);
    }

    private void shards(Path index) {
        Optional<String> unreadable = FolderFiles.problem(index);
        if (unreadable.isPresent()) {
            damaged(unreadable.get());
            return;
        }
        SortedMap<String, SortedSet<String>> named = new TreeMap<>();
        try {
            for (Map.Entry<String, JsonNode> entry :
                    ConfigFile.read(index).root().path("weight_map").properties()) {
                named.computeIfAbsent(entry.getValue().asText(), _ -> new TreeSet<>())
                        .add(entry.getKey());
            }
        } catch (IOException e) {
            damaged(FileFault.reason(e));
            return;
        }
        if (named.isEmpty()) {
            damaged(index + ": weight_map names no file; download it again");
        }
        List<String> absent = new ArrayList<>();
        named.forEach((shard, names) -> {
            if (shard.contains("/") || !shard.endsWith(SUFFIX)) {
                damaged("%s names the shard \"%s\", expected a safetensors file beside it; download it again"
                        .formatted(index, shard));
            } else if (open(folder.resolve(shard))) {
                names.stream()
                        .filter(name -> !tensors.containsKey(name))
                        .forEach(name -> absent.add("%s (%s)".formatted(name, shard)));
            }
        });
        if (!absent.isEmpty()) {
            damaged(
                    "%s names %d tensors that their shards do not have: %s; index and shards are of different downloads: download both again"
                            .formatted(index, absent.size(), FolderFiles.listed(absent)));
        }
    }

    /** Returns whether the file could be read. */
    private boolean open(Path file) {
        Optional<String> unreadable = FolderFiles.problem(file);
        if (unreadable.isPresent()) {
            damaged(unreadable.get());
            return false;
        }
        try (Safetensors opened = Safetensors.open(file)) {
            List<String> foreign = new ArrayList<>();
            boolean eight = false;
            for (Safetensors.Entry entry : opened.entries()) {
                Tensor other = tensors.put(entry.name(), new Tensor(file, entry));
                if (other != null) {
                    damaged("tensor %s is in %s and in %s; download both again"
                            .formatted(entry.name(), other.file().getFileName(), file));
                }
                switch (entry.dtype()) {
                    case F32, F16, BF16, F64, I64 -> {}
                    case U8, OTHER -> {
                        eight |= entry.type().startsWith("F8");
                        foreign.add("%s %s".formatted(entry.name(), entry.type()));
                    }
                }
            }
            if (!foreign.isEmpty()) {
                damaged("%s has %s (%d tensors: %s); take the bfloat16 files of the same model"
                        .formatted(
                                file,
                                eight
                                        ? "fp8 weights, which are not computed with"
                                        : "weights that are quantised or no numbers",
                                foreign.size(),
                                FolderFiles.listed(foreign)));
            }
            return true;
        } catch (IOException e) {
            damaged(FileFault.reason(e) + "; download the file again");
            return false;
        }
    }

    private void damaged(String problem) {
        complete = false;
        problems.add(problem);
    }

    /** Returns the names of all tensors, sorted. */
    public Set<String> names() {
        return Collections.unmodifiableSet(tensors.keySet());
    }

    /**
     * Compares names and shapes with those that a configuration asks for, and no others. Without all files nothing is compared.
     *
     * @param expected shapes by name
     */
    public void compare(SortedMap<String, List<Integer>> expected) {
        if (!complete) {
            return;
        }
        ExpectedTensors all = new ExpectedTensors();
        expected.forEach((name, shape) ->
                all.tensor(name, shape.stream().mapToLong(Integer::longValue).toArray()));
        compare(all);
        List<String> unknown = tensors.keySet().stream()
                .filter(name -> !expected.containsKey(name))
                .toList();
        if (!unknown.isEmpty()) {
            problems.add(
                    "%s has %d tensors that config.json does not ask for: %s; take weights and config.json of one model"
                            .formatted(folder, unknown.size(), FolderFiles.listed(unknown)));
        }
    }

    /** Compares names and shapes; further tensors are ignored. Without all files nothing is compared. */
    public void compare(ExpectedTensors expected) {
        if (!complete) {
            return;
        }
        List<String> missing = new ArrayList<>();
        List<String> shaped = new ArrayList<>();
        expected.shapes().forEach((name, shape) -> {
            Tensor tensor = tensors.get(name);
            if (tensor == null) {
                missing.add("%s %s".formatted(name, shape));
            } else if (!tensor.entry().shape().stream()
                    .map(Integer::longValue)
                    .toList()
                    .equals(shape)) {
                shaped.add("%s has shape %s, expected %s"
                        .formatted(name, tensor.entry().shape(), shape));
            }
        });
        if (!missing.isEmpty()) {
            problems.add(
                    "%s lacks %d of the %d tensors that config.json asks for: %s; take weights and config.json of one model"
                            .formatted(folder, missing.size(), expected.shapes().size(), FolderFiles.listed(missing)));
        }
        if (!shaped.isEmpty()) {
            problems.add(
                    "%s: %d tensors differ in shape from config.json: %s; take weights and config.json of one model"
                            .formatted(folder, shaped.size(), FolderFiles.listed(shaped)));
        }
    }

    /** Returns everything that is wrong, each with the file and what to do. */
    public List<String> problems() {
        return List.copyOf(problems);
    }

    /** Returns the number of values. */
    public long parameters() {
        return tensors.values().stream()
                .mapToLong(tensor -> tensor.entry().elements())
                .sum();
    }

    /** Returns the bytes of all tensors. */
    public long bytes() {
        return tensors.values().stream()
                .mapToLong(tensor -> tensor.entry().bytes())
                .sum();
    }

    /** Returns the element types, as safetensors names them, sorted. */
    public List<String> types() {
        return tensors.values().stream()
                .map(tensor -> tensor.entry().type())
                .distinct()
                .sorted()
                .toList();
    }

    /**
     * Returns the SHA-256 of the lines {@code NAME TYPE SHAPE SHA-256-OF-THE-BYTES}, sorted by name and each ended by a line
     * feed: equal for equal tensors, however they are divided into files. Reads all bytes.
     *
     * @throws IOException if a file cannot be read
     */
    public String digest() throws IOException {
        SortedMap<String, String> lines = new TreeMap<>();
        SortedSet<Path> files = new TreeSet<>();
        tensors.values().forEach(tensor -> files.add(tensor.file()));
        for (Path file : files) {
            try (Safetensors opened = Safetensors.open(file)) {
                for (Safetensors.Entry entry : opened.entries()) {
                    lines.put(
                            entry.name(),
                            "%s %s %s %s\n"
                                    .formatted(
                                            entry.name(),
                                            entry.type(),
                                            entry.shape(),
                                            TensorDigests.of(opened.bytes(entry.name()))));
                }
            }
        }
        return TensorDigests.of(
                MemorySegment.ofArray(String.join("", lines.values()).getBytes(StandardCharsets.UTF_8)));
    }
}
