package darkroom.rewardactors.suites;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import darkroom.config.PictureView;
import darkroom.edittasks.pictures.RgbImage;
import darkroom.rewardactors.client.ScorerAccess;
import darkroom.rewardactors.protocol.PngImage;
import darkroom.rewardactors.simulation.SimulatedJudge;
import darkroom.rewardactors.simulation.SimulatedJudge.Question;
import darkroom.rewardactors.simulation.SimulatedJudge.Reply;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CountDownLatch;
import java.util.function.Function;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

@Timeout(60)
class SuiteResultTest {
    private static final Reply SCORES = new Reply.Words("{\"score\": [9, 4]}");
    private static final int ITEMS = 4;

    private final Path folder;
    private final Path file;
    private final SimulatedJudge server = new SimulatedJudge("0.12.0", _ -> SCORES);

    SuiteResultTest(@TempDir Path folder) throws IOException {
        this.folder = folder;
        this.file = folder.resolve("eval.json");
    }

    @BeforeEach
    void draw() throws IOException {
        Path group = Files.createDirectories(folder.resolve("ps_human"));
        for (int i = 0; i < ITEMS; i++) {
            picture(group.resolve("k" + i + "_SRCIMG.png"), 3, 2, i);
            picture(group.resolve("k" + i + ".png"), 6, 4, 100 + i);
        }
    }

    @AfterEach
    void stop() {
        server.close();
    }

    private static void picture(Path file, int width, int height, int colour) throws IOException {
        byte[] rgb = new byte[3 * width * height];
        java.util.Arrays.fill(rgb, (byte) colour);
        Files.write(file, RgbImage.of(width, height, rgb).png());
    }

    private GEditSuite suite() throws IOException {
        List<String> lines = new ArrayList<>();
        for (int i = 0; i < ITEMS; i++) {
            lines.add(("{\"key\": \"k%d\", \"task_type\": \"ps_human\", \"instruction\": \"do %d\","
                            + " \"instruction_language\": \"en\", \"Intersection_exist\": true}")
                    .formatted(i, i));
        }
        return GEditSuite.read(Files.write(folder.resolve("gedit.jsonl"), lines), folder, folder, Set.of());
    }

    private TextJudge judge(int attempts, double temperature) {
        return TextJudge.open(
                new JudgeSettings(server.url(), "", 2, Duration.ofSeconds(20), attempts, 100, temperature),
                ScorerAccess.NONE,
                Duration.ofMillis(1));
    }

    /** Judges all items, and writes the file. */
    private SuiteResult evaluate() throws IOException, InterruptedException {
        try (TextJudge judge = judge(1, 0)) {
            SuiteResult result = SuiteResult.after(file, suite(), judge, PictureView.DISPLAYED);
            result.judge(_ -> {});
            Files.write(file, result.json(JsonNodeFactory.instance.objectNode()));
            return result;
        }
    }

    private JsonNode json() throws IOException {
        return new JsonMapper().readTree(Files.readString(file));
    }

    private static Function<Question, Reply> refusingToSee(String instruction) {
        return question -> question.words().contains(instruction) ? new Reply.Words("I cannot see.") : SCORES;
    }

    @Test
    void both_questions_are_asked_and_the_edit_has_the_size_of_its_original() throws Exception {
        SuiteResult result = evaluate();
        assertThat(result.valid()).isEqualTo(ITEMS);
        assertThat(server.asked()).hasSize(2 * ITEMS);
        for (Question question : server.asked()) {
            assertThat(question.pictures()).hasSize(question.words().matches("(?s).*\\ndo \\d\\n.*") ? 2 : 1);
            for (PngImage picture : question.pictures()) {
                assertThat(picture.decoded().getWidth()).isEqualTo(3);
                assertThat(picture.decoded().getHeight()).isEqualTo(2);
            }
        }
        JsonNode all = json();
        assertThat(all.path("complete").booleanValue()).isTrue();
        assertThat(all.at("/judge/model").asText()).isEqualTo(SimulatedJudge.MODEL);
        assertThat(all.at("/judge/vllm").asText()).isEqualTo("0.12.0");
        assertThat(all.at("/items/2/id").asText()).isEqualTo("ps_human/en/k2");
        assertThat(all.at("/items/2/O").doubleValue()).isEqualTo(4);
        assertThat(all.at("/items/2/answers/0/text").asText()).isEqualTo("{\"score\": [9, 4]}");
        assertThat(all.at("/tables/0/overall/SC").doubleValue()).isEqualTo(4);
    }

    @Test
    void what_is_invalid_is_named_and_in_no_mean_and_asked_again_by_itself() throws Exception {
        server.judge(refusingToSee("do 1"));
        SuiteResult first = evaluate();
        assertThat(first.reasons()).singleElement().asString().startsWith("ps_human/en/k1: SC: no-object: ");
        JsonNode item = json().at("/items/1");
        assertThat(item.path("SC").isNull()).isTrue();
        assertThat(item.path("PQ").isNull()).isTrue();
        assertThat(json().at("/tables/0/overall/invalidShare").doubleValue()).isEqualTo(.25);

        server.judge(_ -> SCORES);
        int before = server.asked().size();
        SuiteResult second = evaluate();
        assertThat(second.invalid()).isZero();
        assertThat(second.kept()).isEqualTo(ITEMS - 1);
        assertThat(server.asked().subList(before, server.asked().size()))
                .singleElement()
                .satisfies(question -> assertThat(question.words()).contains("do 1"));
    }

    @Test
    void another_picture_is_another_question_and_the_same_one_is_none() throws Exception {
        evaluate();
        int before = server.asked().size();
        assertThat(evaluate().kept()).isEqualTo(ITEMS);
        assertThat(server.asked()).hasSize(before);
        picture(folder.resolve("ps_human/k0.png"), 6, 4, 7);
        assertThat(evaluate().kept()).isEqualTo(ITEMS - 1);
        assertThat(server.asked()).hasSize(before + 2);
    }

    @Test
    void an_evaluation_that_is_stopped_keeps_what_was_said_and_what_it_did_not_come_to() throws Exception {
        evaluate();
        for (int i = 0; i < ITEMS; i++) {
            picture(folder.resolve("ps_human/k" + i + ".png"), 6, 4, 50 + i);
        }
        CountDownLatch silent = new CountDownLatch(2);
        server.judge(question -> {
            silent.countDown();
            return new Reply.Silence();
        });
        try (TextJudge judge = judge(1, 0)) {
            SuiteResult stopped = SuiteResult.after(file, suite(), judge, PictureView.DISPLAYED);
            var _ = Thread.ofVirtual().start(() -> {
                try {
                    silent.await();
                } catch (InterruptedException e) {
                    Thread.currentThread().interrupt();
                }
                stopped.stop();
            });
            stopped.judge(_ -> {});
            Files.write(file, stopped.json(JsonNodeFactory.instance.objectNode()));
            assertThat(stopped.isComplete()).isFalse();
            assertThat(stopped.valid() + stopped.invalid()).isZero();
        }
        assertThat(json().path("complete").booleanValue()).isFalse();
        assertThat(json().path("earlier")).hasSize(2 * ITEMS);
        draw();
        assertThat(evaluate().kept()).isEqualTo(ITEMS);
    }

    @Test
    void a_picture_that_is_missing_or_broken_is_invalid_and_nothing_is_asked_about_it() throws Exception {
        Files.delete(folder.resolve("ps_human/k0.png"));
        Files.writeString(folder.resolve("ps_human/k1.png"), "no picture");
        Files.delete(folder.resolve("ps_human/k2_SRCIMG.png"));
        assertThat(evaluate().reasons())
                .satisfiesExactly(
                        reason -> assertThat(reason).contains("k0: SC: no-image: no edited image"),
                        reason -> assertThat(reason).contains("k1: SC: bad-image: ", "k1.png"),
                        reason -> assertThat(reason).contains("k2: SC: no-image: no original"));
        assertThat(server.asked()).hasSize(2);
    }

    @Test
    void answers_of_another_judge_and_files_of_others_are_not_written_over() throws Exception {
        evaluate();
        try (TextJudge warmer = judge(1, .7)) {
            assertThatThrownBy(() -> SuiteResult.after(file, suite(), warmer, PictureView.DISPLAYED))
                    .isInstanceOf(SuiteItemsException.class)
                    .hasMessageContainingAll("eval.json", "\"temperature\":0.7", "--out");
        }
        for (String other :
                List.of("{}", "scores of yesterday", "{\"format\": \"darkroom-suite-1\", \"suite\": \"imgedit\"}")) {
            Files.writeString(file, other);
            try (TextJudge judge = judge(1, 0)) {
                assertThatThrownBy(() -> SuiteResult.after(file, suite(), judge, PictureView.DISPLAYED))
                        .isInstanceOf(SuiteItemsException.class)
                        .hasMessageContainingAll("eval.json", "--out");
            }
        }
    }
}
