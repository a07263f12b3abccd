package darkroom.runtime.studies;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import darkroom.edittasks.pictures.RgbImage;
import darkroom.rewardactors.simulation.SimulatedJudge;
import darkroom.rewardactors.simulation.SimulatedJudge.Reply;
import darkroom.runtime.Darkroom;
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

/** {@code darkroom eval --suite}, from its options to its file. */
@Timeout(120)
class SuiteEvaluationTest {
    private static final String ITEMS = """
        {"1": {"id": "a/1.png", "prompt": "add a red cat", "edit_type": "add"},
         "2": {"id": "a/2.png", "prompt": "add a blue dog", "edit_type": "add"},
         "3": {"id": "a/3.png", "prompt": "as a woodcut", "edit_type": "style"}}
        """;

    private final Path folder;
    private final SimulatedJudge judge = new SimulatedJudge(
            "",
            question ->
                    new Reply.Words(question.words().contains("red cat") ? "A: 5\nB: 4\nC: 4" : "A: 3\nB: 3\nC: 5"));

    SuiteEvaluationTest(@TempDir Path folder) throws IOException {
        this.folder = folder;
    }

    @BeforeEach
    void rollout() throws IOException {
        Files.writeString(folder.resolve("basic_edit.json"), ITEMS);
        Files.createDirectories(folder.resolve("a"));
        Files.createDirectories(folder.resolve("edits"));
        for (int i = 1; i <= 3; i++) {
            byte[] png = RgbImage.of(1, 1, new byte[] {(byte) i, 0, 0}).png();
            Files.write(folder.resolve("a/" + i + ".png"), png);
            Files.write(folder.resolve("edits/" + i + ".png"), png);
        }
    }

    @AfterEach
    void stop() {
        judge.close();
    }

    private record Output(int exitCode, String out, String err) {}

    private static Output run(List<String> arguments) {
        StringWriter out = new StringWriter();
        StringWriter err = new StringWriter();
        CommandLine commands = Darkroom.commandLine();
        commands.setOut(new PrintWriter(out));
        commands.setErr(new PrintWriter(err));
        return new Output(commands.execute(arguments.toArray(String[]::new)), out.toString(), err.toString());
    }

    private Output evaluate(String... options) {
        List<String> all = new ArrayList<>(List.of(
                "eval",
                "--suite=imgedit",
                "--items=" + folder.resolve("basic_edit.json"),
                "--images=" + folder.resolve("edits"),
                "--judge=" + judge.url(),
                "--attempts=1"));
        for (String option : options) {
            all.removeIf(each -> each.startsWith(option.split("=")[0] + "="));
            all.add(option.replace("HERE", folder.toString()));
        }
        return run(all);
    }

    private JsonNode json() throws IOException {
        return new JsonMapper().readTree(Files.readString(folder.resolve("edits/eval.json")));
    }

    @Test
    void every_image_is_judged_and_means_are_printed_and_written() throws IOException {
        Output output = evaluate();
        assertThat(output.exitCode()).as(output.err()).isZero();
        assertThat(output.out())
                .containsPattern("add +2 +2 +0 +4\\.00")
                .containsPattern("style +1 +1 +0 +3\\.67")
                .containsPattern("overall +3 +3 +0 +3\\.83")
                .contains("THE OVERALL MEAN IS OF 2 OF 9 GROUPS", "adjust, extract", "2 items have a second or third")
                .contains("judged by simulated-judge at 127.0.0.1");
        assertThat(output.err()).contains("3 of 3 items: 3 valid (0 from before), 0 invalid");
        assertThat(json().path("complete").booleanValue()).isTrue();
        assertThat(json().at("/tables/0/overall/score").doubleValue()).isEqualTo(3.835);
        assertThat(json().at("/settings/items").asText()).endsWith("basic_edit.json");
        assertThat(folder.resolve("edits/eval.json.partial")).doesNotExist();
    }

    @Test
    void a_second_time_nothing_is_asked() {
        evaluate();
        Output again = evaluate();
        assertThat(again.exitCode()).as(again.err()).isZero();
        assertThat(again.err()).contains("3 valid (3 from before)");
        assertThat(judge.asked()).hasSize(3);
    }

    @Test
    void an_answer_that_says_no_scores_is_no_number_and_the_exit_code_says_so() throws IOException {
        judge.judge(question -> new Reply.Words(question.words().contains("dog") ? "Splendid!" : "A: 4\nB: 4\nC: 4"));
        Output output = evaluate("--attempts=2");
        assertThat(output.exitCode()).isEqualTo(3);
        assertThat(output.err()).contains("2 valid (0 from before), 1 invalid", "2: grades: no-grades: ", "Splendid!");
        assertThat(output.out()).containsPattern("add +2 +1 +1 \\(50\\.0%\\) +4\\.00");
        assertThat(json().at("/items/1/score").isNull()).isTrue();
        assertThat(json().at("/items/1/answers/0/attempts").intValue()).isEqualTo(2);
        assertThat(judge.asked()).hasSize(4);
    }

    @Test
    void a_judge_that_fails_or_hangs_leaves_a_reason_for_every_image() {
        for (Reply reply : List.of(new Reply.Status(500, "out of memory"), new Reply.Garbage(), new Reply.Silence())) {
            judge.judge(_ -> reply);
            Output output = evaluate("--timeout=3s", "--attempts=2");
            assertThat(output.exitCode()).isEqualTo(3);
            assertThat(output.err()).contains("0 valid (0 from before), 3 invalid");
            assertThat(output.out()).containsPattern("overall +3 +0 +3 \\(100\\.0%\\) +-");
        }
    }

    @Test
    void missing_images_are_named_before_and_invalid_after() throws IOException {
        Files.delete(folder.resolve("edits/2.png"));
        Output output = evaluate();
        assertThat(output.exitCode()).isEqualTo(3);
        assertThat(output.err()).contains("1 of 3 items have no edited image:", "2.png", "2: grades: no-image: ");
        assertThat(judge.asked()).hasSize(2);
    }

    @Test
    void a_limit_takes_the_first_items_and_out_names_another_place() {
        Output output = evaluate("--limit=1", "--out=HERE/mine.json");
        assertThat(output.exitCode()).as(output.err()).isZero();
        assertThat(judge.asked()).hasSize(1);
        assertThat(folder.resolve("mine.json")).exists();
        assertThat(folder.resolve("edits/eval.json")).doesNotExist();
    }

    @ParameterizedTest
    @CsvSource({
        "--checkpoint=mixed, --checkpoint does not go with --suite",
        "--tasks=3, --tasks does not go with --suite",
        "--scorer=http://x, --scorer does not go with --suite",
        "--images=HERE/nowhere, nowhere is no directory",
        "--images=HERE, has no edited image of the suite",
        "--sources=HERE/nowhere, nowhere is no directory",
        "--sources=HERE/edits, --sources",
        "--items=HERE/nothing.json, --items",
        "--language=en, --language is of --suite gedit",
        "--limit=0, --limit=0: allowed are",
        "--timeout=soon, --timeout=soon is no time",
        "--timeout=0s, --timeout",
        "--attempts=0, --attempts=0: allowed are",
        "--concurrency=0, --concurrency=0: allowed are",
        "--max-tokens=0, --max-tokens=0: allowed are",
        "--temperature=-1, --temperature",
        "--judge=ftp://there, no http or https URL",
        "--out=HERE/a/1.png, is no result of a suite",
        "--suite=mmlu, --suite"
    })
    void what_cannot_be_is_refused_before_anything_is_asked(String option, String said) {
        Output output = evaluate(option);
        assertThat(output.exitCode()).as(output.err()).isEqualTo(2);
        assertThat(output.err()).contains(said);
        assertThat(judge.asked()).isEmpty();
        assertThat(folder.resolve("edits/eval.json")).doesNotExist();
    }

    @Test
    void half_of_a_suites_options_say_which_are_missing() {
        assertThat(run(List.of("eval", "--judge=http://x")))
                .satisfies(output -> assertThat(output.exitCode()).isEqualTo(2))
                .satisfies(output -> assertThat(output.err()).contains("--suite", "--items"));
        assertThat(run(List.of("eval", "--suite=gedit", "--items=x", "--judge=http://x"))
                        .err())
                .contains("--suite needs --images=DIR");
        assertThat(run(List.of("eval")))
                .satisfies(output -> assertThat(output.exitCode()).isEqualTo(2))
                .satisfies(output -> assertThat(output.err()).contains("--checkpoint=C", "--suite=SUITE"));
    }

    @Test
    void a_place_that_cannot_be_written_is_told_before_anything_is_asked() {
        Output output = evaluate("--out=HERE/basic_edit.json/eval.json");
        assertThat(output.exitCode()).isEqualTo(1);
        assertThat(output.err()).contains("cannot write", "basic_edit.json");
        assertThat(judge.asked()).isEmpty();
    }

    @Test
    void gedit_is_judged_by_two_questions_and_told_by_language() throws IOException {
        judge.judge(question -> new Reply.Words(
                question.pictures().size() == 2 ? "{\"score\": [9, 10]}" : "```json\n{\"score\": [4, 8]}\n```"));
        List<String> lines = new ArrayList<>();
        for (String language : List.of("en", "cn")) {
            Path edits = Files.createDirectories(folder.resolve("edits/fullset/ps_human/" + language));
            Files.copy(folder.resolve("a/1.png"), edits.resolve("k.png"));
            lines.add(("{\"key\": \"k\", \"task_type\": \"ps_human\", \"instruction\": \"smile\", \"source\":"
                            + " \"a/2.png\", \"instruction_language\": \"%s\", \"Intersection_exist\": %b}")
                    .formatted(language, language.equals("en")));
        }
        Files.write(folder.resolve("gedit.jsonl"), lines);
        Output output = evaluate("--suite=gedit", "--items=HERE/gedit.jsonl");
        assertThat(output.exitCode()).as(output.err()).isZero();
        assertThat(output.out())
                .containsPattern("EN, full set\\R.*SC +PQ +O\\R")
                .contains("EN, intersection", "CN, full set")
                .doesNotContain("CN, intersection")
                .containsPattern("overall +1 +1 +0 +9\\.000 +4\\.000 +6\\.000");
        assertThat(evaluate("--suite=gedit", "--items=HERE/gedit.jsonl", "--language=en")
                        .out())
                .contains("GEdit-Bench-EN")
                .doesNotContain("GEdit-Bench-CN");
        assertThat(judge.asked()).hasSize(4);
    }

    @Test
    void nobody_at_the_judges_address_is_a_failure_and_not_three_invalid_images() {
        judge.close();
        Output output = evaluate();
        assertThat(output.exitCode()).isEqualTo(1);
        assertThat(output.err()).contains("does not answer: refused");
    }
}
