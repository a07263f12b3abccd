package darkroom.edittasks.pictures;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowable;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import darkroom.config.PictureView;
import java.io.IOException;
import java.net.URISyntaxException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Base64;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;
import org.junit.jupiter.api.io.TempDir;

/** Reads every file written by {@code src/test/pictures/make.py}; the truth is Pillow's, as in {@code docs/pictures.md}. */
class PictureReaderTest {
    private static final Path PICTURES = pictures();

    private static Path pictures() {
        try {
            return Path.of(PictureReaderTest.class
                    .getResource("/darkroom/edittasks/pictures")
                    .toURI());
        } catch (URISyntaxException e) {
            throw new IllegalStateException(e);
        }
    }

    private static List<JsonNode> rows() throws IOException {
        List<JsonNode> rows = new ArrayList<>();
        new JsonMapper().readTree(PICTURES.resolve("expected.json").toFile()).forEach(rows::add);
        assertThat(rows).hasSizeGreaterThan(150);
        return rows;
    }

    private static String name(JsonNode row) {
        return row.path("file").textValue();
    }

    private static Stream<JsonNode> read() throws IOException {
        return rows().stream().filter(row -> row.path("refused").isMissingNode());
    }

    private static void holds(RgbImage image, JsonNode expected, int tolerance) {
        byte[] rgb = Base64.getDecoder().decode(expected.get(2).textValue());
        assertThat(image.width() + "x" + image.height())
                .isEqualTo(expected.get(0).intValue() + "x" + expected.get(1).intValue());
        byte[] read = image.bytes();
        for (int i = 0; i < rgb.length; i++) {
            if (Math.abs((read[i] & 255) - (rgb[i] & 255)) > tolerance) {
                int p = i / 3;
                throw new AssertionError("channel %d of pixel (%d, %d) is %d and not %d, give or take %d"
                        .formatted(
                                i % 3, p % image.width(), p / image.width(), read[i] & 255, rgb[i] & 255, tolerance));
            }
        }
    }

    @TestFactory
    Stream<DynamicTest> a_picture_is_read_as_a_viewer_shows_it() throws IOException {
        return read().map(row -> DynamicTest.dynamicTest(name(row), () -> {
            Picture picture = PictureReader.read(PICTURES.resolve(name(row)), PictureView.DISPLAYED);
            holds(picture.image(), row.get("displayed"), row.get("tolerance").intValue());
            List<String> conversions = new ArrayList<>();
            row.get("conversions").forEach(label -> conversions.add(label.textValue()));
            assertThat(picture.conversions().stream()
                            .map(PictureConversion::label)
                            .toList())
                    .containsExactlyInAnyOrderElementsOf(conversions);
        }));
    }

    @TestFactory
    Stream<DynamicTest> a_picture_is_read_as_stored_like_in_edit_r1() throws IOException {
        return read().map(row -> DynamicTest.dynamicTest(
                name(row),
                () -> holds(
                        PictureReader.read(PICTURES.resolve(name(row)), PictureView.AS_STORED)
                                .image(),
                        row.get("asStored"),
                        Math.max(1, row.get("tolerance").intValue() - 1))));
    }

    @TestFactory
    Stream<DynamicTest> a_file_that_is_no_whole_picture_is_refused_with_the_reason_and_the_remedy() throws IOException {
        return rows().stream()
                .filter(row -> !row.path("refused").isMissingNode())
                .map(row -> DynamicTest.dynamicTest(name(row), () -> assertThatThrownBy(
                                () -> PictureReader.read(PICTURES.resolve(name(row)), PictureView.DISPLAYED))
                        .isInstanceOfSatisfying(PictureException.class, e -> {
                            assertThat(e.kind().name())
                                    .isEqualTo(row.get("refused").textValue());
                            row.get("words")
                                    .forEach(word -> assertThat(e.reason()).contains(word.textValue()));
                            assertThat(e).hasMessageEndingWith(e.kind().remedy());
                            assertThat(e.getMessage()).doesNotContain("null");
                        })));
    }

    /** No prefix of a file is read like the whole file. BMP and TIFF may end with meaningless bytes. */
    @TestFactory
    Stream<DynamicTest> a_picture_that_is_cut_off_anywhere_is_refused() throws IOException {
        return read().map(row -> DynamicTest.dynamicTest(name(row), () -> {
            byte[] file = Files.readAllBytes(PICTURES.resolve(name(row)));
            Picture whole = PictureReader.read(file, PictureView.DISPLAYED);
            boolean endMark = whole.format() != PictureFormat.BMP && whole.format() != PictureFormat.TIFF;
            int end = row.get("wholeFrom").intValue();
            int step = 1 + end / 300;
            for (int length = 0; length < end; length += length < end - 40 ? step : 1) {
                byte[] cut = Arrays.copyOf(file, length);
                try {
                    Picture read = PictureReader.read(cut, PictureView.DISPLAYED);
                    assertThat(!endMark && read.image().equals(whole.image()))
                            .as("%d of %d bytes were read", length, file.length)
                            .isTrue();
                } catch (PictureException e) {
                    assertThat(e.getMessage()).as("%d bytes", length).doesNotContain("null");
                    if (length >= 12 && PictureFormat.of(cut) != PictureFormat.TIFF) {
                        assertThat(e.kind()).as(e.getMessage()).isEqualTo(PictureException.Kind.CUT_OFF);
                    }
                }
            }
        }));
    }

    /** For any altered bytes: a picture or a {@link PictureException}, never another exception. */
    @TestFactory
    Stream<DynamicTest> an_altered_file_is_read_or_refused_and_nothing_else() throws IOException {
        return read().filter(row -> name(row).hashCode() % 3 == 0)
                .map(row -> DynamicTest.dynamicTest(name(row), () -> {
                    byte[] file = Files.readAllBytes(PICTURES.resolve(name(row)));
                    for (int at = 0; at < file.length; at += 1 + file.length / 60) {
                        byte[] altered = file.clone();
                        altered[at] ^= (byte) (1 << at % 8 | 0x40);
                        Throwable thrown = catchThrowable(() -> PictureReader.read(altered, PictureView.DISPLAYED));
                        if (thrown != null) {
                            assertThat(thrown).as("byte %d", at).isInstanceOf(PictureException.class);
                            assertThat(thrown.getMessage()).doesNotContain("null");
                        }
                    }
                }));
    }

    @Test
    void the_same_pixels_with_a_profile_are_the_same_in_every_format() throws IOException {
        RgbImage png = PictureReader.read(PICTURES.resolve("profile-p3.png"), PictureView.DISPLAYED)
                .image();
        for (String other : List.of("profile-p3.jpg", "profile-p3.webp", "profile-p3.tiff")) {
            RgbImage image = PictureReader.read(PICTURES.resolve(other), PictureView.DISPLAYED)
                    .image();
            double sum = 0;
            for (int i = 0; i < image.bytes().length; i++) {
                sum += Math.abs((image.bytes()[i] & 255) - (png.bytes()[i] & 255));
            }
            assertThat(sum / image.bytes().length).as(other).isLessThan(6);
        }
    }

    @Test
    void a_file_larger_than_the_bound_and_one_that_is_no_file_are_not_read(@TempDir Path directory) throws IOException {
        Path large = directory.resolve("large.png");
        try (var file = new java.io.RandomAccessFile(large.toFile(), "rw")) {
            file.setLength(PictureReader.FILE_BYTES_MAX + 1);
        }
        assertThatThrownBy(() -> PictureReader.read(large, PictureView.DISPLAYED))
                .hasMessageContaining("limit " + PictureReader.FILE_BYTES_MAX)
                .hasMessageContaining("PictureReader.FILE_BYTES_MAX");
        assertThatThrownBy(() -> PictureReader.read(directory, PictureView.DISPLAYED))
                .hasMessage("no regular file");
    }

    /** Each file of the tests has its row in the table of the documentation, and each row has its file. */
    @Test
    void every_file_is_in_the_table_of_the_documentation_and_every_row_of_the_table_is_tested() throws IOException {
        Map<String, JsonNode> files = new TreeMap<>();
        rows().forEach(row -> files.put(name(row), row));
        TreeSet<String> documented = new TreeSet<>();
        String page = Files.readString(Path.of("../docs/pictures.md"));
        for (String line : page.lines().filter(text -> text.startsWith("| ")).toList()) {
            String last = line.substring(line.lastIndexOf('|', line.length() - 2) + 1, line.length() - 1);
            for (String file : last.replace("`", "").split(",")) {
                if (file.strip().contains(".")) {
                    documented.add(file.strip());
                }
            }
        }
        assertThat(documented).isEqualTo(files.keySet());
    }
}
