package darkroom.runtime.studies;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import darkroom.config.Precision;
import darkroom.edittasks.pictures.RgbImage;
import darkroom.edittasks.tasks.GroundTruth;
import darkroom.gpuworkers.JudgeExamples;
import darkroom.gpuworkers.PretrainJudge.Agreement;
import darkroom.gpuworkers.PretrainJudge.Progress;
import darkroom.runtime.base.CommandFailedException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Input of the training script, and handling of its output; a shell script replaces python. */
@Timeout(120)
class QwenJudgeTest {
    private static final int BYTES = 3 * JudgeExamples.SIDE * JudgeExamples.SIDE;
    private static final int EXAMPLES = 70;
    private static final int HELD_OUT = 2;
    private static final String TRUTHS =
            "sed 's/.*\"truth\":\\(\\[[^]]*\\]\\).*/\\1/' \"$2/held-out.jsonl\" | paste -sd,";

    private final Path folder;
    private final List<String> heard = new ArrayList<>();
    private final List<Progress> progress = new ArrayList<>();

    QwenJudgeTest(@TempDir Path folder) {
        this.folder = folder;
    }

    @Test
    void examples_are_written_as_the_script_reads_them_and_its_scores_are_measured() throws Exception {
        Path kept = folder.resolve("kept");
        Path python = python("""
            cp -r "$2" %s
            echo '{"examples": 16, "likelihood": 1.5, "ranking": 0.5}'
            echo "{\\"scores\\": [$(%s)]}"
            """.formatted(kept, TRUTHS));
        assertThat(train(python)).isEqualTo(new Agreement(1, 1));
        assertThat(progress).containsExactly(new Progress(16, 72, 1.5, 0.5, null));
        assertThat(heard).anyMatch(step -> step.contains("72 examples"));
        assertThat(folder.resolve("out/examples")).doesNotExist();

        byte[] pictures = Files.readAllBytes(kept.resolve("pictures.rgb"));
        assertThat(pictures.length % BYTES).isZero();
        List<JsonNode> rows = rows(kept.resolve("train.jsonl"));
        assertThat(rows).hasSize(EXAMPLES / JudgeExamples.CANDIDATES + 1);
        assertThat(rows).allSatisfy(row -> assertThat(row.path("edited")).hasSize(JudgeExamples.CANDIDATES));
        List<JsonNode> heldOut = rows(kept.resolve("held-out.jsonl"));
        assertThat(heldOut).hasSize(HELD_OUT);
        for (JsonNode row : heldOut) {
            assertThat(row.path("question").textValue())
                    .startsWith("Here are two images: the original (the first image) and the edited version (the second"
                            + " image).")
                    .endsWith("Answer with the score number alone (0-5).")
                    .doesNotContain("{{");
            RgbImage source = picture(pictures, row.path("source"));
            RgbImage target = picture(pictures, row.path("target"));
            for (int edit = 0; edit < row.path("edited").size(); edit++) {
                GroundTruth truth = GroundTruth.measure(
                        source, picture(pictures, row.path("edited").get(edit)), target);
                assertThat(row.path("truth").get(edit).doubleValue()).isEqualTo(truth.score());
            }
        }
    }

    @Test
    void scores_that_are_none_are_refused() throws IOException {
        Path nothing = python("echo '{\"scores\": [[0.5], [0.5]]}'");
        assertThatThrownBy(() -> train(nothing))
                .isInstanceOf(CommandFailedException.class)
                .hasMessageContaining("did not score every held-out edit");
        Path diverged = python("echo \"{\\\"scores\\\": [$(%s)]}\" | sed 's/0[.][0-9E-]*/NaN/'".formatted(TRUTHS));
        assertThatThrownBy(() -> train(diverged)).hasMessageContaining("lower --lr");
        Path mumbling = python("echo loading");
        assertThatThrownBy(() -> train(mumbling)).hasMessageContaining("no JSON: loading");
    }

    @Test
    void a_training_that_fails_is_said_to_have_failed() throws IOException {
        Path python = python("exit 7");
        assertThatThrownBy(() -> train(python))
                .isInstanceOf(CommandFailedException.class)
                .hasMessageContaining("exit code 7");
        assertThat(folder.resolve("out/examples")).doesNotExist();
    }

    private Agreement train(Path python) throws IOException, InterruptedException {
        QwenJudge.Settings settings =
                new QwenJudge.Settings(EXAMPLES, List.of("mixed"), 24, 1e-3, 1, "mixed", HELD_OUT, Precision.F32, 3);
        try (QwenJudge judge = new QwenJudge(settings, folder.resolve("out"))) {
            return judge.train(python.toString(), new QwenJudge.Listener() {
                @Override
                public void begins(String step) {
                    heard.add(step);
                }

                @Override
                public void progress(Progress told) {
                    progress.add(told);
                }
            });
        }
    }

    private Path python(String script) throws IOException {
        Path file = Files.createTempFile(folder, "python", ".sh");
        Files.writeString(file, "#!/bin/sh\nset -e\n" + script + "\n");
        assertThat(file.toFile().setExecutable(true)).isTrue();
        return file;
    }

    private static List<JsonNode> rows(Path file) throws IOException {
        List<JsonNode> rows = new ArrayList<>();
        for (String line : Files.readAllLines(file)) {
            rows.add(new JsonMapper().readTree(line));
        }
        return rows;
    }

    private static RgbImage picture(byte[] pictures, JsonNode place) {
        int from = place.intValue() * BYTES;
        return RgbImage.of(JudgeExamples.SIDE, JudgeExamples.SIDE, Arrays.copyOfRange(pictures, from, from + BYTES));
    }
}
