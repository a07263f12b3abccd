package darkroom.gpuworkers;

import darkroom.edittasks.datasets.OutputFile;
import darkroom.gpuworkers.checkpoints.FlatLayout;
import darkroom.gpuworkers.checkpoints.Safetensors;
import java.io.IOException;
import java.io.InputStream;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.SortedMap;
import java.util.TreeMap;

/**
 * Weights of an embedded network as a safetensors file: one tensor per parameter, named as in its {@link FlatLayout}, and
 * metadata that identify the network and its origin.
 *
 * @param flat all parameters in one vector, in the order of the layout
 * @param metadata of the file, {@code darkroom.*}
 */
@SuppressWarnings("ArrayRecordComponent") // a carrier of weights, never compared
public record DitWeights(DitShape shape, float[] flat, Map<String, String> metadata) {
    private static final String RESOLUTION = "darkroom.resolution";
    private static final String PATCH = "darkroom.patch";
    private static final String DIM = "darkroom.dim";
    private static final String LAYERS = "darkroom.layers";
    private static final String HEADS = "darkroom.heads";
    private static final String TOKENS = "darkroom.tokens";
    private static final String VOCABULARY = "darkroom.vocabulary";
    private static final ValueLayout.OfFloat FLOAT =
            ValueLayout.JAVA_FLOAT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

    /** Weights that ship with Darkroom: {@code mixed} and {@code clean} bases. */
    public static final List<String> SHIPPED = List.of("mixed", "clean");

    /**
     * Loads a base by its name in {@link #SHIPPED}, or by the path of a file.
     *
     * @throws IOException naming {@code policy.base} if the base does not exist or the file is damaged
     */
    public static DitWeights base(String nameOrPath) throws IOException {
        if (SHIPPED.contains(nameOrPath)) {
            return shipped(nameOrPath, DitWeights::read);
        }
        Path path = Path.of(nameOrPath);
        if (!Files.isRegularFile(path)) {
            throw new IOException("policy.base=\"%s\" is neither one of %s nor a file".formatted(nameOrPath, SHIPPED));
        }
        return read(path);
    }

    /**
     * Returns the SHA-256 of the file of a base, in hexadecimal.
     *
     * @param nameOrPath as in {@link #base}
     * @throws IOException as {@link #base}
     */
    public static String sha256(String nameOrPath) throws IOException {
        if (SHIPPED.contains(nameOrPath)) {
            return shipped(nameOrPath, DitWeights::digest);
        }
        Path path = Path.of(nameOrPath);
        if (!Files.isRegularFile(path)) {
            throw new IOException("policy.base=\"%s\" is neither one of %s nor a file".formatted(nameOrPath, SHIPPED));
        }
        return digest(path);
    }

    static String digest(Path file) throws IOException {
        MessageDigest digest;
        try {
            digest = MessageDigest.getInstance("SHA-256");
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException(e);
        }
        try (InputStream in = Files.newInputStream(file)) {
            byte[] part = new byte[1 << 16];
            for (int count = in.read(part); count >= 0; count = in.read(part)) {
                digest.update(part, 0, count);
            }
        }
        return HexFormat.of().formatHex(digest.digest());
    }

    /** Reads a file shipped in the jar. */
    static <T> T shipped(String name, Reader<T> reader) throws IOException {
        String resource = "weights/" + name + ".safetensors";
        Path copy = Files.createTempFile("darkroom-" + name, ".safetensors");
        try (InputStream in = DitWeights.class.getResourceAsStream(resource)) {
            if (in == null) {
                throw new IOException("weights \"%s\" do not ship with this build: make them with 'darkroom pretrain'"
                        .formatted(name));
            }
            Files.copy(in, copy, StandardCopyOption.REPLACE_EXISTING);
            return reader.read(copy);
        } finally {
            Files.deleteIfExists(copy);
        }
    }

    /** Reads an object from a file. */
    @FunctionalInterface
    interface Reader<T> {
        T read(Path file) throws IOException;
    }

    /** Reads a base from its file. */
    public static DitWeights read(Path file) throws IOException {
        try (Safetensors tensors = Safetensors.open(file)) {
            DitShape shape = shape(file, tensors.metadata());
            return new DitWeights(shape, flat(tensors, shape.layout()), tensors.metadata());
        }
    }

    /** Returns all parameters of {@code layout}, from the tensors of these names. */
    static float[] flat(Safetensors tensors, FlatLayout layout) throws IOException {
        float[] flat = new float[layout.size()];
        MemorySegment segment = MemorySegment.ofArray(flat);
        for (var named : layout.entries().entrySet()) {
            FlatLayout.Entry entry = named.getValue();
            tensors.copyFloats(
                    named.getKey(),
                    segment.asSlice((long) entry.offset() * Float.BYTES, (long) entry.size() * Float.BYTES));
        }
        return flat;
    }

    /** Writes the file atomically. */
    public void write(Path file) throws IOException {
        write(file, shape, shape.layout(), flat, metadata);
    }

    static void write(Path file, DitShape shape, FlatLayout layout, float[] flat, Map<String, String> metadata)
            throws IOException {
        SortedMap<String, String> all = new TreeMap<>(metadata);
        all.put(RESOLUTION, String.valueOf(shape.resolution()));
        all.put(PATCH, String.valueOf(shape.patch()));
        all.put(DIM, String.valueOf(shape.dim()));
        all.put(LAYERS, String.valueOf(shape.layers()));
        all.put(HEADS, String.valueOf(shape.heads()));
        all.put(TOKENS, String.valueOf(shape.tokens()));
        all.put(VOCABULARY, String.valueOf(shape.vocabulary()));
        List<Safetensors.Tensor> tensors = new ArrayList<>();
        try (Arena arena = Arena.ofConfined()) {
            layout.entries()
                    .forEach((name, entry) ->
                            tensors.add(new Safetensors.Tensor(name, Safetensors.Dtype.F32, entry.shape(), () -> {
                                MemorySegment bytes = arena.allocate((long) entry.size() * Float.BYTES, Long.BYTES);
                                for (int i = 0; i < entry.size(); i++) {
                                    bytes.set(FLOAT, (long) i * Float.BYTES, flat[entry.offset() + i]);
                                }
                                return bytes;
                            })));
            OutputFile output = OutputFile.at(file);
            Safetensors.write(output.place(), all, tensors);
            output.finish();
        }
    }

    static DitShape shape(Path file, Map<String, String> metadata) throws IOException {
        return new DitShape(
                number(file, metadata, RESOLUTION),
                number(file, metadata, PATCH),
                number(file, metadata, DIM),
                number(file, metadata, LAYERS),
                number(file, metadata, HEADS),
                number(file, metadata, TOKENS),
                number(file, metadata, VOCABULARY));
    }

    private static int number(Path file, Map<String, String> metadata, String key) throws IOException {
        String value = metadata.get(key);
        if (value == null || !value.matches("[0-9]{1,9}")) {
            throw new IOException(
                    "%s: metadata %s=%s is not a whole number; the file is not an embedded network of Darkroom"
                            .formatted(file, key, value));
        }
        return Integer.parseInt(value);
    }
}
