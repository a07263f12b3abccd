package darkroom.runtime;

import static org.assertj.core.api.Assertions.assertThat;

import darkroom.edittasks.pictures.RgbImage;
import darkroom.runtime.base.ExitCode;
import darkroom.runtime.report.ContactSheet;
import java.awt.image.BufferedImage;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import javax.imageio.ImageIO;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import picocli.CommandLine;

class DatasetCommandTest {
    private final Path directory;
    private StringWriter out = new StringWriter();
    private StringWriter err = new StringWriter();

    DatasetCommandTest(@TempDir Path folder) {
        this.directory = folder.resolve("rows");
    }

    private int run(String... args) {
        out = new StringWriter();
        err = new StringWriter();
        CommandLine commands = Darkroom.commandLine();
        commands.setOut(new PrintWriter(out, true));
        commands.setErr(new PrintWriter(err, true));
        return commands.execute(args);
    }

    private int render(String... more) {
        String[] args = {"dataset", "render", "--out", directory.toString(), "--count", "6"};
        return run(java.util.stream.Stream.of(args, more)
                .flatMap(java.util.Arrays::stream)
                .toArray(String[]::new));
    }

    @ParameterizedTest
    @ValueSource(strings = {"render", "inspect", "validate", "curate"})
    void everyCommandExplainsItself(String command) {
        assertThat(run("dataset", command, "--help")).isZero();
        assertThat(out.toString()).contains("Usage: darkroom dataset " + command);
    }

    @Test
    void aRenderedDatasetIsValidAndCanBeLookedAt() throws IOException {
        assertThat(render("--tasks", "add,reference", "--seed", "4"))
                .as(err.toString())
                .isZero();
        assertThat(out.toString()).contains("wrote 6 rows into " + directory.resolve("train_metadata.jsonl"));
        assertThat(run("dataset", "validate", directory.toString())).isZero();
        assertThat(out.toString()).contains("6 usable rows, 0 malformed lines");
        Path sheet = directory.resolveSibling("sheet.png");
        assertThat(run("dataset", "inspect", directory.toString(), "--out", sheet.toString(), "--rows", "4"))
                .isZero();
        assertThat(out.toString())
                .contains("6 with target", "sizes: 32x32 (6)", "unknown to the embedded models: none")
                .contains("   4  train  reference: ");
        RgbImage picture = RgbImage.decode(Files.readAllBytes(sheet));
        assertThat(picture.width()).isEqualTo(4 * (128 + ContactSheet.GAP) - ContactSheet.GAP);
        assertThat(picture.height()).isEqualTo(4 * (128 + ContactSheet.GAP) - ContactSheet.GAP);
    }

    @Test
    void splitsLieSideBySideAndAreReplacedOnlyOnDemand() {
        assertThat(render()).isZero();
        assertThat(render("--split", "held-out")).isZero();
        assertThat(directory.resolve("test_metadata.jsonl")).exists();
        assertThat(render()).isEqualTo(ExitCode.USAGE.code());
        assertThat(err.toString()).contains("train_metadata.jsonl is there already", "--force");
        assertThat(render("--force")).isZero();
    }

    @ParameterizedTest
    @ValueSource(strings = {"--size=48", "--tasks=paint", "--count=0", "--split=test", "--objects=3", "--seed=x"})
    void whatCannotBeRenderedIsAUsageError(String option) {
        assertThat(render(option)).isEqualTo(ExitCode.USAGE.code());
        assertThat(err.toString())
                .contains(option.substring(2, option.indexOf('=')).replace("tasks", "paint"));
        assertThat(directory).doesNotExist();
    }

    @Test
    void validateListsEveryMalformedLineAndFails() throws IOException {
        render();
        Files.writeString(
                directory.resolve("train_metadata.jsonl"),
                "{\"prompt\": \"p\"}\n\n{\"prompt\": \"p\", \"image\": \"../x.png\"}\n",
                StandardOpenOption.APPEND);
        assertThat(run("dataset", "validate", directory.toString())).isEqualTo(ExitCode.FAILED.code());
        assertThat(out.toString().lines().toList()).hasSize(3).satisfies(lines -> {
            assertThat(lines.get(0)).contains("train_metadata.jsonl:7: field image is missing");
            assertThat(lines.get(1)).contains("train_metadata.jsonl:9: image=../x.png leads out");
            assertThat(lines.get(2))
                    .contains("6 usable rows, 2 malformed lines (1 missing-field, 1 path-outside), 1 blank lines");
        });
    }

    @Test
    void validateCountsThePicturesThatWereConvertedAndTheLinesThatRepeat() throws IOException {
        Files.createDirectories(directory.resolve("images"));
        ImageIO.write(
                new BufferedImage(8, 8, BufferedImage.TYPE_BYTE_GRAY),
                "png",
                directory.resolve("images/gray.png").toFile());
        ImageIO.write(
                new BufferedImage(8, 8, BufferedImage.TYPE_INT_ARGB),
                "png",
                directory.resolve("images/clear.jpg").toFile());
        Files.writeString(directory.resolve("train_metadata.jsonl"), """
            {"prompt": "p", "image": "images/gray.png"}
            {"prompt": "q", "image": "images/gray.png"}
            {"prompt": "q", "image": "images/clear.jpg", "weight": 4}
            {"prompt": "p", "image": "images/gray.png"}
            """);
        assertThat(run("dataset", "validate", directory.toString())).isZero();
        assertThat(out.toString())
                .contains("3 usable rows, 0 malformed lines")
                .contains("2 of 2 pictures are not plain 8-bit sRGB and were converted")
                .containsPattern("gray +1 ")
                .containsPattern("alpha +1 ")
                .containsPattern("other-format +1 ")
                .contains("1 lines repeat a row word for word")
                .contains("the weights add up to 7.0");
        assertThat(run("dataset", "validate", directory.toString(), "--pictures", "as-stored"))
                .isZero();
        assertThat(out.toString()).doesNotContain("alpha");
        assertThat(run("dataset", "validate", directory.toString(), "--pictures", "raw"))
                .isEqualTo(ExitCode.USAGE.code());
        assertThat(run("dataset", "inspect", directory.toString())).isZero();
        assertThat(out.toString()).contains("weights add up to 7.0", "1 lines repeat a row");
    }

    @Test
    void aDatasetWithoutAUsableRowIsNotValid() throws IOException {
        Files.createDirectories(directory);
        Files.writeString(directory.resolve("train_metadata.jsonl"), "\n");
        assertThat(run("dataset", "validate", directory.toString())).isEqualTo(ExitCode.FAILED.code());
        assertThat(out.toString()).contains("no usable row, so nothing to train on; add rows");
    }

    @Test
    void whatIsNoDatasetIsSaidToBeNone() throws IOException {
        assertThat(run("dataset", "validate", directory.toString())).isEqualTo(ExitCode.USAGE.code());
        Files.createDirectories(directory);
        assertThat(run("dataset", "validate", directory.toString())).isEqualTo(ExitCode.FAILED.code());
        assertThat(err.toString()).contains("has no train_metadata.jsonl");
        assertThat(run("dataset", "inspect", directory.toString())).isEqualTo(ExitCode.FAILED.code());
    }

    @Test
    void theRenderedTasksCanBeLookedAtWithoutWritingThem() {
        assertThat(run("dataset", "inspect", "embedded", "--count", "24")).isZero();
        assertThat(out.toString()).contains("rendered tasks, train: 24 rows");
        assertThat(run("dataset", "inspect", "embedded", "--size", "48")).isEqualTo(ExitCode.USAGE.code());
    }

    @Test
    void curatedPicturesAreADatasetAndTheRestHasReasons() throws IOException {
        Path annotated = directory.resolveSibling("annotated");
        Files.createDirectories(annotated);
        byte[] png = RgbImage.of(64, 64, new byte[3 * 64 * 64]).png();
        for (String name : new String[] {"a", "b"}) {
            Files.write(annotated.resolve(name + ".png"), png);
        }
        Files.writeString(annotated.resolve("annotations.jsonl"), """
            {"image": "a.png", "objects": [{"name": "dog", "box": [10, 10, 50, 50]}]}
            {"image": "b.png", "objects": [{"name": "cat", "box": [10, 10, 12, 12]}]}
            """);
        String[] args = {
            "dataset",
            "curate",
            "--in",
            annotated.toString(),
            "--out",
            directory.toString(),
            "--test-share",
            "0",
            "--validation-share",
            "0",
            "--red-box-share",
            "1",
            "--cap",
            "remove=5"
        };
        assertThat(run(args)).as(err.toString()).isZero();
        assertThat(out.toString())
                .contains("2 pictures: 1 kept, 1 rejected (box-too-small 1)")
                .contains("2 rows (red-box 1, remove 1)");
        assertThat(directory.resolve("rejected.jsonl")).content().contains("box-too-small");
        assertThat(run("dataset", "validate", directory.toString())).isZero();
        assertThat(run(args)).isEqualTo(ExitCode.USAGE.code());
        assertThat(run("dataset", "curate", "--in", directory.toString(), "--out", "x"))
                .isEqualTo(ExitCode.USAGE.code());
        assertThat(run("dataset", "curate", "--in", annotated.toString(), "--out", "x", "--box-min", "2"))
                .isEqualTo(ExitCode.USAGE.code());
        assertThat(err.toString()).contains("--box-min=2.0");
    }
}
