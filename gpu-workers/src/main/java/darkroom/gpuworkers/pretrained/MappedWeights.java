package darkroom.gpuworkers.pretrained;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import darkroom.gpuworkers.checkpoints.Safetensors;
import darkroom.gpuworkers.torchscript.TorchModule;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.function.Predicate;

/**
 * Tensors of safetensors files as PyTorch tensors that share the pages of the files: nothing is read before its first use, and
 * nothing is copied, on the Java heap or elsewhere.
 *
 * <p>{@code torch.from_file} maps a file once for each element type, privately, so that several processes of a machine share
 * one copy in the page cache; every tensor is a view. Thread-confined, as {@link TorchModule}.
 */
public final class MappedWeights implements AutoCloseable {
    private static final String TO_BF16 = """
        def to_bf16(x: Tensor) -> Tensor:
            return x.to(%d)
        """.formatted(scalarType(Safetensors.Dtype.BF16));

    private final TorchModule module;
    private final NDManager owned;
    private final SortedMap<String, NDArray> arrays = new TreeMap<>();

    private MappedWeights(TorchModule module) {
        this.module = module;
        this.owned = module.scope();
    }

    /**
     * Maps all floating-point tensors of the files.
     *
     * @param files of one component; names are unique across them
     * @throws IOException if a file is no valid safetensors file
     */
    public static MappedWeights of(List<Path> files) throws IOException {
        StringBuilder source = new StringBuilder(TO_BF16);
        Map<String, List<String>> functions = new LinkedHashMap<>();
        for (Path file : files) {
            try (Safetensors tensors = Safetensors.open(file)) {
                for (Safetensors.Dtype dtype : List.of(
                        Safetensors.Dtype.F32, Safetensors.Dtype.BF16, Safetensors.Dtype.F16, Safetensors.Dtype.F64)) {
                    List<Safetensors.Entry> entries = tensors.entries().stream()
                            .filter(entry -> entry.dtype() == dtype)
                            .toList();
                    if (!entries.isEmpty()) {
                        String function = "tensors" + functions.size();
                        source.append(function(function, tensors, dtype, entries));
                        functions.put(
                                function,
                                entries.stream().map(Safetensors.Entry::name).toList());
                    }
                }
            }
        }
        MappedWeights weights = new MappedWeights(new TorchModule(source.toString()));
        functions.forEach((function, names) -> {
            NDList list = weights.module.call(weights.owned, function, new NDList());
            for (int i = 0; i < names.size(); i++) {
                list.get(i).setName("w." + names.get(i));
                weights.arrays.put(names.get(i), list.get(i));
            }
        });
        return weights;
    }

    /** Converts all tensors to bfloat16, in memory of their own; those that are bfloat16 already stay mapped. */
    public MappedWeights toBf16() {
        arrays.replaceAll((name, array) -> {
            array.setName(null); // a named array would be an element of a dictionary
            NDArray converted = module.call(owned, "to_bf16", array).get(0);
            converted.setName("w." + name);
            return converted;
        });
        return this;
    }

    private static String function(
            String name, Safetensors file, Safetensors.Dtype dtype, List<Safetensors.Entry> entries)
            throws IOException {
        long elements = Files.size(file.file()) / dtype.bytes();
        List<String> views = new ArrayList<>();
        for (Safetensors.Entry entry : entries) {
            long begin = file.dataBegin() + entry.begin();
            if (begin % dtype.bytes() != 0) {
                throw new IOException(
                        "%s: tensor %s begins at byte %d, which is no multiple of its element size %d; save the file again with safetensors"
                                .formatted(file.file(), entry.name(), begin, dtype.bytes()));
            }
            views.add("f.narrow(0, %d, %d).view(%s)".formatted(begin / dtype.bytes(), entry.elements(), entry.shape()));
        }
        return """
            def %s() -> List[Tensor]:
                f = torch.from_file(%s, False, %d, dtype=%d)
                return [%s]
            """.formatted(
                        name,
                        literal(file.file().toAbsolutePath().toString()),
                        elements,
                        scalarType(dtype),
                        String.join(", ", views));
    }

    /** Returns PyTorch's number of an element type: c10/core/ScalarType.h. */
    private static int scalarType(Safetensors.Dtype dtype) {
        return switch (dtype) {
            case U8 -> 0;
            case I64 -> 4;
            case F16 -> 5;
            case F32 -> 6;
            case F64 -> 7;
            case BF16 -> 15;
            case OTHER -> throw new IllegalArgumentException("no element type of PyTorch");
        };
    }

    private static String literal(String text) {
        StringBuilder literal = new StringBuilder("\"");
        text.chars().forEach(c -> {
            if (c == '"' || c == '\\') {
                literal.append('\\');
            }
            literal.append((char) c);
        });
        return literal.append('"').toString();
    }

    /** Returns the tensors whose name fulfils {@code wanted}, as an argument of type {@code Dict[str, Tensor]}. */
    public NDList dictionary(Predicate<String> wanted) {
        NDList list = new NDList();
        arrays.forEach((name, array) -> {
            if (wanted.test(name)) {
                list.add(array);
            }
        });
        return list;
    }

    /** Returns all tensors by name. */
    public SortedMap<String, NDArray> arrays() {
        return Collections.unmodifiableSortedMap(arrays);
    }

    @Override
    public void close() {
        owned.close();
        module.close();
    }
}
