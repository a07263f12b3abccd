package darkroom.runtime.run;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import darkroom.config.DataSettings;
import darkroom.config.DataSettings.OnMalformed;
import darkroom.config.PictureView;
import darkroom.edittasks.datasets.DatasetRow;
import darkroom.edittasks.datasets.DatasetWriter;
import darkroom.edittasks.pictures.RgbImage;
import darkroom.edittasks.tasks.Split;
import darkroom.runtime.base.CommandFailedException;
import darkroom.runtime.base.ExitCode;
import darkroom.runtime.base.Row;
import java.awt.image.BufferedImage;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Arrays;
import java.util.List;
import javax.imageio.ImageIO;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class JsonlRowsTest {
    private final Path directory;
    private final StringWriter warnings = new StringWriter();

    JsonlRowsTest(@TempDir Path directory) {
        this.directory = directory;
    }

    private static RgbImage picture(int width, int height, int level) {
        byte[] rgb = new byte[3 * width * height];
        Arrays.fill(rgb, (byte) level);
        return RgbImage.of(width, height, rgb);
    }

    private void write(Split split, String... prompts) throws IOException {
        try (DatasetWriter writer = new DatasetWriter(directory, split, false)) {
            String image = writer.image("source", picture(48, 40, 10));
            for (String prompt : prompts) {
                writer.row(DatasetRow.of(prompt, image, "check " + prompt));
            }
            writer.finish();
        }
    }

    private void append(String line) throws IOException {
        Files.writeString(directory.resolve("train_metadata.jsonl"), line + "\n", StandardOpenOption.APPEND);
    }

    private JsonlRows open(Split split, OnMalformed onMalformed) {
        DataSettings settings = new DataSettings(directory.toString(), List.of(), 4000, onMalformed);
        return JsonlRows.open(directory, split, settings, 32, new PrintWriter(warnings, true));
    }

    @Test
    void rows_come_in_the_order_of_the_file_at_the_resolution_of_the_policy() throws IOException {
        write(Split.TRAIN, "one", "two", "three");
        JsonlRows rows = open(Split.TRAIN, OnMalformed.STOP);
        assertThat(rows.size()).isEqualTo(3);
        assertThat(rows.first(3)).extracting(Row::instruction).containsExactly("one", "two", "three");
        assertThat(rows.first(3)).extracting(Row::id).doesNotHaveDuplicates();
        Row row = rows.row(2);
        assertThat(row).isEqualTo(rows.row(2));
        assertThat(row.source()).isEqualTo(picture(32, 32, 10));
        assertThat(row.requirement()).isEqualTo("check three");
        assertThat(row.taskType()).isEqualTo("unknown");
        assertThat(row.target()).isNull();
        assertThat(warnings.toString()).isEmpty();
    }

    @Test
    void a_row_is_the_same_row_wherever_it_stands_and_another_in_another_split() throws IOException {
        write(Split.TRAIN, "one", "two");
        write(Split.VALIDATION, "two");
        String id = open(Split.TRAIN, OnMalformed.STOP).row(1).id();
        assertThat(open(Split.VALIDATION, OnMalformed.STOP).row(0).id())
                .startsWith("validation-")
                .isNotEqualTo(id);
        Files.delete(directory.resolve("train_metadata.jsonl"));
        write(Split.TRAIN, "two", "zero");
        assertThat(open(Split.TRAIN, OnMalformed.STOP).row(0).id()).isEqualTo(id);
    }

    @Test
    void equal_words_about_two_pictures_are_two_rows() throws IOException {
        write(Split.TRAIN, "remove what is in the red box");
        Files.write(directory.resolve("images/other.png"), picture(32, 32, 200).png());
        append("{\"prompt\": \"remove what is in the red box\", \"image\": \"images/other.png\"}");
        assertThat(open(Split.TRAIN, OnMalformed.STOP).first(2))
                .extracting(Row::id)
                .doesNotHaveDuplicates();
    }

    @Test
    void own_fields_reach_the_run() throws IOException {
        write(Split.TRAIN, "one");
        Files.write(directory.resolve("images/target.png"), picture(48, 40, 90).png());
        Files.write(
                directory.resolve("images/reference.png"), picture(64, 64, 70).png());
        append("{\"prompt\": \"p\", \"image\": \"images/source.png\", \"id\": 12, \"task_type\": \"relight\","
                + " \"target\": \"images/target.png\", \"reference\": \"images/reference.png\", \"x\": 1}");
        Row row = open(Split.TRAIN, OnMalformed.STOP).row(1);
        assertThat(row.id()).isEqualTo("train-12");
        assertThat(row.taskType()).isEqualTo("relight");
        assertThat(row.target()).isEqualTo(picture(32, 32, 90));
        assertThat(row.reference()).isEqualTo(picture(32, 32, 70));
    }

    @Test
    void lines_that_repeat_a_row_add_to_its_weight_and_a_digest_without_weights_stays_what_it_is() throws IOException {
        write(Split.TRAIN, "one", "two");
        String plain = open(Split.TRAIN, OnMalformed.STOP).digest();
        String two =
                Files.readAllLines(directory.resolve("train_metadata.jsonl")).get(1);
        append(two);
        append("{\"prompt\": \"three\", \"image\": \"images/source.png\", \"weight\": 0.5}");
        append(two);
        JsonlRows rows = open(Split.TRAIN, OnMalformed.STOP);
        assertThat(rows.first(9)).extracting(Row::instruction).containsExactly("one", "two", "three");
        assertThat(new double[] {rows.weight(0), rows.weight(1), rows.weight(2)})
                .containsExactly(1, 3, 0.5);
        assertThat(warnings.toString()).contains("2 lines repeat a row word for word");
        String weighted = rows.digest();
        append(two);
        assertThat(open(Split.TRAIN, OnMalformed.STOP).digest()).isNotEqualTo(weighted);
        Files.delete(directory.resolve("train_metadata.jsonl"));
        write(Split.TRAIN, "one", "two");
        assertThat(open(Split.TRAIN, OnMalformed.STOP).digest()).isEqualTo(plain);
    }

    @Test
    void pictures_are_read_as_the_settings_say() throws IOException {
        write(Split.TRAIN, "one");
        BufferedImage clear = new BufferedImage(32, 32, BufferedImage.TYPE_INT_ARGB);
        clear.setRGB(0, 0, 0x000a141e);
        ImageIO.write(clear, "png", directory.resolve("images/clear.png").toFile());
        append("{\"prompt\": \"p\", \"image\": \"images/clear.png\"}");
        assertThat(open(Split.TRAIN, OnMalformed.STOP).row(1).source().channel(0, 0, 0))
                .isEqualTo(255);
        DataSettings stored =
                new DataSettings(directory.toString(), List.of(), 4000, OnMalformed.STOP, PictureView.AS_STORED);
        assertThat(JsonlRows.open(directory, Split.TRAIN, stored, 32, new PrintWriter(warnings, true))
                        .row(1)
                        .source()
                        .channel(0, 0, 0))
                .isEqualTo(10);
    }

    @Test
    void a_malformed_line_is_told_and_left_out_where_the_settings_say_skip() throws IOException {
        write(Split.TRAIN, "one", "two");
        append("{\"prompt\": ");
        append("{\"prompt\": \"three\", \"image\": \"images/source.png\"}");
        JsonlRows rows = open(Split.TRAIN, OnMalformed.SKIP);
        assertThat(rows.first(9)).extracting(Row::instruction).containsExactly("one", "two", "three");
        assertThat(warnings.toString())
                .contains("left out: " + directory.resolve("train_metadata.jsonl") + ":3: the line is no JSON")
                .contains("1 of 4 rows are malformed and left out");
    }

    @Test
    void a_flood_of_malformed_lines_is_counted_after_the_first_hundred() throws IOException {
        write(Split.TRAIN, "one");
        append("[]\n".repeat(JsonlRows.SHOWN_MAX + 50));
        assertThat(open(Split.TRAIN, OnMalformed.SKIP).size()).isEqualTo(1);
        assertThat(warnings.toString().lines()).hasSize(JsonlRows.SHOWN_MAX + 1);
        assertThat(warnings.toString()).contains("150 of 151 rows");
    }

    @Test
    void a_malformed_line_ends_the_matter_where_the_settings_say_stop() throws IOException {
        write(Split.TRAIN, "one", "two");
        append("{\"prompt\": \"three\", \"image\": \"../three.png\"}");
        assertThatThrownBy(() -> open(Split.TRAIN, OnMalformed.STOP))
                .isInstanceOfSatisfying(CommandFailedException.class, failed -> assertThat(failed.exitCode())
                        .isEqualTo(ExitCode.USAGE))
                .hasMessageContaining("train_metadata.jsonl:3: image=../three.png leads out")
                .hasMessageContaining("data.on-malformed=skip");
    }

    @Test
    void what_a_run_cannot_do_without_is_named() throws IOException {
        assertThatThrownBy(() -> open(Split.TRAIN, OnMalformed.SKIP))
                .isInstanceOf(CommandFailedException.class)
                .hasMessageContaining("has no train_metadata.jsonl");
        assertThat(open(Split.VALIDATION, OnMalformed.STOP).size()).isZero();
        assertThat(open(Split.HELD_OUT, OnMalformed.STOP).size()).isZero();
        write(Split.TRAIN);
        assertThatThrownBy(() -> open(Split.TRAIN, OnMalformed.SKIP)).hasMessageContaining("no usable row");
        DataSettings nowhere = new DataSettings("nowhere", List.of(), 1, OnMalformed.SKIP);
        assertThatThrownBy(() -> JsonlRows.open(
                        directory.resolve("nowhere"), Split.TRAIN, nowhere, 32, new PrintWriter(warnings)))
                .hasMessageContaining("data.source=");
    }

    @Test
    void a_dataset_that_changes_under_a_run_is_noticed() throws IOException {
        write(Split.TRAIN, "one", "two");
        JsonlRows rows = open(Split.TRAIN, OnMalformed.STOP);
        String digest = rows.digest();
        Row before = rows.row(1);
        Files.write(directory.resolve("images/source.png"), picture(48, 40, 11).png());
        assertThatThrownBy(() -> rows.row(1))
                .isInstanceOf(UncheckedIOException.class)
                .hasMessageContaining("train_metadata.jsonl:2: the row is not what it was")
                .hasMessageContaining("images/source.png has SHA-256 ");
        assertThat(open(Split.TRAIN, OnMalformed.STOP).digest()).isNotEqualTo(digest);
        Files.write(directory.resolve("images/source.png"), picture(48, 40, 10).png());
        assertThat(rows.row(1)).isEqualTo(before);
        assertThat(open(Split.TRAIN, OnMalformed.STOP).digest()).isEqualTo(digest);
        Files.writeString(directory.resolve("train_metadata.jsonl"), "{}");
        assertThatThrownBy(() -> rows.row(1)).hasMessageContaining("restore the dataset");
    }

    /** F11: the words that the embedded model cannot read are counted and named. */
    @Test
    void words_that_are_left_out_are_told() throws IOException {
        write(
                Split.TRAIN,
                "make the balloon purple",
                "make the wombat purple",
                "make the balloon red and the car blue and the house green and add a dog and add a cat");
        assertThat(open(Split.TRAIN, OnMalformed.STOP).remarks())
                .hasSize(2)
                .allMatch(line -> line.startsWith(directory.resolve("train_metadata.jsonl") + ": 1 of 3 instructions "))
                .anyMatch(line -> line.contains("do not know and leave out: wombat"))
                .anyMatch(line -> line.contains("longer than the 10 tokens") && line.contains("cat"));
    }
}
