package darkroom.gpuworkers.checkpoints;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.StreamReadFeature;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.CharBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * A safetensors file, mapped into memory and validated completely when it is opened: 8 bytes of header length, a JSON header
 * of names, types, shapes and offsets, then the bytes, little endian, without gap or overlap.
 *
 * <p>Open it in try-with-resources; its segments end with it. Reading is safe from many threads.
 */
public final class Safetensors implements AutoCloseable {
    /** The format's own bound on the header, in bytes. */
    public static final long HEADER_BYTES_MAX = 100_000_000;

    private static final String METADATA = "__metadata__";
    private static final int LENGTH_BYTES = 8;
    private static final int ALIGNMENT = 8;
    private static final long CHUNK_BYTES = 1L << 28;
    private static final ValueLayout.OfLong LENGTH = ValueLayout.JAVA_LONG_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
    private static final ValueLayout.OfFloat FLOAT =
            ValueLayout.JAVA_FLOAT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
    private static final ValueLayout.OfShort SHORT =
            ValueLayout.JAVA_SHORT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
    private static final ObjectMapper JSON = new ObjectMapper(JsonFactory.builder()
                    .enable(StreamReadFeature.STRICT_DUPLICATE_DETECTION)
                    .build())
            .enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS);

    private final Path file;
    private final Arena arena;
    private final MemorySegment data;
    private final long dataBegin;
    private final SortedMap<String, String> metadata;
    private final Map<String, Entry> entries;

    private Safetensors(
            Path file,
            Arena arena,
            MemorySegment all,
            long dataBegin,
            SortedMap<String, String> metadata,
            Map<String, Entry> entries) {
        this.file = file;
        this.arena = arena;
        this.data = all.asSlice(dataBegin);
        this.dataBegin = dataBegin;
        this.metadata = Collections.unmodifiableSortedMap(metadata);
        this.entries = Collections.unmodifiableMap(entries);
    }

    /** Element types of the format. A file may contain tensors of {@link #OTHER}, which are rejected when requested. */
    public enum Dtype {
        F32(4),
        F16(2),
        BF16(2),
        U8(1),
        F64(8),
        I64(8),
        /** Any other type of the format, such as I32, BOOL or F8_E4M3. */
        OTHER(0);

        private final int bytes;

        Dtype(int bytes) {
            this.bytes = bytes;
        }

        /** Returns the bytes per element; 0 for {@link #OTHER}. */
        public int bytes() {
            return bytes;
        }
    }

    /**
     * Position of a tensor in a file.
     *
     * @param dtype element type
     * @param type element type as the file names it
     * @param begin first byte, counted from the end of the header
     */
    public record Entry(String name, Dtype dtype, String type, List<Integer> shape, long begin, long bytes) {
        public Entry {
            shape = List.copyOf(shape);
        }

        /** Returns the number of elements. */
        public long elements() {
            return shape.stream().mapToLong(Integer::longValue).reduce(1, Math::multiplyExact);
        }
    }

    /**
     * A tensor to be written.
     *
     * @param content requested once, when its turn comes; exactly the product of {@code shape} times the element size
     */
    public record Tensor(String name, Dtype dtype, List<Integer> shape, Supplier<MemorySegment> content) {
        public Tensor {
            shape = List.copyOf(shape);
        }

        long bytes() {
            return shape.stream().mapToLong(Integer::longValue).reduce(dtype.bytes(), Math::multiplyExact);
        }
    }

    /**
     * Opens and validates a file.
     *
     * @throws SafetensorsException if it is malformed in any way
     */
    public static Safetensors open(Path file) throws IOException {
        Arena arena = Arena.ofShared();
        try (FileChannel channel = FileChannel.open(file, StandardOpenOption.READ)) {
            MemorySegment all = channel.map(FileChannel.MapMode.READ_ONLY, 0, channel.size(), arena);
            return parse(file, arena, all);
        } catch (IOException | RuntimeException e) {
            arena.close();
            throw e;
        }
    }

    /**
     * Writes a file from beginning to end, tensor by tensor, and forces it to the disk. An existing file is replaced in
     * place; write to another name and rename where another process may read it.
     *
     * @throws IllegalArgumentException if two tensors have the same name, or a content does not have the size of its shape
     */
    public static void write(Path file, Map<String, String> metadata, List<Tensor> tensors) throws IOException {
        byte[] header = header(metadata, tensors);
        try (FileChannel channel = FileChannel.open(
                file, StandardOpenOption.CREATE, StandardOpenOption.TRUNCATE_EXISTING, StandardOpenOption.WRITE)) {
            ByteBuffer length = ByteBuffer.allocate(LENGTH_BYTES)
                    .order(ByteOrder.LITTLE_ENDIAN)
                    .putLong(header.length);
            writeFully(channel, length.flip());
            writeFully(channel, ByteBuffer.wrap(header));
            for (Tensor tensor : tensors) {
                MemorySegment content = tensor.content().get();
                if (content.byteSize() != tensor.bytes()) {
                    throw new IllegalArgumentException("%s: content has %d bytes, shape %s of %s needs %d"
                            .formatted(
                                    tensor.name(), content.byteSize(), tensor.shape(), tensor.dtype(), tensor.bytes()));
                }
                for (long from = 0; from < content.byteSize(); from += CHUNK_BYTES) {
                    long chunk = Math.min(CHUNK_BYTES, content.byteSize() - from);
                    writeFully(channel, content.asSlice(from, chunk).asByteBuffer());
                }
            }
            channel.force(true);
        }
    }

    /**
     * Narrows float32 values, rounding to nearest even.
     *
     * @param floats FLOAT32, little endian
     * @return a heap segment of the same number of elements
     */
    public static MemorySegment encode(Dtype dtype, MemorySegment floats) {
        int count = Math.toIntExact(floats.byteSize() / Float.BYTES);
        MemorySegment encoded = MemorySegment.ofArray(new byte[Math.multiplyExact(count, dtype.bytes())]);
        for (int i = 0; i < count; i++) {
            float value = floats.get(FLOAT, (long) i * Float.BYTES);
            switch (dtype) {
                case F32 -> encoded.set(FLOAT, (long) i * Float.BYTES, value);
                case F16 -> encoded.set(SHORT, (long) i * Short.BYTES, Float.floatToFloat16(value));
                case BF16 -> encoded.set(SHORT, (long) i * Short.BYTES, bfloat16(value));
                case U8, F64, I64, OTHER -> throw new IllegalArgumentException(dtype + " holds no narrowed floats");
            }
        }
        return encoded;
    }

    /** Returns the header's map of metadata; empty without any. */
    public SortedMap<String, String> metadata() {
        return metadata;
    }

    /** Returns all tensors, in the order of their bytes. */
    public List<Entry> entries() {
        return List.copyOf(entries.values());
    }

    /**
     * Returns a tensor's position.
     *
     * @throws SafetensorsException if no tensor has that name
     */
    public Entry entry(String name) throws SafetensorsException {
        Entry entry = entries.get(name);
        if (entry == null) {
            throw new SafetensorsException(file, "no tensor \"%s\"; it has %s".formatted(name, entries.keySet()));
        }
        return entry;
    }

    /** Returns the number of bytes before the first tensor. */
    public long dataBegin() {
        return dataBegin;
    }

    /** Returns the file. */
    public Path file() {
        return file;
    }

    /** Returns a tensor's bytes as in the file, read-only, valid until {@link #close}. */
    public MemorySegment bytes(String name) throws SafetensorsException {
        Entry entry = entry(name);
        return data.asSlice(entry.begin(), entry.bytes());
    }

    /**
     * Copies a tensor as float32, widening F16 and BF16 exactly.
     *
     * @param into 4 bytes per element, written little endian
     * @throws SafetensorsException if the tensor does not exist, or contains bytes
     */
    public void copyFloats(String name, MemorySegment into) throws SafetensorsException {
        Entry entry = entry(name);
        MemorySegment from = bytes(name);
        if (into.byteSize() != entry.elements() * Float.BYTES) {
            throw new SafetensorsException(
                    file,
                    "tensor \"%s\" has shape %s, %d elements; %d are wanted"
                            .formatted(name, entry.shape(), entry.elements(), into.byteSize() / Float.BYTES));
        }
        switch (entry.dtype()) {
            case F32 -> into.copyFrom(from);
            case F16 -> {
                for (long i = 0; i < entry.elements(); i++) {
                    into.set(FLOAT, i * Float.BYTES, Float.float16ToFloat(from.get(SHORT, i * Short.BYTES)));
                }
            }
            case BF16 -> {
                for (long i = 0; i < entry.elements(); i++) {
                    into.set(FLOAT, i * Float.BYTES, Float.intBitsToFloat(from.get(SHORT, i * Short.BYTES) << 16));
                }
            }
            case U8, F64, I64, OTHER ->
                throw new SafetensorsException(
                        file, "tensor \"%s\" is %s, and F32, F16 or BF16 is wanted".formatted(name, entry.type()));
        }
    }

    /**
     * Returns a tensor as float64, exactly; of I64 only values up to 2^53 are exact.
     *
     * @throws SafetensorsException if the tensor does not exist, or has another element type
     */
    public double[] doubles(String name) throws SafetensorsException {
        Entry entry = entry(name);
        MemorySegment from = bytes(name);
        double[] values = new double[Math.toIntExact(entry.elements())];
        switch (entry.dtype()) {
            case F32, F16, BF16 -> {
                float[] floats = floats(name);
                for (int i = 0; i < values.length; i++) {
                    values[i] = floats[i];
                }
            }
            case F64 -> {
                for (int i = 0; i < values.length; i++) {
                    values[i] = Double.longBitsToDouble(from.get(LENGTH, (long) i * Long.BYTES));
                }
            }
            case I64 -> {
                for (int i = 0; i < values.length; i++) {
                    values[i] = from.get(LENGTH, (long) i * Long.BYTES);
                }
            }
            case U8 -> {
                for (int i = 0; i < values.length; i++) {
                    values[i] = from.get(ValueLayout.JAVA_BYTE, i) & 255;
                }
            }
            case OTHER ->
                throw new SafetensorsException(
                        file, "tensor \"%s\" is %s, which is not read".formatted(name, entry.type()));
        }
        return values;
    }

    /** Returns a tensor as float32. */
    public float[] floats(String name) throws SafetensorsException {
        Entry entry = entry(name);
        if (entry.elements() > Integer.MAX_VALUE - 8) {
            throw new SafetensorsException(
                    file, "tensor \"%s\" has %d elements, too many for an array".formatted(name, entry.elements()));
        }
        float[] floats = new float[(int) entry.elements()];
        MemorySegment little = MemorySegment.ofArray(new byte[Math.multiplyExact(floats.length, Float.BYTES)]);
        copyFloats(name, little);
        MemorySegment.copy(little, FLOAT, 0, floats, 0, floats.length);
        return floats;
    }

    @Override
    public void close() {
        arena.close();
    }

    private static Safetensors parse(Path file, Arena arena, MemorySegment all) throws SafetensorsException {
        if (all.byteSize() < LENGTH_BYTES) {
            throw new SafetensorsException(
                    file,
                    "%d bytes are too few: a safetensors file begins with 8 bytes of header length"
                            .formatted(all.byteSize()));
        }
        Optional<String> other = FileKind.of(all);
        if (other.isPresent()) {
            throw new SafetensorsException(file, "no safetensors file, but " + other.get());
        }
        long headerBytes = all.get(LENGTH, 0);
        if (headerBytes < 0 || headerBytes > HEADER_BYTES_MAX) {
            throw new SafetensorsException(
                    file,
                    "header length=%s, limit=%d: no safetensors file, or a damaged one"
                            .formatted(Long.toUnsignedString(headerBytes), HEADER_BYTES_MAX));
        }
        if (headerBytes > all.byteSize() - LENGTH_BYTES) {
            throw new SafetensorsException(
                    file,
                    "cut short: header length=%d, but only %d bytes follow"
                            .formatted(headerBytes, all.byteSize() - LENGTH_BYTES));
        }
        MemorySegment data = all.asSlice(LENGTH_BYTES + headerBytes);
        ObjectNode header = header(file, all.asSlice(LENGTH_BYTES, headerBytes));
        SortedMap<String, String> metadata = metadata(file, header.get(METADATA));
        List<Entry> entries = new ArrayList<>();
        for (Map.Entry<String, JsonNode> property : header.properties()) {
            if (!property.getKey().equals(METADATA)) {
                entries.add(entry(file, property.getKey(), property.getValue(), data.byteSize()));
            }
        }
        entries.sort(Comparator.comparingLong(Entry::begin).thenComparingLong(Entry::bytes));
        Map<String, Entry> byName = new LinkedHashMap<>();
        long end = 0;
        for (Entry entry : entries) {
            if (entry.begin() != end) {
                throw new SafetensorsException(
                        file,
                        "tensor \"%s\" begins at %d, the one before ends at %d: tensors must lie without gap or overlap"
                                .formatted(entry.name(), entry.begin(), end));
            }
            end += entry.bytes();
            byName.put(entry.name(), entry);
        }
        if (end != data.byteSize()) {
            throw new SafetensorsException(
                    file, "tensors end at %d, the file's data at %d".formatted(end, data.byteSize()));
        }
        return new Safetensors(file, arena, all, LENGTH_BYTES + headerBytes, metadata, byName);
    }

    private static ObjectNode header(Path file, MemorySegment bytes) throws SafetensorsException {
        String text;
        try {
            text = StandardCharsets.UTF_8
                    .newDecoder()
                    .decode(bytes.asByteBuffer())
                    .toString();
        } catch (CharacterCodingException e) {
            throw because(file, "header is not UTF-8", e);
        }
        try {
            if (JSON.readTree(text) instanceof ObjectNode object) {
                return object;
            }
            throw new SafetensorsException(file, "header is no JSON object");
        } catch (JsonProcessingException e) {
            throw because(file, "header is no JSON: " + e.getOriginalMessage(), e);
        }
    }

    private static SortedMap<String, String> metadata(Path file, @Nullable JsonNode node) throws SafetensorsException {
        SortedMap<String, String> metadata = new TreeMap<>();
        if (node == null) {
            return metadata;
        }
        if (!node.isObject()) {
            throw new SafetensorsException(file, METADATA + " is no JSON object");
        }
        for (Map.Entry<String, JsonNode> property : node.properties()) {
            if (!property.getValue().isTextual()) {
                throw new SafetensorsException(
                        file, "%s.%s is %s, not a string".formatted(METADATA, property.getKey(), property.getValue()));
            }
            metadata.put(property.getKey(), property.getValue().textValue());
        }
        return metadata;
    }

    private static Entry entry(Path file, String name, JsonNode node, long dataBytes) throws SafetensorsException {
        String where = "tensor \"" + name + "\": ";
        JsonNode type = node.get("dtype");
        JsonNode shape = node.get("shape");
        JsonNode offsets = node.get("data_offsets");
        if (!node.isObject() || node.size() != 3 || type == null || shape == null || offsets == null) {
            throw new SafetensorsException(
                    file, where + "must have exactly dtype, shape and data_offsets, has " + abbreviated(node));
        }
        Dtype dtype = dtype(file, where, type);
        if (!shape.isArray()) {
            throw new SafetensorsException(file, where + "shape=" + abbreviated(shape) + " is no list");
        }
        List<Integer> sizes = new ArrayList<>();
        long bytes = Math.max(1, dtype.bytes());
        for (JsonNode size : shape) {
            if (!size.isIntegralNumber() || !size.canConvertToInt() || size.intValue() < 0) {
                throw new SafetensorsException(
                        file, where + "shape=" + abbreviated(shape) + ": sizes must be 0 to 2^31 - 1");
            }
            sizes.add(size.intValue());
            long high = Math.multiplyHigh(bytes, size.longValue());
            bytes *= size.longValue();
            if (high != 0 || bytes < 0) {
                throw new SafetensorsException(file, where + "shape=" + abbreviated(shape) + " is too large");
            }
        }
        if (!offsets.isArray()
                || offsets.size() != 2
                || !offsets.get(0).isIntegralNumber()
                || !offsets.get(1).isIntegralNumber()
                || !offsets.get(0).canConvertToLong()
                || !offsets.get(1).canConvertToLong()) {
            throw new SafetensorsException(
                    file, where + "data_offsets=" + abbreviated(offsets) + " is no pair of whole numbers");
        }
        long begin = offsets.get(0).longValue();
        long end = offsets.get(1).longValue();
        if (begin < 0 || end < begin || end > dataBytes) {
            throw new SafetensorsException(
                    file,
                    where
                            + "data_offsets=[%d, %d] are not within 0 to %d%s"
                                    .formatted(
                                            begin,
                                            end,
                                            dataBytes,
                                            begin >= 0 && end > dataBytes ? ": the file is cut short or damaged" : ""));
        }
        if (dtype != Dtype.OTHER && end - begin != bytes) {
            throw new SafetensorsException(
                    file,
                    where + "%d bytes for shape %s of %s, which needs %d".formatted(end - begin, sizes, dtype, bytes));
        }
        return new Entry(name, dtype, type.textValue(), sizes, begin, end - begin);
    }

    private static Dtype dtype(Path file, String where, JsonNode node) throws SafetensorsException {
        for (Dtype dtype : Dtype.values()) {
            if (node.isTextual() && dtype != Dtype.OTHER && dtype.name().equals(node.textValue())) {
                return dtype;
            }
        }
        if (node.isTextual() && node.textValue().matches("[A-Z][A-Z0-9_]{1,15}")) {
            return Dtype.OTHER;
        }
        throw new SafetensorsException(file, where + "dtype=" + abbreviated(node) + " is no element type");
    }

    private static byte[] header(Map<String, String> metadata, List<Tensor> tensors) {
        ObjectNode header = JSON.createObjectNode();
        if (!metadata.isEmpty()) {
            ObjectNode free = header.putObject(METADATA);
            new TreeMap<>(metadata).forEach(free::put);
        }
        long begin = 0;
        for (Tensor tensor : tensors) {
            if (header.has(tensor.name()) || tensor.name().equals(METADATA)) {
                throw new IllegalArgumentException(
                        "\"" + tensor.name() + "\" is there twice, or not allowed as a name");
            }
            ObjectNode entry = header.putObject(tensor.name());
            entry.put("dtype", tensor.dtype().name());
            tensor.shape().forEach(entry.putArray("shape")::add);
            long end = Math.addExact(begin, tensor.bytes());
            entry.putArray("data_offsets").add(begin).add(end);
            begin = end;
        }
        try {
            ByteBuffer text = StandardCharsets.UTF_8.newEncoder().encode(CharBuffer.wrap(header.toString()));
            byte[] padded = new byte[Math.ceilDiv(text.remaining(), ALIGNMENT) * ALIGNMENT];
            Arrays.fill(padded, (byte) ' ');
            text.get(padded, 0, text.remaining());
            return padded;
        } catch (CharacterCodingException e) {
            throw new IllegalArgumentException("a name or the metadata is no Unicode text: " + header, e);
        }
    }

    private static void writeFully(FileChannel channel, ByteBuffer buffer) throws IOException {
        while (buffer.hasRemaining()) {
            channel.write(buffer);
        }
    }

    private static short bfloat16(float value) {
        int bits = Float.floatToRawIntBits(value);
        if (Float.isNaN(value)) {
            return (short) (bits >>> 16 | 0x40);
        }
        return (short) ((bits + 0x7FFF + (bits >>> 16 & 1)) >>> 16);
    }

    private static SafetensorsException because(Path file, String problem, Exception cause) {
        SafetensorsException exception = new SafetensorsException(file, problem);
        exception.initCause(cause);
        return exception;
    }

    private static String abbreviated(JsonNode node) {
        String text = node.toString();
        return text.length() <= 100 ? text : text.substring(0, 100) + "...";
    }
}
