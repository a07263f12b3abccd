package darkroom.gpuworkers.flux;

import darkroom.gpuworkers.checkpoints.FlatLayout;
import darkroom.gpuworkers.checkpoints.Safetensors;
import darkroom.gpuworkers.lora.LoraFile;
import darkroom.gpuworkers.pretrained.ModelFolder;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.stream.Stream;

/**
 * Writes a transformer with adapters merged into its weights, as a folder that diffusers loads: same files, names and element
 * types as the base, tensor by tensor, so that no more than one tensor is in memory.
 */
public final class FluxMerge {
    private static final String WEIGHT = ".weight";
    private static final ValueLayout.OfFloat FLOAT =
            ValueLayout.JAVA_FLOAT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

    private final LoraFile adapters;
    private long changed;

    private FluxMerge(LoraFile adapters) {
        this.adapters = adapters;
    }

    /**
     * Writes a folder that appears when it is complete. A weight to which the adapters add exactly 0 keeps its bytes.
     *
     * @param base a model folder
     * @param into does not exist, or is empty
     * @return the number of values that differ from the base
     * @throws IOException naming what cannot be read or written; also where the adapters are not 0 and yet change nothing in
     *     the base's element type
     */
    public static long write(ModelFolder base, LoraFile adapters, Path into) throws IOException {
        Path folder = into.toAbsolutePath();
        if (Files.exists(folder) && !isEmptyDirectory(folder)) {
            throw new IOException(into + " exists; name a folder that does not exist");
        }
        Path partial = folder.resolveSibling(folder.getFileName() + ".partial");
        delete(partial);
        FluxMerge merge = new FluxMerge(adapters);
        try {
            Files.createDirectories(partial);
            merge.shards(base, partial);
            boolean nothing = true;
            for (String name : adapters.layout().entries().keySet()) {
                nothing &= !name.endsWith("lora_B.weight") || isZero(adapters, name);
            }
            if (merge.changed == 0 && !nothing) {
                throw new IOException(
                        "the adapters change no value of the base in its element type: they are too small; nothing is"
                                + " written");
            }
            Files.deleteIfExists(folder);
            Files.move(partial, folder);
            return merge.changed;
        } catch (IOException | RuntimeException e) {
            try {
                delete(partial);
            } catch (IOException second) {
                e.addSuppressed(second);
            }
            throw e;
        }
    }

    private static boolean isZero(LoraFile adapters, String name) {
        FlatLayout.Entry entry = adapters.layout().entry(name);
        for (int i = entry.offset(); i < entry.offset() + entry.size(); i++) {
            if (adapters.flat()[i] != 0) {
                return false;
            }
        }
        return true;
    }

    private void shards(ModelFolder base, Path into) throws IOException {
        Path index = base.file("transformer", "diffusion_pytorch_model.safetensors.index.json");
        Path config = base.file("transformer", "config.json");
        for (Path file : List.of(index, config)) {
            if (Files.exists(file)) {
                Files.copy(file, into.resolve(file.getFileName()), StandardCopyOption.REPLACE_EXISTING);
            }
        }
        for (Path shard : base.weights("transformer")) {
            try (Safetensors from = Safetensors.open(shard)) {
                List<Safetensors.Tensor> tensors = new ArrayList<>();
                for (Safetensors.Entry entry : from.entries()) {
                    tensors.add(new Safetensors.Tensor(
                            entry.name(), entry.dtype(), entry.shape(), () -> merged(from, entry)));
                }
                Safetensors.write(into.resolve(shard.getFileName()), from.metadata(), tensors);
            }
        }
    }

    private MemorySegment merged(Safetensors from, Safetensors.Entry entry) {
        try {
            MemorySegment bytes = from.bytes(entry.name());
            String module = entry.name().endsWith(WEIGHT)
                    ? entry.name().substring(0, entry.name().length() - WEIGHT.length())
                    : "";
            return adapters.adapts(module) ? sum(from, entry, bytes, module) : bytes;
        } catch (IOException e) {
            throw new IllegalStateException("a tensor of an open file is not there", e);
        }
    }

    private MemorySegment sum(Safetensors from, Safetensors.Entry entry, MemorySegment bytes, String module)
            throws IOException {
        int rank = adapters.rank(module);
        int out = entry.shape().get(0);
        int in = entry.shape().get(1);
        float[] a = adapters.a(module);
        float[] b = adapters.b(module);
        float[] row = new float[in];
        MemorySegment floats =
                MemorySegment.ofArray(new byte[Math.multiplyExact(Float.BYTES, Math.multiplyExact(out, in))]);
        from.copyFloats(entry.name(), floats);
        boolean[] kept = new boolean[Math.multiplyExact(out, in)];
        for (int o = 0; o < out; o++) {
            Arrays.fill(row, 0);
            for (int r = 0; r < rank; r++) {
                float factor = (float) (b[o * rank + r] * adapters.scale());
                for (int i = 0; i < in; i++) {
                    row[i] += factor * a[r * in + i];
                }
            }
            for (int i = 0; i < in; i++) {
                long at = ((long) o * in + i) * Float.BYTES;
                kept[o * in + i] = row[i] == 0;
                floats.set(FLOAT, at, floats.get(FLOAT, at) + row[i]);
            }
        }
        MemorySegment encoded = Safetensors.encode(entry.dtype(), floats);
        int size = entry.dtype().bytes();
        for (int i = 0; i < kept.length; i++) {
            long at = (long) i * size;
            if (kept[i]) {
                MemorySegment.copy(bytes, at, encoded, at, size);
            } else if (MemorySegment.mismatch(bytes, at, at + size, encoded, at, at + size) >= 0) {
                changed++;
            }
        }
        return encoded;
    }

    private static boolean isEmptyDirectory(Path folder) throws IOException {
        if (!Files.isDirectory(folder)) {
            return false;
        }
        try (Stream<Path> all = Files.list(folder)) {
            return all.findAny().isEmpty();
        }
    }

    private static void delete(Path folder) throws IOException {
        if (!Files.exists(folder)) {
            return;
        }
        try (Stream<Path> all = Files.walk(folder)) {
            for (Path path : all.sorted(Comparator.reverseOrder()).toList()) {
                Files.delete(path);
            }
        }
    }
}
