package darkroom.runtime;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import darkroom.edittasks.pictures.RgbImage;
import darkroom.rewardactors.judge.JudgeEndpoint;
import darkroom.rewardactors.judge.JudgeModel;
import darkroom.runtime.base.ExitCode;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import picocli.CommandLine;

@Timeout(120)
class AlignCommandTest {
    private final Path folder;
    private final JudgeEndpoint scorer;
    private final StringWriter out = new StringWriter();
    private final StringWriter err = new StringWriter();

    AlignCommandTest(@TempDir Path folder) throws IOException {
        this.folder = folder;
        this.scorer = new JudgeEndpoint(new RedIsGood(), "red", 0);
    }

    /** Assigns more probability to label 5 the redder the first pixel is. */
    private static final class RedIsGood implements JudgeModel {
        @Override
        public int batchMax() {
            return 4;
        }

        @Override
        public List<float[]> judge(List<Question> questions) {
            return questions.stream()
                    .map(question ->
                            new float[] {0, 0, 0, 0, 0, ((question.edited().getRGB(0, 0) >> 16) & 0xff) / 16f})
                    .toList();
        }
    }

    @BeforeEach
    void rollout() throws IOException {
        for (int red : List.of(0, 120, 240)) {
            Files.write(
                    folder.resolve(red + ".png"),
                    RgbImage.of(1, 1, new byte[] {(byte) red, 0, 0}).png());
        }
    }

    @AfterEach
    void stop() {
        scorer.close();
    }

    @Test
    void methods_are_held_against_what_people_preferred() throws Exception {
        pairs(
                "{'id':'1','task':'add','source':'0.png','a':'240.png','b':'0.png','instruction':'i','preferred':'a'}",
                "{'id':'2','task':'add','source':'0.png','a':'120.png','b':'240.png','instruction':'i','preferred':'a'}",
                "",
                "{'id':'3','source':'120.png','a':'0.png','b':'0.png','instruction':'i','preferred':'tie'}");
        assertThat(align("--scorer", scorer.url().toString(), "--methods", "score-logit,yes-no-logit"))
                .as(err.toString())
                .isZero();
        JsonNode json =
                new JsonMapper().readTree(folder.resolve("out/align.json").toFile());
        for (String method : List.of("score-logit", "yes-no-logit")) {
            JsonNode all = json.path("methods").path(method).path("all");
            assertThat(all.path("pairs").intValue()).isEqualTo(3);
            assertThat(all.path("untied").path("value").doubleValue()).isEqualTo(.5);
            assertThat(all.path("strict").path("value").doubleValue()).isEqualTo(2 / 3.0);
            assertThat(json.at("/methods/" + method + "/tasks/add/pairs").intValue())
                    .isEqualTo(2);
        }
        assertThat(json.path("preferredBy").textValue()).isEqualTo("people");
        assertThat(out.toString())
                .contains("3 pairs of", "score-logit", "50.0%")
                .doesNotContain("Ground truth");
        assertThat(Files.readString(folder.resolve("out/align.html")))
                .contains("<svg", "not preferred", "yes-no-logit");
        assertThat(Files.readAllLines(folder.resolve("out/scores.jsonl"))).hasSize(6);
    }

    /** P-3: a pair that could not be scored counts in no figure. */
    @Test
    void what_could_not_be_scored_is_counted_apart() throws Exception {
        pairs("{'id':'1','source':'0.png','a':'240.png','b':'0.png','instruction':'i','preferred':'a'}");
        scorer.close();
        assertThat(align(
                        "--scorer", scorer.url().toString(), "--methods", "score-logit", "--set", "scoring.attempts=1"))
                .isEqualTo(ExitCode.UNSCORED.code());
        JsonNode all = new JsonMapper()
                .readTree(folder.resolve("out/align.json").toFile())
                .at("/methods/score-logit/all");
        assertThat(all.path("pairs").intValue()).isZero();
        assertThat(all.path("unscored").intValue()).isOne();
        assertThat(all.path("untied").isNull()).isTrue();
        assertThat(Files.readString(folder.resolve("out/scores.jsonl"))).contains("\"a\":null", "\"unscored\":\"");
    }

    @Test
    void ground_truth_that_stands_in_for_people_is_named_so() throws Exception {
        assertThat(align(
                        "--embedded",
                        "mixed",
                        "--tasks",
                        "2",
                        "--images",
                        "2",
                        "--methods",
                        "score-logit",
                        "--set",
                        "evaluation.solver-steps=1"))
                .as(err.toString())
                .isZero();
        assertThat(out.toString()).contains("2 pairs of", "preferred by ground truth", "no person saw these edits");
        assertThat(Files.readString(folder.resolve("out/align.html"))).contains("no person saw these edits");
        assertThat(Files.readString(folder.resolve("out/pairs/pairs.jsonl"))).contains("\"by\":\"ground truth\"");
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            quoteCharacter = '`',
            value = {
                "{'id':'1','source':'0.png','a':'0.png','b':'0.png','instruction':'i'} | preferred",
                "{'id':'1','source':'0.png','a':'0.png','b':'0.png','instruction':'i','preferred':'left'} | left",
                "{'id':'1','source':'0.png','b':'0.png','instruction':'i','preferred':'a'} | 'a'",
                "no json | Unrecognized token",
            })
    void a_line_that_is_no_pair_is_named_and_nothing_is_counted(String line, String complaint) throws Exception {
        pairs("{'id':'0','source':'0.png','a':'0.png','b':'0.png','instruction':'i','preferred':'tie'}", line);
        assertThat(align()).isEqualTo(ExitCode.USAGE.code());
        assertThat(err.toString()).contains("pairs.jsonl:2: ", complaint).contains("\"preferred\"");
        assertThat(folder.resolve("out/align.json")).doesNotExist();
    }

    @Test
    void a_picture_that_is_missing_and_a_method_that_there_is_not_are_named() throws Exception {
        pairs("{'id':'1','source':'0.png','a':'gone.png','b':'0.png','instruction':'i','preferred':'a'}");
        assertThat(align()).isEqualTo(ExitCode.FAILED.code());
        assertThat(err.toString()).contains("gone.png is no file");
        assertThat(align("--methods", "vibes", "--out", folder.resolve("other").toString()))
                .isEqualTo(ExitCode.USAGE.code());
        assertThat(err.toString()).contains("--methods=vibes is none of").contains("score-logit-cot");
    }

    private void pairs(String... lines) throws IOException {
        Files.writeString(
                folder.resolve("pairs.jsonl"), String.join("\n", lines).replace('\'', '"') + "\n");
    }

    private int align(String... options) {
        List<String> all = new ArrayList<>(List.of("align"));
        List<String> given = List.of(options);
        if (!given.contains("--embedded")) {
            all.addAll(List.of("--pairs", folder.resolve("pairs.jsonl").toString()));
        }
        if (!given.contains("--out")) {
            all.addAll(List.of("--out", folder.resolve("out").toString()));
        }
        all.addAll(given);
        CommandLine commands = Darkroom.commandLine();
        commands.setOut(new PrintWriter(out));
        commands.setErr(new PrintWriter(err));
        return commands.execute(all.toArray(String[]::new));
    }
}
