package darkroom.rewardactors.suites;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.JsonNode;
import darkroom.rewardactors.client.FaultyScorer;
import darkroom.rewardactors.client.ScorerAccess;
import darkroom.rewardactors.judge.JudgeTimeoutException;
import darkroom.rewardactors.protocol.PngImage;
import darkroom.rewardactors.simulation.SimulatedJudge;
import darkroom.rewardactors.simulation.SimulatedJudge.Question;
import darkroom.rewardactors.simulation.SimulatedJudge.Reply;
import java.io.IOException;
import java.net.URI;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Queue;
import java.util.concurrent.CompletableFuture;
import java.util.function.Function;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

@Timeout(60)
class TextJudgeTest {
    private static final PngImage RED = PngImage.ofPixels(1, 1, new byte[] {-1, 0, 0});
    private static final PngImage BLUE = PngImage.ofPixels(1, 1, new byte[] {0, 0, -1});
    private static final String GOOD = "A: 4\nB: 3\nC: 2";

    private static JudgeSettings settings(URI url, Duration timeout) {
        return new JudgeSettings(url, "", 2, timeout, 3, 100, 0);
    }

    private static TextJudge open(SimulatedJudge server) {
        return TextJudge.open(settings(server.url(), Duration.ofSeconds(20)), ScorerAccess.NONE, Duration.ofMillis(1));
    }

    private static JudgeReply ask(TextJudge judge) {
        return judge.ask("What of it?", List.of(RED, BLUE), GradeLines::read)
                .toCompletableFuture()
                .join();
    }

    /** Returns one reply after the other, and then always the last. */
    private static Function<Question, Reply> inTurn(Reply... replies) {
        Queue<Reply> left = new ArrayDeque<>(List.of(replies));
        return _ -> {
            synchronized (left) {
                return left.size() > 1 ? left.remove() : left.element();
            }
        };
    }

    @Test
    void words_come_first_then_the_pictures_in_their_order_and_the_sampling_is_neutral() throws IOException {
        try (SimulatedJudge server = new SimulatedJudge("", inTurn(new Reply.Words(GOOD)));
                TextJudge judge = open(server)) {
            assertThat(ask(judge)).isEqualTo(new JudgeReply.Scores(List.of(4.0, 3.0, 2.0), GOOD, 1));
            Question asked = server.asked().getFirst();
            assertThat(asked.request().at("/messages/0/content/0/type").asText())
                    .isEqualTo("text");
            assertThat(asked.words()).isEqualTo("What of it?");
            assertThat(asked.pictures()).containsExactly(RED, BLUE);
            assertThat(asked.request().path("model").asText()).isEqualTo(SimulatedJudge.MODEL);
            assertThat(asked.request().path("temperature").doubleValue()).isZero();
            assertThat(asked.request().path("max_tokens").intValue()).isEqualTo(100);
        }
    }

    @Test
    void only_a_server_that_tells_vllms_version_is_sent_what_openais_protocol_does_not_have() throws IOException {
        for (String version : List.of("", "0.12.0")) {
            try (SimulatedJudge server = new SimulatedJudge(version, inTurn(new Reply.Words(GOOD)));
                    TextJudge judge = open(server)) {
                ask(judge);
                JsonNode request = server.asked().getFirst().request();
                for (String field : List.of("top_k", "min_p", "repetition_penalty")) {
                    assertThat(request.has(field))
                            .as(field + " to \"" + version + "\"")
                            .isEqualTo(!version.isEmpty());
                }
            }
        }
    }

    @Test
    void what_does_not_say_the_scores_is_asked_for_again() throws IOException {
        try (SimulatedJudge server = new SimulatedJudge(
                        "", inTurn(new Reply.Words("No."), new Reply.Status(500, "oh"), new Reply.Words(GOOD)));
                TextJudge judge = open(server)) {
            assertThat(ask(judge)).isEqualTo(new JudgeReply.Scores(List.of(4.0, 3.0, 2.0), GOOD, 3));
        }
    }

    @Test
    void after_the_last_attempt_there_is_a_reason_and_no_number() throws IOException {
        Map<Reply, String> reasons = Map.of(
                new Reply.Words("I will not."), "no-grades: ",
                new Reply.Words(" "), "no-text: ",
                new Reply.CutOff(GOOD), "cut-off: ",
                new Reply.Status(503, "busy"), "http-503: busy",
                new Reply.Garbage(), "bad-json: ");
        try (SimulatedJudge server = new SimulatedJudge("", inTurn(new Reply.Garbage()));
                TextJudge judge = open(server)) {
            reasons.forEach((reply, reason) -> {
                server.judge(inTurn(reply));
                assertThat(ask(judge)).isInstanceOfSatisfying(JudgeReply.Nothing.class, nothing -> {
                    assertThat(nothing.reason()).startsWith(reason);
                    assertThat(nothing.attempts()).isEqualTo(3);
                });
            });
        }
    }

    @Test
    void what_is_refused_for_good_is_asked_once() throws IOException {
        try (SimulatedJudge server = new SimulatedJudge("", inTurn(new Reply.Status(400, "no such model")));
                TextJudge judge = open(server)) {
            assertThat(ask(judge)).isEqualTo(new JudgeReply.Nothing("http-400: no such model", 1));
            assertThat(server.asked()).hasSize(1);
        }
    }

    @Test
    void a_judge_that_hangs_is_waited_for_as_long_as_was_said() throws IOException {
        try (SimulatedJudge server = new SimulatedJudge("", inTurn(new Reply.Silence()));
                TextJudge judge = TextJudge.open(
                        settings(server.url(), Duration.ofSeconds(2)), ScorerAccess.NONE, Duration.ofMillis(1))) {
            assertThat(ask(judge)).isEqualTo(new JudgeReply.Nothing("timeout: no whole answer within 2.0 s", 3));
        }
    }

    private static List<Double> number(String text) {
        return List.of(Double.valueOf(text));
    }

    @ParameterizedTest
    @EnumSource(
            mode = EnumSource.Mode.INCLUDE,
            names = {
                "REDIRECTS",
                "ERROR_IN_A_200",
                "NO_CHOICES",
                "TWO_CHOICES",
                "HTML_IN_A_200",
                "EVENT_STREAM",
                "INVALID_UTF8",
                "HALF_THE_JSON",
                "TWO_JSONS",
                "DOUBLE_KEYS",
                "CONTENT_FILTER",
                "ANOTHER_REQUESTS_ANSWER",
                "BREAKS_OFF",
                "ENDLESS_BODY",
                "GZIP_BOMB",
                "BAD_CHUNKS",
                "BAD_STATUS_LINE",
                "CLOSES",
                "RESETS"
            })
    void a_server_that_lies_or_breaks_off_is_not_believed(FaultyScorer.Behaviour behaviour) throws IOException {
        try (FaultyScorer server = new FaultyScorer();
                TextJudge judge = TextJudge.open(
                        settings(server.url(), Duration.ofSeconds(20)), ScorerAccess.NONE, Duration.ofMillis(1))) {
            server.behave(behaviour);
            assertThat(judge.ask("?", List.of(RED), TextJudgeTest::number)
                            .toCompletableFuture()
                            .join())
                    .isInstanceOfSatisfying(JudgeReply.Nothing.class, nothing -> assertThat(nothing.reason())
                            .startsWith(behaviour.code() + ": "));
        }
    }

    /** Its first request may have met an idle connection that the server had closed. */
    @Test
    void a_first_request_that_nobody_answered_is_repeated_once_beyond_the_attempts() throws IOException {
        try (FaultyScorer server = new FaultyScorer();
                TextJudge judge = TextJudge.open(
                        new JudgeSettings(server.url(), "m", 1, Duration.ofSeconds(20), 1, 100, 0),
                        ScorerAccess.NONE)) {
            server.behave(FaultyScorer.Behaviour.CLOSES);
            assertThat(judge.ask("?", List.of(RED), TextJudgeTest::number)
                            .toCompletableFuture()
                            .join())
                    .isInstanceOfSatisfying(JudgeReply.Nothing.class, nothing -> {
                        assertThat(nothing.reason()).startsWith("no-answer: ");
                        assertThat(nothing.attempts()).isEqualTo(2);
                    });
        }
    }

    @Test
    void closing_ends_every_question_at_once() throws IOException {
        try (SimulatedJudge server = new SimulatedJudge("", inTurn(new Reply.Silence()))) {
            TextJudge judge = open(server);
            List<CompletableFuture<JudgeReply>> open = new ArrayList<>();
            for (int i = 0; i < 5; i++) {
                open.add(judge.ask("?", List.of(), GradeLines::read).toCompletableFuture());
            }
            judge.close();
            assertThat(open).allSatisfy(said -> assertThat(said.join())
                    .isInstanceOfSatisfying(JudgeReply.Nothing.class, nothing -> assertThat(nothing.reason())
                            .startsWith("closed: ")));
        }
    }

    @Test
    void the_token_is_sent_and_nowhere_repeated() throws IOException {
        ScorerAccess access = ScorerAccess.in(Map.of(ScorerAccess.TOKEN, "sesame-12345"));
        try (SimulatedJudge server = new SimulatedJudge("", inTurn(new Reply.Status(401, "wrong: sesame-12345")));
                TextJudge judge =
                        TextJudge.open(settings(server.url(), Duration.ofSeconds(20)), access, Duration.ofMillis(1))) {
            assertThat(ask(judge)).isEqualTo(new JudgeReply.Nothing("http-401: wrong: ***", 1));
            assertThat(server.asked().getFirst().authorization()).isEqualTo("Bearer sesame-12345");
        }
    }

    @Test
    void nobody_there_is_said_before_anything_is_asked() throws IOException {
        SimulatedJudge server = new SimulatedJudge("", inTurn(new Reply.Garbage()));
        server.close();
        assertThatThrownBy(() -> open(server))
                .isInstanceOf(JudgeTimeoutException.class)
                .hasMessageContainingAll(server.url().toString(), "does not answer", "refused");
    }

    @ParameterizedTest
    @ValueSource(strings = {"ftp://there", "http:///nowhere", "http://me:secret@there"})
    void what_is_no_address_of_a_server_is_refused(String url) {
        assertThatThrownBy(() -> TextJudge.open(
                        settings(URI.create(url), Duration.ofSeconds(1)), ScorerAccess.NONE, Duration.ZERO))
                .isInstanceOf(IllegalArgumentException.class)
                .message()
                .doesNotContain("secret");
    }
}
