package darkroom.gpuworkers.lora;

import darkroom.gpuworkers.checkpoints.FlatLayout;
import darkroom.gpuworkers.checkpoints.Safetensors;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;

/** Reads adapters of one model: every tensor of a file is matched with a module, or the file is refused. */
final class LoraImport {
    private static final String PEFT_WEIGHTS = "adapter_model.safetensors";
    private static final String DIFFUSERS_WEIGHTS = "pytorch_lora_weights.safetensors";
    private static final String CONFIG = "adapter_config.json";
    private static final String METADATA = "lora_adapter_metadata";

    /** Limit on names of one kind in a message; the rest is counted. */
    private static final int NAMED_MAX = 3;

    private final LoraTargets targets;
    private final LoraTensorName.Reader names;
    private final List<String> problems = new ArrayList<>();

    LoraImport(LoraTargets targets) {
        this.targets = targets;
        this.names = new LoraTensorName.Reader(targets);
    }

    /** Factors of a module: A [rank, in], B [out, rank]. */
    @SuppressWarnings("ArrayRecordComponent") // a carrier of weights, never compared
    private record Factors(int rank, float[] a, float[] b, double scale) {}

    LoraFile read(Path path) throws IOException {
        Path file = file(path);
        try (Safetensors tensors = Safetensors.open(file)) {
            SortedMap<String, Map<LoraTensorName.Role, Safetensors.Entry>> groups = matched(tensors);
            Optional<LoraScales> scales = scales(file, tensors);
            SortedMap<String, Factors> factors = new TreeMap<>();
            groups.forEach((module, parts) -> {
                try {
                    read(tensors, module, parts, scales, factors);
                } catch (IOException e) {
                    problems.add(message(e));
                }
            });
            if (!problems.isEmpty()) {
                throw new IOException("%s does not fit the model, and none of it is applied: %s"
                        .formatted(file, listed("; ", problems)));
            }
            return assembled(factors);
        }
    }

    private static Path file(Path path) throws IOException {
        if (Files.isDirectory(path)) {
            for (String name : List.of(PEFT_WEIGHTS, DIFFUSERS_WEIGHTS)) {
                if (Files.exists(path.resolve(name))) {
                    return path.resolve(name);
                }
            }
            throw new IOException(
                    "%s has no adapter: neither %s nor %s; name the file itself, and convert one of torch.save with"
                                    .formatted(path, PEFT_WEIGHTS, DIFFUSERS_WEIGHTS)
                            + " safetensors.torch.save_file");
        }
        if (!Files.exists(path)) {
            throw new IOException(path + " does not exist; name a safetensors file or a folder that PEFT wrote");
        }
        return path;
    }

    private static Optional<LoraScales> scales(Path file, Safetensors tensors) throws IOException {
        Path name = file.getFileName();
        if (name != null && name.toString().equals(PEFT_WEIGHTS)) {
            Path config = file.resolveSibling(CONFIG);
            if (!Files.exists(config)) {
                throw new IOException("%s is missing, which states alpha and rank of %s; copy it from the same place"
                        .formatted(config, PEFT_WEIGHTS));
            }
            return Optional.of(LoraScales.of(config.toString(), "", Files.readString(config)));
        }
        String metadata = tensors.metadata().get(METADATA);
        return metadata == null
                ? Optional.empty()
                : Optional.of(LoraScales.of(file + ": " + METADATA, "transformer.", metadata));
    }

    private SortedMap<String, Map<LoraTensorName.Role, Safetensors.Entry>> matched(Safetensors tensors)
            throws IOException {
        SortedMap<String, Map<LoraTensorName.Role, Safetensors.Entry>> groups = new TreeMap<>();
        List<String> unmatched = new ArrayList<>();
        List<String> repeated = new ArrayList<>();
        for (Safetensors.Entry entry : tensors.entries()) {
            Optional<LoraTensorName> name = names.read(entry.name());
            if (name.isEmpty() || targets.meant(name.get().module()).isEmpty()) {
                unmatched.add(entry.name());
                continue;
            }
            Safetensors.Entry other = groups.computeIfAbsent(
                            name.get().module(), _ -> new EnumMap<>(LoraTensorName.Role.class))
                    .put(name.get().role(), entry);
            if (other != null) {
                repeated.add("\"%s\" and \"%s\"".formatted(other.name(), entry.name()));
            }
        }
        int count = tensors.entries().size();
        if (groups.isEmpty()) {
            throw new IOException(
                    "%s: 0 of %d tensors applied: none is a factor of an adapter of a module of this model, such as %s.lora_A.weight; it has %s. Take an adapter of this model"
                            .formatted(
                                    tensors.file(),
                                    count,
                                    targets.modules().firstKey(),
                                    count == 0 ? "none" : listed(", ", unmatched)));
        }
        if (!unmatched.isEmpty()) {
            problems.add(
                    "%d of %d tensors match no module that takes adapters (%s); remove them, or take an adapter of this model's linear modules"
                            .formatted(unmatched.size(), count, listed(", ", unmatched)));
        }
        if (!repeated.isEmpty()) {
            problems.add(
                    "%d factors are there twice (%s); keep one".formatted(repeated.size(), listed(", ", repeated)));
        }
        return groups;
    }

    private void read(
            Safetensors file,
            String name,
            Map<LoraTensorName.Role, Safetensors.Entry> parts,
            Optional<LoraScales> scales,
            SortedMap<String, Factors> factors)
            throws IOException {
        Safetensors.Entry down = parts.get(LoraTensorName.Role.A);
        Safetensors.Entry up = parts.get(LoraTensorName.Role.B);
        if (down == null || up == null) {
            throw new IOException("%s has no factor %s; a factor cannot be applied without its partner"
                    .formatted(name, down == null ? "A (lora_A, lora_down)" : "B (lora_B, lora_up)"));
        }
        List<String> modules = targets.meant(name);
        int in = targets.size(modules.getFirst()).in();
        int out =
                modules.stream().mapToInt(module -> targets.size(module).out()).sum();
        if (down.shape().size() != 2 || down.shape().get(0) < 1 || down.shape().get(1) != in) {
            throw new IOException("\"%s\" has shape %s, expected [rank, %d]; take an adapter of this model"
                    .formatted(down.name(), down.shape(), in));
        }
        int rank = down.shape().getFirst();
        if (!up.shape().equals(List.of(out, rank))) {
            throw new IOException("\"%s\" has shape %s, expected %s; take an adapter of this model"
                    .formatted(up.name(), up.shape(), List.of(out, rank)));
        }
        double scale = scale(file, name, parts.get(LoraTensorName.Role.ALPHA), scales, rank);
        float[] a = finite(file, down);
        float[] b = finite(file, up);
        LoraTargets.Fused fused = targets.foreign().get(name);
        if (fused != null && fused.swapped()) {
            b = swapped(b);
        }
        int[] owners = owners(modules, b, rank);
        int row = 0;
        for (int i = 0; i < modules.size(); i++) {
            int rows = targets.size(modules.get(i)).out();
            int part = i;
            int[] columns = IntStream.range(0, rank)
                    .filter(column -> owners.length == 0 || owners[column] == part)
                    .toArray();
            if (columns.length > 0) {
                float[] partA = new float[columns.length * in];
                float[] partB = new float[rows * columns.length];
                for (int c = 0; c < columns.length; c++) {
                    System.arraycopy(a, columns[c] * in, partA, c * in, in);
                    for (int r = 0; r < rows; r++) {
                        partB[r * columns.length + c] = b[(row + r) * rank + columns[c]];
                    }
                }
                if (factors.put(modules.get(i), new Factors(columns.length, partA, partB, scale)) != null) {
                    throw new IOException(
                            "%s is there twice, fused with others and by itself; keep one".formatted(modules.get(i)));
                }
            }
            row += rows;
        }
    }

    private static float[] swapped(float[] b) {
        float[] swapped = new float[b.length];
        int half = b.length / 2;
        System.arraycopy(b, half, swapped, 0, half);
        System.arraycopy(b, 0, swapped, half, half);
        return swapped;
    }

    /**
     * Returns for each rank of fused factors the one module that it reaches, where B lies on the diagonal: such factors were
     * fused by concatenation, and each module gets its own back. Empty where a rank reaches several modules, which then all
     * get the whole of A. A rank that reaches none belongs to the module of the rank before.
     */
    private int[] owners(List<String> modules, float[] b, int rank) {
        int[] owners = new int[rank];
        Arrays.fill(owners, -1);
        int row = 0;
        for (int i = 0; i < modules.size(); i++) {
            int rows = targets.size(modules.get(i)).out();
            for (int column = 0; column < rank; column++) {
                if (owners[column] != i && reaches(b, row, rows, rank, column)) {
                    if (owners[column] >= 0) {
                        return new int[0];
                    }
                    owners[column] = i;
                }
            }
            row += rows;
        }
        if (Arrays.stream(owners).allMatch(owner -> owner < 0)) {
            return new int[0];
        }
        for (int column = 1; column < rank; column++) {
            owners[column] = owners[column] < 0 ? owners[column - 1] : owners[column];
        }
        for (int column = rank - 2; column >= 0; column--) {
            owners[column] = owners[column] < 0 ? owners[column + 1] : owners[column];
        }
        return owners;
    }

    private static boolean reaches(float[] b, int row, int rows, int rank, int column) {
        for (int r = row; r < row + rows; r++) {
            if (b[r * rank + column] != 0) {
                return true;
            }
        }
        return false;
    }

    private static double scale(
            Safetensors file, String name, Safetensors.@Nullable Entry alpha, Optional<LoraScales> scales, int rank)
            throws IOException {
        if (alpha == null) {
            return scales.isPresent() ? scales.get().scale(name, rank) : 1;
        }
        double[] values = file.doubles(alpha.name());
        if (values.length != 1 || !Double.isFinite(values[0])) {
            throw new IOException("\"%s\" has shape %s and values %s, expected one finite number"
                    .formatted(alpha.name(), alpha.shape(), Arrays.toString(values)));
        }
        return values[0] / rank;
    }

    private static float[] finite(Safetensors file, Safetensors.Entry entry) throws IOException {
        float[] values = file.floats(entry.name());
        for (int i = 0; i < values.length; i++) {
            if (!Float.isFinite(values[i])) {
                throw new IOException(
                        "\"%s\": value %d is %s; the adapter is damaged".formatted(entry.name(), i, values[i]));
            }
        }
        return values;
    }

    private static LoraFile assembled(SortedMap<String, Factors> factors) {
        double[] scales =
                factors.values().stream().mapToDouble(Factors::scale).distinct().toArray();
        boolean same = scales.length == 1;
        FlatLayout.Builder builder = new FlatLayout.Builder();
        factors.forEach((module, f) -> builder.add(module + LoraFile.A, f.rank(), f.a().length / f.rank())
                .add(module + LoraFile.B, f.b().length / f.rank(), f.rank()));
        FlatLayout layout = builder.build();
        float[] flat = new float[layout.size()];
        factors.forEach((module, f) -> {
            System.arraycopy(f.a(), 0, flat, layout.entry(module + LoraFile.A).offset(), f.a().length);
            int offset = layout.entry(module + LoraFile.B).offset();
            for (int i = 0; i < f.b().length; i++) {
                flat[offset + i] = same ? f.b()[i] : (float) (f.b()[i] * f.scale());
            }
        });
        return new LoraFile(layout, flat, same ? scales[0] : 1);
    }

    private static String listed(String separator, List<String> all) {
        String first = String.join(separator, all.subList(0, Math.min(NAMED_MAX, all.size())));
        return all.size() <= NAMED_MAX ? first : "%s and %d more".formatted(first, all.size() - NAMED_MAX);
    }

    private static String message(IOException e) {
        return e.getMessage() == null ? e.toString() : e.getMessage();
    }
}
