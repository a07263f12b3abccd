package darkroom.runtime;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import darkroom.edittasks.pictures.RgbImage;
import darkroom.rewardactors.judge.JudgeEndpoint;
import darkroom.rewardactors.judge.JudgeModel;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.FutureTask;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import picocli.CommandLine;

@Timeout(60)
class ScoreCommandTest {
    private static final JsonMapper JSON = new JsonMapper();

    private final Path folder;
    private final JudgeEndpoint scorer;

    ScoreCommandTest(@TempDir Path folder) throws IOException {
        this.folder = folder;
        this.scorer = new JudgeEndpoint(new RedIsGood(), "red", 0);
    }

    /** Certain of label 5 if the first pixel of the edit is red, else of label 0. */
    private static final class RedIsGood implements JudgeModel {
        @Override
        public int batchMax() {
            return 4;
        }

        @Override
        public List<float[]> judge(List<Question> questions) {
            return questions.stream()
                    .map(question -> (question.edited().getRGB(0, 0) & 0xff0000) != 0
                            ? new float[] {0, 0, 0, 0, 0, 60}
                            : new float[] {60, 0, 0, 0, 0, 0})
                    .toList();
        }
    }

    @BeforeEach
    void rollout() throws IOException {
        Files.write(folder.resolve("black.png"), RgbImage.of(1, 1, new byte[3]).png());
        Files.write(
                folder.resolve("red.png"),
                RgbImage.of(1, 1, new byte[] {-1, 0, 0}).png());
    }

    @AfterEach
    void stop() {
        scorer.close();
    }

    private record Output(int exitCode, String err) {}

    @ParameterizedTest
    @ValueSource(strings = {"score-logit", "yes-no-logit", "score-sampling", "score-logit-cot", "score-sampling-cot"})
    void everyMethodScoresEveryRowInItsOrder(String method) throws IOException {
        Output output = score(List.of(pair("good", "red.png"), pair("bad", "black.png")), "--method", method);
        assertThat(output.exitCode()).as(output.err()).isZero();
        assertThat(output.err()).contains("2 rows: 2 scored, 0 unscored");
        List<JsonNode> rows = rows();
        assertThat(rows).extracting(row -> row.get("id").textValue()).containsExactly("good", "bad");
        assertThat(rows)
                .extracting(row -> Math.rint(row.get("score").doubleValue()))
                .containsExactly(1.0, 0.0);
        assertThat(rows).allSatisfy(row -> {
            assertThat(row.properties()).hasSize(5);
            assertThat(row.get("unscored").isNull()).isTrue();
            assertThat(row.get("labelMass").doubleValue()).isBetween(.99, 1.0);
            assertThat(row.get("attempts").intValue()).isOne();
        });
        assertThat(folder.resolve("out.jsonl.partial")).doesNotExist();
    }

    @Test
    void aRowThatCouldNotBeScoredIsThereWithoutANumberAndTheExitCodeSaysSo() throws IOException {
        Output output =
                score(List.of(pair("good", "red.png"), "{", pair("gone", "gone.png"), pair("bad", "black.png")));
        assertThat(output.exitCode()).isEqualTo(3);
        assertThat(output.err()).contains("pairs.jsonl:2: bad-row: ", "pairs.jsonl:3: no-image: ");
        assertThat(rows())
                .extracting(row -> row.get("score").isNull()
                        ? "none"
                        : "%.3f".formatted(row.get("score").doubleValue()))
                .containsExactly("1.000", "none", "none", "0.000");
    }

    @Test
    void nobodyThereIsAnAnswerForEveryRow() throws IOException {
        scorer.close();
        Output output = score(List.of(pair("a", "red.png"), pair("b", "red.png")), "--attempts", "1");
        assertThat(output.exitCode()).isEqualTo(3);
        assertThat(rows())
                .hasSize(2)
                .allSatisfy(row -> assertThat(row.get("unscored").textValue()).startsWith("refused: "));
    }

    /** U1, F20. */
    @Test
    void the_commonest_reason_is_told_with_what_to_do_about_it() throws IOException {
        assertThat(score(List.of(pair("a", "red.png"), pair("b", "red.png")), "--model", "blue")
                        .err())
                .contains("  2 unscored, http-404: ", "--model or scoring.model");
        scorer.close();
        assertThat(score(List.of(pair("a", "red.png"), pair("b", "red.png")), "--attempts", "1")
                        .err())
                .contains("  2 unscored, refused: no connection: ", "Check that the scorer runs")
                .doesNotContain("null");
    }

    /** F10. */
    @Test
    void one_and_the_same_score_for_all_rows_is_a_warning_that_names_the_scorer() throws IOException {
        assertThat(score(List.of(pair("a", "red.png"), pair("b", "red.png"), pair("c", "red.png")))
                        .err())
                .contains("warn: all 3 images have exactly the same score", "red", "does not look at the pictures");
        assertThat(score(List.of(pair("a", "red.png"), pair("b", "black.png"), pair("c", "red.png")))
                        .err())
                .doesNotContain("warn:");
    }

    @Test
    void aModelThatIsNotThereIsSaidOnceARow() throws IOException {
        Output output = score(List.of(pair("a", "red.png")), "--model", "blue \"judge\"");
        assertThat(output.exitCode()).isEqualTo(3);
        assertThat(rows().getFirst().get("unscored").textValue()).contains("http-404", "blue \"judge\"");
        assertThat(rows().getFirst().get("attempts").intValue()).isOne();
    }

    @ParameterizedTest
    @CsvSource({
        "--method, vibes, scoring.method",
        "--timeout, soon, scoring.timeout",
        "--timeout, 0s, scoring.timeout",
        "--attempts, 0, scoring.attempts",
        "--concurrency, 0, scoring.concurrency",
        "--scorer, ftp://there, http"
    })
    void whatCannotBeIsRefusedBeforeAnythingIsAsked(String option, String value, String named) throws IOException {
        Output output = score(List.of(pair("a", "red.png")), option, value);
        assertThat(output.exitCode()).isEqualTo(2);
        assertThat(output.err()).contains(named);
        assertThat(folder.resolve("out.jsonl")).doesNotExist();
    }

    @Test
    void a_cache_that_is_a_file_is_named_with_its_reason_and_no_class_of_a_program() throws IOException {
        Path cache = Files.createFile(folder.resolve("cache"));
        Output output = score(List.of(pair("a", "red.png")), "--set", "scoring.cache=\"" + cache + "\"");
        assertThat(output.exitCode()).isEqualTo(1);
        assertThat(output.err())
                .contains("scoring.cache=" + cache + " cannot be used: the file exists already")
                .doesNotContain("Exception");
        assertThat(folder.resolve("out.jsonl")).doesNotExist();
    }

    @Test
    void withoutPairsWhatWasThereStays() throws IOException {
        Files.writeString(folder.resolve("out.jsonl"), "scores of yesterday");
        Output output = run("score", "--scorer", url(), "--pairs", at("absent.jsonl"), "--out", at("out.jsonl"));
        assertThat(output.exitCode()).isEqualTo(2);
        assertThat(folder.resolve("out.jsonl")).hasContent("scores of yesterday");
    }

    @ParameterizedTest
    @CsvSource({"pairs.jsonl, pairs itself", "scores, is a directory"})
    void scoresAreWrittenNeitherOverTheirPairsNorOverADirectory(String place, String reason) throws IOException {
        Files.createDirectory(folder.resolve("scores"));
        Files.writeString(folder.resolve("pairs.jsonl"), pair("a", "red.png"));
        Output output = run("score", "--scorer", url(), "--pairs", at("pairs.jsonl"), "--out", at(place));
        assertThat(output.exitCode()).isEqualTo(2);
        assertThat(output.err()).contains(reason, "--out");
        assertThat(folder.resolve("pairs.jsonl")).hasContent(pair("a", "red.png"));
    }

    /** F6. */
    @Test
    void scoresAreWrittenThroughALinkAndIntoAPipe() throws Exception {
        Path kept = Files.createDirectory(folder.resolve("kept"));
        Files.createSymbolicLink(folder.resolve("out.jsonl"), Path.of("kept/scores.jsonl"));
        Output linked = score(List.of(pair("a", "red.png")));
        assertThat(linked.exitCode()).as(linked.err()).isZero();
        assertThat(folder.resolve("out.jsonl")).isSymbolicLink();
        assertThat(Files.readAllLines(kept.resolve("scores.jsonl"))).hasSize(1);
        assertThat(kept.resolve("scores.jsonl.partial")).doesNotExist();

        Path pipe = folder.resolve("pipe");
        assertThat(new ProcessBuilder("mkfifo", pipe.toString()).start().waitFor())
                .isZero();
        FutureTask<List<String>> reader = new FutureTask<>(() -> Files.readAllLines(pipe));
        Thread.ofPlatform().daemon().name("reads-pipe").start(reader);
        Output piped = run("score", "--scorer", url(), "--pairs", at("pairs.jsonl"), "--out", at("pipe"));
        assertThat(piped.exitCode()).as(piped.err()).isZero();
        assertThat(reader.get(20, TimeUnit.SECONDS)).hasSize(1);
        assertThat(Files.isRegularFile(pipe)).isFalse();
    }

    /** U2. */
    @Test
    void aPlaceThatCannotBeWrittenIsNamedWithTheReason() throws IOException {
        Files.writeString(folder.resolve("file"), "");
        Files.writeString(folder.resolve("pairs.jsonl"), pair("a", "red.png"));
        Output output = run("score", "--scorer", url(), "--pairs", at("pairs.jsonl"), "--out", at("file/out.jsonl"));
        assertThat(output.exitCode()).isOne();
        assertThat(output.err())
                .contains("out.jsonl cannot be written: ", "file")
                .doesNotContain("null");
        Output full = run("score", "--scorer", url(), "--pairs", at("pairs.jsonl"), "--out", "/dev/full");
        assertThat(full.exitCode()).isOne();
        assertThat(full.err()).contains("/dev/full cannot be written: ").containsIgnoringCase("no space left");
    }

    @Test
    void noRowsAreNoRows() throws IOException {
        assertThat(score(List.of()).exitCode()).isZero();
        assertThat(rows()).isEmpty();
    }

    private static String pair(String id, String edited) {
        return JSON.createObjectNode()
                .put("id", id)
                .put("source", "black.png")
                .put("edited", edited)
                .put("instruction", "make it red")
                .put("requirement", "all of it")
                .toString();
    }

    private Output score(List<String> lines, String... options) throws IOException {
        Files.write(folder.resolve("pairs.jsonl"), lines);
        List<String> all = new ArrayList<>(List.of("score", "--pairs", at("pairs.jsonl"), "--out", at("out.jsonl")));
        all.addAll(List.of(options));
        if (!all.contains("--scorer")) {
            all.addAll(List.of("--scorer", url()));
        }
        return run(all.toArray(String[]::new));
    }

    private static Output run(String... arguments) {
        StringWriter err = new StringWriter();
        CommandLine commands = Darkroom.commandLine();
        commands.setOut(new PrintWriter(err));
        commands.setErr(new PrintWriter(err));
        return new Output(commands.execute(arguments), err.toString());
    }

    private String url() {
        return scorer.url().toString();
    }

    private String at(String name) {
        return folder.resolve(name).toString();
    }

    private List<JsonNode> rows() throws IOException {
        List<JsonNode> rows = new ArrayList<>();
        for (String line : Files.readAllLines(folder.resolve("out.jsonl"))) {
            rows.add(JSON.readTree(line));
        }
        return rows;
    }
}
