package darkroom.gpuworkers.checkpoints;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import darkroom.gpuworkers.checkpoints.Safetensors.Dtype;
import darkroom.gpuworkers.checkpoints.Safetensors.Tensor;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Random;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.AlphaChars;
import net.jqwik.api.constraints.FloatRange;
import net.jqwik.api.constraints.IntRange;
import net.jqwik.api.constraints.Size;
import net.jqwik.api.lifecycle.AfterTry;
import net.jqwik.api.lifecycle.BeforeTry;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class SafetensorsTest {
    private Path file = Path.of("unset");

    @BeforeEach
    @BeforeTry
    void makeFile() throws IOException {
        file = Files.createTempFile("darkroom", ".safetensors");
    }

    @AfterEach
    @AfterTry
    void deleteFile() throws IOException {
        Files.deleteIfExists(file);
    }

    @Property(tries = 100)
    void what_is_written_is_read_again(
            @ForAll @Size(max = 5) List<@IntRange(max = 7) Integer> shape,
            @ForAll long seed,
            @ForAll @AlphaChars String note)
            throws IOException {
        byte[] bytes = new byte[shape.stream().reduce(4, (a, b) -> a * b)];
        new Random(seed).nextBytes(bytes);
        Safetensors.write(
                file,
                Map.of("note", note),
                List.of(
                        new Tensor("odd", Dtype.U8, List.of(3), () -> MemorySegment.ofArray(new byte[] {1, 2, 3})),
                        new Tensor("\u00e9\"", Dtype.F32, shape, () -> MemorySegment.ofArray(bytes))));
        try (Safetensors read = Safetensors.open(file)) {
            assertThat(read.metadata()).containsExactlyEntriesOf(Map.of("note", note));
            assertThat(read.entries()).extracting(Safetensors.Entry::name).containsExactly("odd", "\u00e9\"");
            assertThat(read.entry("\u00e9\"").shape()).isEqualTo(shape);
            assertThat(read.bytes("\u00e9\"").toArray(java.lang.foreign.ValueLayout.JAVA_BYTE))
                    .isEqualTo(bytes);
        }
    }

    @Test
    void half_precision_is_widened_exactly() throws IOException {
        float[] values = {0, -0f, 1, -2.5f, 65504, 1e-3f, Float.POSITIVE_INFINITY, Float.NaN};
        MemorySegment floats = littleEndian(values);
        Safetensors.write(
                file,
                Map.of(),
                List.of(
                        new Tensor("half", Dtype.F16, List.of(8), () -> Safetensors.encode(Dtype.F16, floats)),
                        new Tensor("brain", Dtype.BF16, List.of(8), () -> Safetensors.encode(Dtype.BF16, floats)),
                        new Tensor("full", Dtype.F32, List.of(8), () -> Safetensors.encode(Dtype.F32, floats))));
        try (Safetensors read = Safetensors.open(file)) {
            assertThat(read.floats("full")).containsExactly(values);
            assertThat(read.floats("half"))
                    .containsExactly(0, -0f, 1, -2.5f, 65504, 0.0010004044f, Float.POSITIVE_INFINITY, Float.NaN);
            assertThat(read.floats("brain"))
                    .containsExactly(0, -0f, 1, -2.5f, 65536, 9.994507E-4f, Float.POSITIVE_INFINITY, Float.NaN);
        }
    }

    @Property(tries = 200)
    void narrowing_to_bfloat16_takes_the_nearest(@ForAll @FloatRange(min = -1e30f, max = 1e30f) float value) {
        short bits = Safetensors.encode(Dtype.BF16, littleEndian(value))
                .get(java.lang.foreign.ValueLayout.JAVA_SHORT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN), 0);
        float narrowed = Float.intBitsToFloat(bits << 16);
        assertThat(Math.abs(narrowed - value)).isLessThanOrEqualTo(Math.max(Math.abs(value) / 256, 1e-40f));
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', textBlock = """
        [1]                                                                        | header is no JSON object
        {"a":                                                                      | header is no JSON
        {} {}                                                                      | header is no JSON
        {"a":1}                                                                    | must have exactly dtype, shape and data_offsets
        {"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8],"x":1}}               | must have exactly
        {"a":{"dtype":"float64","shape":[1],"data_offsets":[0,8]}}                 | dtype="float64" is no element type
        {"a":{"dtype":"F32","shape":2,"data_offsets":[0,8]}}                       | is no list
        {"a":{"dtype":"F32","shape":[-2],"data_offsets":[0,8]}}                    | sizes must be 0 to
        {"a":{"dtype":"F32","shape":[2.0],"data_offsets":[0,8]}}                   | sizes must be 0 to
        {"a":{"dtype":"F32","shape":[2147483647,2147483647,4],"data_offsets":[0,8]}} | is too large
        {"a":{"dtype":"F32","shape":[2147483647,2147483647,2147483647,2147483647,2147483647],"data_offsets":[0,8]}} | is too large
        {"a":{"dtype":"F32","shape":[2],"data_offsets":[0]}}                       | is no pair of whole numbers
        {"a":{"dtype":"F32","shape":[2],"data_offsets":[0,99999999999999999999]}}  | is no pair of whole numbers
        {"a":{"dtype":"F32","shape":[2],"data_offsets":[-8,0]}}                    | not within 0 to 8
        {"a":{"dtype":"F32","shape":[2],"data_offsets":[0,16]}}                    | not within 0 to 8
        {"a":{"dtype":"F32","shape":[2],"data_offsets":[8,0]}}                     | not within 0 to 8
        {"a":{"dtype":"F32","shape":[3],"data_offsets":[0,8]}}                     | 8 bytes for shape [3] of F32, which needs 12
        {"a":{"dtype":"F32","shape":[1],"data_offsets":[4,8]}}                     | begins at 4, the one before ends at 0
        {"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}                     | tensors end at 4, the file's data at 8
        {"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]},"b":{"dtype":"F32","shape":[1],"data_offsets":[4,8]}} | gap or overlap
        {"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]},"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}} | Duplicate
        {"__metadata__":{"n":1},"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}} | __metadata__.n is 1, not a string
        {"__metadata__":[],"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}}   | __metadata__ is no JSON object
        """)
    void a_malformed_header_is_named(String header, String problem) throws IOException {
        Files.write(file, file(header, 8));
        assertThatThrownBy(() -> Safetensors.open(file).close())
                .isInstanceOf(SafetensorsException.class)
                .hasMessageContaining(file.toString())
                .hasMessageContaining(problem);
    }

    /** A file of another model may contain counters and masks in addition to the required weights. */
    @Test
    void tensors_of_other_types_are_refused_when_they_are_asked_for_and_not_before() throws IOException {
        Files.write(
                file,
                file(
                        "{\"steps\":{\"dtype\":\"I64\",\"shape\":[],\"data_offsets\":[0,8]},"
                                + "\"mask\":{\"dtype\":\"BOOL\",\"shape\":[2],\"data_offsets\":[8,10]},"
                                + "\"small\":{\"dtype\":\"F8_E4M3\",\"shape\":[2],\"data_offsets\":[10,12]},"
                                + "\"wide\":{\"dtype\":\"F64\",\"shape\":[1],\"data_offsets\":[12,20]},"
                                + "\"w\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[20,24]}}",
                        24));
        try (Safetensors tensors = Safetensors.open(file)) {
            assertThat(tensors.floats("w")).hasSize(1);
            assertThat(tensors.entry("steps").elements()).isOne();
            assertThat(tensors.bytes("wide").byteSize()).isEqualTo(8);
            for (String other : List.of("steps", "mask", "small", "wide")) {
                assertThatThrownBy(() -> tensors.floats(other))
                        .isInstanceOf(SafetensorsException.class)
                        .hasMessageContaining("tensor \"" + other + "\"")
                        .hasMessageMatching("(?s).*(is (I64|BOOL|F8_E4M3|F64), and|elements).*");
            }
        }
    }

    /** U7. */
    @ParameterizedTest
    @CsvSource(delimiter = '|', textBlock = """
        version https://git-lfs.github.com/spec/v1 oid sha256:0 size 5 | pointer of Git LFS
        <!DOCTYPE html><html>Not found</html>                          | a page in HTML
        <html><body>Access denied</body></html>                        | a page in HTML
        PK\\003\\004\\024\\000\\000\\000\\010\\010archive/data.pkl                | zip archive
        \\200\\002}q\\000(X\\004\\000\\000\\000nameq\\001                          | a pickle of Python
        \\200\\004\\225\\010\\000\\000\\000\\000\\000\\000\\000}\\224.                     | a pickle of Python
        \\037\\213\\010\\000\\000\\000\\000\\000\\000\\003abc                         | gzip
        {"metadata": {"total_size": 5}, "weight_map": {}}              | text in JSON
        GGUF\\003\\000\\000\\000\\000\\000\\000\\000\\000\\000                         | a GGUF file
        """)
    void what_is_no_safetensors_file_is_named_as_what_it_is(String content, String kind) throws IOException {
        Files.write(file, content.translateEscapes().getBytes(StandardCharsets.ISO_8859_1));
        assertThatThrownBy(() -> Safetensors.open(file).close())
                .isInstanceOf(SafetensorsException.class)
                .hasMessageContaining(file.toString())
                .hasMessageContaining(kind);
    }

    @Test
    void a_file_that_is_too_short_or_claims_too_much_is_named() throws IOException {
        Files.write(file, new byte[3]);
        assertThatThrownBy(() -> Safetensors.open(file).close()).hasMessageContaining("3 bytes are too few");
        Files.write(file, new byte[] {9, 0, 0, 0, 0, 0, 0, 0, '{', '}'});
        assertThatThrownBy(() -> Safetensors.open(file).close()).hasMessageContaining("cut short");
        Files.write(file, new byte[] {-1, -1, -1, -1, -1, -1, -1, -1});
        assertThatThrownBy(() -> Safetensors.open(file).close())
                .hasMessageContaining("header length=18446744073709551615, limit=100000000");
        Files.write(file, new byte[] {1, 0, 0, 0, 0, 0, 0, 0, -1});
        assertThatThrownBy(() -> Safetensors.open(file).close()).hasMessageContaining("not UTF-8");
    }

    @Property(tries = 400)
    void a_damaged_file_is_read_whole_or_refused_with_its_name(@ForAll long seed) throws IOException {
        byte[] bytes = file(
                "{\"__metadata__\":{\"k\":\"v\"},\"a\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0,8]}}", 8);
        Random random = new Random(seed);
        for (int i = random.nextInt(4); i >= 0; i--) {
            bytes[random.nextInt(bytes.length - 8)] = (byte)
                    (random.nextBoolean()
                            ? random.nextInt(256)
                            : "{}[]\":,0123456789 -eFUB".charAt(random.nextInt(23)));
        }
        Files.write(file, random.nextInt(5) == 0 ? Arrays.copyOf(bytes, random.nextInt(bytes.length)) : bytes);
        try (Safetensors read = Safetensors.open(file)) {
            for (Safetensors.Entry entry : read.entries()) {
                assertThat(read.bytes(entry.name()).byteSize()).isEqualTo(entry.bytes());
            }
        } catch (SafetensorsException e) {
            assertThat(e).hasMessageStartingWith(file.toString());
        }
    }

    @Test
    void asking_for_what_is_not_there_lists_what_is() throws IOException {
        Files.write(file, file("{\"a\":{\"dtype\":\"U8\",\"shape\":[8],\"data_offsets\":[0,8]}}", 8));
        try (Safetensors read = Safetensors.open(file)) {
            assertThatThrownBy(() -> read.bytes("b")).hasMessageContaining("no tensor \"b\"; it has [a]");
            assertThatThrownBy(() -> read.floats("a")).hasMessageContaining("is U8");
        }
    }

    @Test
    void content_of_another_length_than_its_shape_is_refused() {
        Tensor wrong = new Tensor("a", Dtype.F32, List.of(3), () -> MemorySegment.ofArray(new byte[8]));
        assertThatThrownBy(() -> Safetensors.write(file, Map.of(), List.of(wrong)))
                .hasMessage("a: content has 8 bytes, shape [3] of F32 needs 12");
        assertThatThrownBy(() -> Safetensors.write(file, Map.of(), new ArrayList<>(List.of(wrong, wrong))))
                .hasMessageContaining("\"a\" is there twice");
    }

    @Test
    void a_name_that_is_no_text_is_refused() {
        Tensor broken = new Tensor("\ud800", Dtype.U8, List.of(0), () -> MemorySegment.ofArray(new byte[0]));
        assertThatThrownBy(() -> Safetensors.write(file, Map.of(), List.of(broken)))
                .hasMessageContaining("no Unicode text");
    }

    private static byte[] file(String header, int dataBytes) {
        byte[] text = header.getBytes(StandardCharsets.UTF_8);
        return ByteBuffer.allocate(8 + text.length + dataBytes)
                .order(ByteOrder.LITTLE_ENDIAN)
                .putLong(text.length)
                .put(text)
                .array();
    }

    private static MemorySegment littleEndian(float... values) {
        ByteBuffer buffer = ByteBuffer.allocate(values.length * 4).order(ByteOrder.LITTLE_ENDIAN);
        for (float value : values) {
            buffer.putFloat(value);
        }
        return MemorySegment.ofArray(buffer.array());
    }
}
