package darkroom.edittasks.datasets;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import darkroom.edittasks.pictures.PictureReader;
import darkroom.edittasks.pictures.RgbImage;
import darkroom.edittasks.tasks.Split;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.zip.CRC32;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.IntRange;
import net.jqwik.api.constraints.Size;
import net.jqwik.api.constraints.StringLength;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class DatasetReaderTest {
    private static final RgbImage PICTURE = RgbImage.of(3, 2, new byte[18]);
    private static final String GOOD = "{\"prompt\": \"p\", \"image\": \"images/a.png\"}";

    @TempDir
    @SuppressWarnings("NullAway.Init")
    private Path directory;

    @BeforeEach
    void draw() throws IOException {
        Files.createDirectories(directory.resolve("images"));
        Files.write(directory.resolve("images/a.png"), PICTURE.png());
    }

    private List<DatasetLine> read(byte[] bytes) throws IOException {
        Files.write(directory.resolve("train_metadata.jsonl"), bytes);
        return readAll(new DatasetDirectory(directory), Split.TRAIN);
    }

    private List<DatasetLine> read(String... lines) throws IOException {
        return read((String.join("\n", lines) + "\n").getBytes(StandardCharsets.UTF_8));
    }

    private static List<DatasetLine> readAll(DatasetDirectory dataset, Split split) throws IOException {
        List<DatasetLine> lines = new ArrayList<>();
        try (DatasetReader reader = dataset.reader(split)) {
            for (DatasetLine line = reader.next(); line != null; line = reader.next()) {
                lines.add(line);
            }
        }
        return lines;
    }

    private static DatasetRow row(DatasetLine line) {
        assertThat(line).isInstanceOf(DatasetLine.Usable.class);
        return ((DatasetLine.Usable) line).row();
    }

    /** Checks that the second of three lines is malformed and the others are not. */
    private DatasetLine.Malformed malformed(String line) throws IOException {
        List<DatasetLine> lines = read(GOOD, line, "{\"prompt\": \"q\", \"image\": \"images/a.png\"}");
        assertThat(lines).hasSize(3);
        assertThat(row(lines.get(0)).prompt()).isEqualTo("p");
        assertThat(row(lines.get(2)).prompt()).isEqualTo("q");
        assertThat(lines.get(1)).isInstanceOf(DatasetLine.Malformed.class);
        DatasetLine.Malformed malformed = (DatasetLine.Malformed) lines.get(1);
        assertThat(malformed.line()).isEqualTo(2);
        assertThat(malformed.message())
                .startsWith(directory.resolve("train_metadata.jsonl") + ":2: ")
                .endsWith("; " + malformed.fault().remedy())
                .doesNotContain("\n");
        return malformed;
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', quoteCharacter = '`', textBlock = """
        not json | NO_JSON | no JSON
        {"prompt": "p", "image": "images/a.png" | NO_JSON | expected close marker for Object at column
        {"prompt": "p", "prompt": "q", "image": "images/a.png"} | NO_JSON | Duplicate
        {"prompt": "p", "image": "images/a.png"} {} | NO_JSON | continues
        {"prompt": "p", "image": "images/a.png", "x": NaN} | NO_JSON | NaN
        {'prompt': 'p'} | NO_JSON | no JSON
        ["prompt"] | NO_OBJECT | ["prompt"]
        "text" | NO_OBJECT | text
        {} | MISSING_FIELD | prompt
        {"image": "images/a.png"} | MISSING_FIELD | prompt
        {"prompt": "x"} | MISSING_FIELD | image
        {"prompt": null, "image": "images/a.png"} | MISSING_FIELD | prompt
        {"prompt": 7, "image": "images/a.png"} | WRONG_TYPE | prompt=7
        {"prompt": "  ", "image": "images/a.png"} | WRONG_TYPE | prompt
        {"prompt": "\\ud800", "image": "images/a.png"} | WRONG_TYPE | surrogate
        {"prompt": "p", "image": ["images/a.png"]} | WRONG_TYPE | image
        {"prompt": "p", "image": ""} | WRONG_TYPE | image
        {"prompt": "x", "image": "images/a.png", "requirement": 3} | WRONG_TYPE | requirement=3
        {"prompt": "x", "image": "images/a.png", "id": 1.5} | WRONG_TYPE | id=1.5
        {"prompt": "x", "image": "images/a.png", "id": {}} | WRONG_TYPE | id={}
        {"prompt": "x", "image": "images/a.png", "task_type": 4} | WRONG_TYPE | task_type=4
        {"prompt": "x", "image": "images/a.png", "target": true} | WRONG_TYPE | target=true
        {"prompt": "x", "image": "images/b.png"} | MISSING_IMAGE | images/b.png
        {"prompt": "x", "image": "images"} | MISSING_IMAGE | no file
        {"prompt": "x", "image": "a\\u0000b"} | MISSING_IMAGE | no path
        {"prompt": "x", "image": "images/a.png", "target": "t.png"} | MISSING_IMAGE | target=t.png
        {"prompt": "x", "image": "images/a.png", "reference": "r.png"} | MISSING_IMAGE | reference=r.png
        {"prompt": "x", "image": "../a.png"} | PATH_OUTSIDE | ../a.png
        {"prompt": "x", "image": "images/../../a.png"} | PATH_OUTSIDE | leads out
        {"prompt": "x", "image": "/etc/passwd"} | PATH_OUTSIDE | /etc/passwd
        {"prompt": "x", "image": "images/a.png", "target": "../t.png"} | PATH_OUTSIDE | target
        {"prompt": "x", "image": "train_metadata.jsonl"} | UNSUPPORTED_IMAGE | in no known format
        {"prompt": "x", "image": "images\\\\a.png"} | MISSING_IMAGE | images/a.png is: write / between directories
        {"prompt": "x", "image": "pictures\\\\b.png"} | MISSING_IMAGE | separates no directories here: write /
        {"prompt": "x", "image": "a.png"} | MISSING_IMAGE | but images/a.png is: paths are relative to the dataset's directory
        {"prompt": "x", "image": "images/a.png", "weight": 0} | WRONG_TYPE | weight=0 is not a number above 0, at most 1000
        {"prompt": "x", "image": "images/a.png", "weight": -1} | WRONG_TYPE | weight=-1
        {"prompt": "x", "image": "images/a.png", "weight": 1001} | WRONG_TYPE | weight=1001
        {"prompt": "x", "image": "images/a.png", "weight": 1e999} | WRONG_TYPE | weight=1e999
        {"prompt": "x", "image": "images/a.png", "weight": "3"} | WRONG_TYPE | weight="3"
        {"prompt": "x", "image": "images/a.png", "weight": true} | WRONG_TYPE | weight=true
        """)
    void a_malformed_line_is_a_value_with_its_line_and_reason(String line, DatasetFault fault, String reason)
            throws IOException {
        DatasetLine.Malformed malformed = malformed(line);
        assertThat(malformed.fault()).isEqualTo(fault);
        assertThat(malformed.reason()).contains(reason);
    }

    @Test
    void an_id_that_another_line_has_is_refused_with_that_line() throws IOException {
        List<DatasetLine> lines = read(
                "{\"prompt\": \"p\", \"image\": \"images/a.png\", \"id\": \"7\"}",
                "{\"prompt\": \"q\", \"image\": \"images/a.png\", \"id\": 7}");
        assertThat(lines.get(1)).isInstanceOfSatisfying(DatasetLine.Malformed.class, bad -> {
            assertThat(bad.fault()).isEqualTo(DatasetFault.DUPLICATE_ID);
            assertThat(bad.reason()).isEqualTo("id=7 is the id of line 1, another row");
        });
    }

    /** People repeat lines to have rows drawn more often. */
    @Test
    void a_line_that_repeats_a_row_word_for_word_is_the_same_row_and_no_fault() throws IOException {
        String withId = "{\"prompt\": \"p\", \"image\": \"images/a.png\", \"id\": \"7\", \"weight\": 2.5}";
        List<DatasetLine> lines = read(GOOD, withId, GOOD, withId);
        assertThat(lines.get(2)).isInstanceOfSatisfying(DatasetLine.Repeated.class, again -> {
            assertThat(again.first()).isEqualTo(1);
            assertThat(again.row().weight()).isEqualTo(1);
        });
        assertThat(lines.get(3)).isInstanceOfSatisfying(DatasetLine.Repeated.class, again -> {
            assertThat(again.first()).isEqualTo(2);
            assertThat(again.row().weight()).isEqualTo(2.5);
        });
    }

    @Test
    void a_line_that_repeats_a_malformed_one_is_malformed_too() throws IOException {
        String missing = "{\"prompt\": \"p\", \"image\": \"images/none.png\"}";
        assertThat(read(missing, missing))
                .extracting(line -> ((DatasetLine.Malformed) line).fault())
                .containsExactly(DatasetFault.MISSING_IMAGE, DatasetFault.MISSING_IMAGE);
    }

    /** Names from macOS are decomposed, typed ones are composed. */
    @Test
    void a_file_whose_name_is_composed_differently_is_named() throws IOException {
        Files.copy(directory.resolve("images/a.png"), directory.resolve("images/cafe\u0301.png"));
        assertThat(malformed("{\"prompt\": \"x\", \"image\": \"images/caf\u00e9.png\"}")
                        .reason())
                .contains("in Unicode form NFD is");
    }

    @Test
    void a_line_at_the_limit_is_read_and_one_byte_more_is_too_long() throws IOException {
        String head = "{\"prompt\": \"p\", \"image\": \"images/a.png\", \"x\": \"";
        String atLimit = head + "y".repeat(DatasetReader.LINE_BYTES_MAX - head.length() - 2) + "\"}";
        assertThat(row(read(atLimit).getFirst()).fields()).containsKey("x");
        assertThat(malformed(atLimit.replace("\"}", "y\"}")).fault()).isEqualTo(DatasetFault.LINE_TOO_LONG);
    }

    @Test
    void nesting_beyond_the_limit_is_malformed() throws IOException {
        String deep = "[".repeat(DatasetRow.NESTING_MAX) + "]".repeat(DatasetRow.NESTING_MAX);
        assertThat(malformed(GOOD.replace("}", ", \"x\": " + deep + "}")).fault())
                .isEqualTo(DatasetFault.NO_JSON);
    }

    @Test
    void a_byte_order_mark_is_named() throws IOException {
        List<DatasetLine> lines = read("\uFEFF" + GOOD, "{\"prompt\": \"q\", \"image\": \"images/a.png\"}");
        assertThat(lines.get(0)).isInstanceOfSatisfying(DatasetLine.Malformed.class, bad -> {
            assertThat(bad.fault()).isEqualTo(DatasetFault.BYTE_ORDER_MARK);
            assertThat(bad.line()).isEqualTo(1);
        });
        assertThat(row(lines.get(1)).prompt()).isEqualTo("q");
    }

    @Test
    void bytes_that_are_not_utf_8_are_malformed() throws IOException {
        List<DatasetLine> lines = read(GOOD.replace("\"p\"", "\"p\u00e9\"").getBytes(StandardCharsets.ISO_8859_1));
        assertThat(lines).singleElement().isInstanceOfSatisfying(DatasetLine.Malformed.class, bad -> assertThat(
                        bad.fault())
                .isEqualTo(DatasetFault.NOT_UTF8));
    }

    @Test
    void blank_lines_are_counted_and_line_ends_of_other_systems_are_no_part_of_a_row() throws IOException {
        Files.writeString(
                directory.resolve("train_metadata.jsonl"),
                "\n" + GOOD + "\r\n \t\r\n" + "{\"prompt\": \"last\", \"image\": \"images/a.png\"}");
        try (DatasetReader reader = new DatasetDirectory(directory).reader(Split.TRAIN)) {
            assertThat(reader.next()).isInstanceOfSatisfying(DatasetLine.Usable.class, line -> assertThat(line.line())
                    .isEqualTo(2));
            assertThat(reader.next()).isInstanceOfSatisfying(DatasetLine.Usable.class, line -> {
                assertThat(line.line()).isEqualTo(4);
                assertThat(line.row().prompt()).isEqualTo("last");
            });
            assertThat(reader.next()).isNull();
            assertThat(reader.next()).isNull();
            assertThat(reader.blankLines()).isEqualTo(2);
        }
    }

    @Test
    void damaged_pictures_are_malformed() throws IOException {
        byte[] png = RgbImage.of(40, 40, new byte[4800]).png();
        Files.write(directory.resolve("images/cut.png"), Arrays.copyOf(png, png.length - 20));
        Files.write(directory.resolve("images/empty.png"), new byte[0]);
        assertThat(malformed("{\"prompt\": \"x\", \"image\": \"images/cut.png\"}")
                        .fault())
                .isEqualTo(DatasetFault.CUT_IMAGE);
        assertThat(malformed("{\"prompt\": \"x\", \"image\": \"images/empty.png\"}")
                        .fault())
                .isEqualTo(DatasetFault.UNREADABLE_IMAGE);
    }

    @ParameterizedTest
    @CsvSource({"8193, 1, 8192 a side", "8192, 8192, 33554432"})
    void a_picture_of_too_many_pixels_is_refused_by_its_header(int width, int height, String limit) throws IOException {
        Files.write(directory.resolve("images/large.png"), header(width, height));
        DatasetLine.Malformed malformed = malformed("{\"prompt\": \"x\", \"image\": \"images/large.png\"}");
        assertThat(malformed.fault()).isEqualTo(DatasetFault.OVERSIZED_IMAGE);
        assertThat(malformed.reason()).contains(limit).contains(width + "x" + height);
    }

    /** Returns a PNG file that has a size but no pixels. */
    private static byte[] header(int width, int height) throws IOException {
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        out.write(new byte[] {(byte) 137, 'P', 'N', 'G', 13, 10, 26, 10, 0, 0, 0, 13});
        java.nio.ByteBuffer chunk = java.nio.ByteBuffer.allocate(17)
                .put("IHDR".getBytes(StandardCharsets.US_ASCII))
                .putInt(width)
                .putInt(height)
                .put(new byte[] {8, 2, 0, 0, 0});
        out.write(chunk.array());
        CRC32 sum = new CRC32();
        sum.update(chunk.array());
        out.write(java.nio.ByteBuffer.allocate(4).putInt((int) sum.getValue()).array());
        return out.toByteArray();
    }

    @Test
    void a_file_of_too_many_bytes_is_not_read() throws IOException {
        try (var file = new java.io.RandomAccessFile(
                directory.resolve("images/long.png").toFile(), "rw")) {
            file.setLength(PictureReader.FILE_BYTES_MAX + 1);
        }
        DatasetLine.Malformed malformed = malformed("{\"prompt\": \"x\", \"image\": \"images/long.png\"}");
        assertThat(malformed.fault()).isEqualTo(DatasetFault.OVERSIZED_IMAGE);
        assertThat(malformed.reason()).contains("limit " + PictureReader.FILE_BYTES_MAX);
    }

    @Test
    void a_link_out_of_the_directory_is_refused_and_one_within_it_is_followed(@TempDir Path elsewhere)
            throws IOException {
        Files.write(elsewhere.resolve("secret.png"), PICTURE.png());
        Files.createSymbolicLink(directory.resolve("images/out.png"), elsewhere.resolve("secret.png"));
        Files.createSymbolicLink(directory.resolve("folder"), elsewhere);
        Files.createSymbolicLink(directory.resolve("images/in.png"), directory.resolve("images/a.png"));
        assertThat(malformed("{\"prompt\": \"x\", \"image\": \"images/out.png\"}")
                        .fault())
                .isEqualTo(DatasetFault.PATH_OUTSIDE);
        assertThat(malformed("{\"prompt\": \"x\", \"image\": \"folder/secret.png\"}")
                        .fault())
                .isEqualTo(DatasetFault.PATH_OUTSIDE);
        assertThat(row(read("{\"prompt\": \"x\", \"image\": \"images/in.png\"}").getFirst())
                        .image())
                .isEqualTo("images/in.png");
    }

    @Test
    void a_target_of_another_size_is_malformed_and_a_reference_may_have_any() throws IOException {
        Files.write(
                directory.resolve("images/t.png"),
                RgbImage.of(2, 3, new byte[18]).png());
        assertThat(malformed("{\"prompt\": \"x\", \"image\": \"images/a.png\", \"target\": \"images/t.png\"}")
                        .fault())
                .isEqualTo(DatasetFault.TARGET_SIZE);
        assertThat(read("{\"prompt\": \"x\", \"image\": \"images/a.png\", \"reference\": \"images/t.png\"}"))
                .singleElement()
                .isInstanceOfSatisfying(DatasetLine.Usable.class, line -> {
                    DatasetImages square = line.images().square(2);
                    assertThat(square.source().width()).isEqualTo(2);
                    RgbImage reference = square.reference();
                    assertThat(reference).isNotNull();
                    assertThat(reference == null ? 0 : reference.height()).isEqualTo(2);
                });
    }

    @Test
    void reading_ends_visibly_at_the_limit_of_rows() throws IOException {
        Files.writeString(
                directory.resolve("train_metadata.jsonl"),
                (GOOD + "\n") + (GOOD.replace("\"p\"", "\"q\"") + "\n") + (GOOD.replace("\"p\"", "\"r\"") + "\n"));
        DatasetDirectory dataset = new DatasetDirectory(directory);
        try (DatasetReader reader = new DatasetReader(dataset, dataset.metadata(Split.TRAIN), 2)) {
            assertThat(reader.next()).isInstanceOf(DatasetLine.Usable.class);
            assertThat(reader.next()).isInstanceOf(DatasetLine.Usable.class);
            assertThat(reader.next()).isInstanceOfSatisfying(DatasetLine.Malformed.class, bad -> assertThat(bad.fault())
                    .isEqualTo(DatasetFault.TOO_MANY_ROWS));
            assertThat(reader.next()).isNull();
        }
    }

    @Test
    void what_is_not_there_is_named() throws IOException {
        assertThatThrownBy(() -> new DatasetDirectory(directory.resolve("none")))
                .isInstanceOf(NoSuchFileException.class)
                .hasMessageContaining("none");
        DatasetDirectory dataset = new DatasetDirectory(directory);
        assertThat(dataset.has(Split.TRAIN)).isFalse();
        assertThatThrownBy(() -> dataset.reader(Split.TRAIN)).hasMessageContaining("train_metadata.jsonl");
    }

    @Property(tries = 30)
    void a_dataset_that_is_written_is_read_back_row_by_row(
            @ForAll @Size(max = 6) List<@StringLength(max = 20) String> texts,
            @ForAll @IntRange(min = 1, max = 9) int side)
            throws IOException {
        Path fresh = Files.createTempDirectory("darkroom-dataset");
        List<DatasetRow> written = new ArrayList<>();
        RgbImage picture = RgbImage.of(side, side, new byte[3 * side * side]);
        try (DatasetWriter writer = new DatasetWriter(fresh, Split.VALIDATION, false)) {
            for (int i = 0; i < texts.size(); i++) {
                String text = new String(texts.get(i).getBytes(StandardCharsets.UTF_8), StandardCharsets.UTF_8);
                DatasetRow row = DatasetRow.of("#" + text, writer.image("r" + i, picture), text)
                        .with("id", "r" + i)
                        .with("note", text);
                writer.row(row);
                written.add(row);
            }
            assertThat(new DatasetDirectory(fresh).has(Split.VALIDATION)).isFalse();
            writer.finish();
        }
        List<DatasetLine> read = readAll(new DatasetDirectory(fresh), Split.VALIDATION);
        assertThat(read.stream().map(DatasetReaderTest::row)).isEqualTo(written);
        assertThat(read).allSatisfy(line -> assertThat(
                        ((DatasetLine.Usable) line).images().source())
                .isEqualTo(picture));
        delete(fresh);
    }

    private static void delete(@Nullable Path place) throws IOException {
        if (place != null) {
            try (var inside = Files.walk(place)) {
                for (Path path :
                        inside.sorted(java.util.Comparator.reverseOrder()).toList()) {
                    Files.delete(path);
                }
            }
        }
    }

    @Test
    void a_split_that_is_there_is_replaced_only_on_demand_and_only_by_a_whole_one() throws IOException {
        read(GOOD);
        assertThatThrownBy(() -> new DatasetWriter(directory, Split.TRAIN, false).close())
                .isInstanceOf(FileAlreadyExistsException.class);
        try (DatasetWriter writer = new DatasetWriter(directory, Split.TRAIN, true)) {
            writer.row(DatasetRow.of("cut short", "images/a.png", ""));
        }
        assertThat(Files.readString(directory.resolve("train_metadata.jsonl"))).isEqualTo(GOOD + "\n");
        assertThatThrownBy(() -> {
                    try (DatasetWriter writer = new DatasetWriter(directory, Split.TRAIN, true)) {
                        writer.image("../a", PICTURE);
                    }
                })
                .hasMessageContaining("name=../a");
    }
}
