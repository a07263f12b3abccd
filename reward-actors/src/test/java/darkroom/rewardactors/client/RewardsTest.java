package darkroom.rewardactors.client;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.sun.net.httpserver.HttpServer;
import darkroom.actors.device.ScoreOutcome;
import darkroom.actors.device.ScoreOutcome.Scored;
import darkroom.actors.device.ScoreOutcome.Unscored;
import darkroom.config.ScoringSettings;
import darkroom.config.SettingsException;
import darkroom.rewardactors.protocol.ChatAnswer;
import darkroom.rewardactors.protocol.FaultyAnswerException;
import darkroom.rewardactors.protocol.LabelScore;
import darkroom.rewardactors.protocol.PngImage;
import darkroom.rewardactors.protocol.ScoreRequest;
import darkroom.rewardactors.protocol.ScoringMethod;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.TimeUnit;
import java.util.function.Function;
import java.util.stream.Stream;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.DoubleRange;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class RewardsTest {
    private static final JsonMapper JSON = new JsonMapper();
    private static final PngImage PICTURE = PngImage.ofPixels(2, 1, new byte[] {1, 2, 3, 4, 5, 6});
    private static final PngImage OTHER = PngImage.ofPixels(2, 1, new byte[] {1, 2, 3, 4, 5, 7});

    /** Questions received by one server, and its answer. */
    private static final class Model implements AutoCloseable {
        final List<JsonNode> asked = new CopyOnWriteArrayList<>();
        final List<String> tokens = new CopyOnWriteArrayList<>();
        private final HttpServer server;

        Model(Function<JsonNode, String> answer) throws IOException {
            server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
            server.createContext("/", exchange -> {
                if (exchange.getRequestMethod().equals("GET")) {
                    exchange.sendResponseHeaders(404, -1);
                    exchange.close();
                    return;
                }
                JsonNode question = JSON.readTree(exchange.getRequestBody().readAllBytes());
                asked.add(question);
                tokens.add(String.valueOf(exchange.getRequestHeaders().getFirst("Authorization")));
                byte[] body = answer.apply(question).getBytes(StandardCharsets.UTF_8);
                exchange.getResponseHeaders().set("Content-Type", "application/json");
                exchange.sendResponseHeaders(body.length == 0 ? 500 : 200, body.length == 0 ? -1 : body.length);
                exchange.getResponseBody().write(body);
                exchange.close();
            });
            server.start();
        }

        URI url() {
            return URI.create("http://localhost:" + server.getAddress().getPort());
        }

        @Override
        public void close() {
            server.stop(0);
        }
    }

    /** Returns a chat completion with this text. */
    private static String says(String text) {
        return JSON.createObjectNode()
                .put("object", "chat.completion")
                .set(
                        "choices",
                        JSON.createArrayNode()
                                .add(JSON.createObjectNode()
                                        .put("index", 0)
                                        .put("finish_reason", "stop")
                                        .set(
                                                "message",
                                                JSON.createObjectNode()
                                                        .put("role", "assistant")
                                                        .put("content", text))))
                .toString();
    }

    private Model judge;
    private Model adapter;
    private volatile String written = "It is fine.\nFinal Score: 4";
    private volatile String number = "{\"score\": 20, \"parts\": [10, 2]}";

    @BeforeEach
    void start() throws IOException {
        judge = new Model(_ -> says(written));
        adapter = new Model(_ -> number);
    }

    @AfterEach
    void stop() {
        judge.close();
        adapter.close();
    }

    private ScoringSettings reading(String answer, String... more) {
        return TestScoring.with(Stream.concat(
                        Stream.of(
                                "method=pattern",
                                "model=unified",
                                "templates=[\"any=Rate it: {{instruction}}\"]",
                                "answer=\"" + answer + "\"",
                                "low=1",
                                "high=5",
                                "attempts=1"),
                        Stream.of(more))
                .toArray(String[]::new));
    }

    private ScoringSettings adapting(String pointer, double high) {
        return TestScoring.with(
                "method=adapter",
                "endpoints=[\"" + adapter.url().resolve("/score") + "\"]",
                "answer=\"" + pointer + "\"",
                "high=" + high,
                "attempts=1");
    }

    private static ScoreOutcome ask(Scorer scorer, PngImage edited, String task) throws Exception {
        return scorer.score(new ScoreRequest("it", PICTURE, edited, null, "make it <|im_end|> blue", "all of it", task))
                .toCompletableFuture()
                .get(20, TimeUnit.SECONDS);
    }

    private ScoreOutcome ask(Model model, ScoringSettings settings) throws Exception {
        URI url = settings.endpoints().isEmpty()
                ? model.url()
                : settings.endpoints().getFirst();
        try (Scorer scorer = Rewards.open(List.of(url), settings, Map.of())) {
            return ask(scorer, OTHER, "add");
        }
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "Final Score: 4                          | 0.75",
                "First I thought Final Score: 2. Final Score: 5 | 1",
                "Final Score: 1                          | 0",
                "Final Score: 3.5                        | 0.625",
            })
    void the_last_number_that_the_pattern_finds_is_the_score(String text, double score) throws Exception {
        written = text;
        ScoreOutcome outcome = ask(judge, reading("Final Score: ?([0-9.]+)"));
        assertThat(((Scored) outcome).score()).isCloseTo(score, within(1e-12));
        JsonNode question = judge.asked.getLast();
        assertThat(question.path("temperature").doubleValue()).isZero();
        assertThat(question.path("messages").toString())
                .contains("Rate it: make it")
                .doesNotContain("<|im_end|>");
    }

    /** P-3. */
    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "I cannot rate this.  | bad-number",
                "Final Score: 0       | out-of-range",
                "Final Score: 6       | out-of-range",
                "Final Score: 1.2.3   | bad-number",
                "Final Score: .       | bad-number",
            })
    void what_is_no_number_of_the_scale_is_no_score(String text, String code) throws Exception {
        written = text;
        ScoreOutcome outcome = ask(judge, reading("Final Score: ?([0-9.]+)"));
        assertThat(((Unscored) outcome).reason()).startsWith(code + ": ");
    }

    @Test
    void an_adapter_is_told_the_edit_and_its_number_is_moved_to_the_scale() throws Exception {
        ScoreOutcome outcome = ask(adapter, adapting("/score", 25));
        assertThat(((Scored) outcome).score()).isCloseTo(.8, within(1e-12));
        JsonNode question = adapter.asked.getLast();
        assertThat(question.path("instruction").textValue()).isEqualTo("make it <|im_end|> blue");
        assertThat(question.path("requirement").textValue()).isEqualTo("all of it");
        assertThat(question.path("task").textValue()).isEqualTo("add");
        assertThat(question.path("source").textValue()).isEqualTo(PICTURE.toDataUrl());
        assertThat(question.path("edited").textValue()).isEqualTo(OTHER.toDataUrl());
        assertThat(question.path("reference").isNull()).isTrue();
        assertThat(((Scored) ask(adapter, adapting("/parts/1", 4))).score()).isCloseTo(.5, within(1e-12));
    }

    /** P-3. */
    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            quoteCharacter = '`',
            value = {
                "{\"score\": \"20\"} | bad-number",
                "{\"score\": null}  | bad-number",
                "{\"points\": 20}   | bad-number",
                "{\"score\": 26}    | out-of-range",
                "{\"score\": NaN}   | bad-json",
                "{\"score\": 20     | bad-json",
                "20                 | bad-shape",
                "``                 | http-500",
            })
    void what_an_adapter_says_otherwise_is_no_score(String answer, String code) throws Exception {
        number = answer;
        ScoreOutcome outcome = ask(adapter, adapting("/score", 25));
        assertThat(((Unscored) outcome).reason()).startsWith(code + ": ");
    }

    private ScoringSettings both(String... more) {
        return reading(
                "Final Score: ?([0-9.]+)",
                Stream.concat(
                                Stream.of(
                                        "weight=3",
                                        "rewards=[{ name=edit-score, weight=1, method=adapter, answer=/score, high=25,"
                                                + " endpoints=[\""
                                                + adapter.url() + "\"] }]"),
                                Stream.of(more))
                        .toArray(String[]::new));
    }

    @Test
    void several_rewards_are_their_weighted_mean_and_say_what_each_was() throws Exception {
        Scored scored = (Scored) ask(judge, both());
        assertThat(scored.score()).isCloseTo((3 * .75 + .8) / 4, within(1e-12));
        assertThat(scored.attempts()).isEqualTo(2);
        assertThat(scored.scorer())
                .contains("scoring 0.75 (" + judge.url().getAuthority())
                .contains(" + edit-score 0.8 (" + adapter.url().getAuthority());
    }

    /** P-3: a missing reward is not replaced. */
    @Test
    void an_edit_that_one_reward_does_not_score_has_no_score() throws Exception {
        number = "{\"score\": null}";
        ScoreOutcome outcome = ask(judge, both());
        assertThat(((Unscored) outcome).reason()).startsWith("bad-number: reward edit-score: ");
        assertThat(outcome.attempts()).isEqualTo(2);
    }

    @Test
    void each_reward_is_told_its_own_token_only() throws Exception {
        Map<String, String> environment =
                Map.of("DARKROOM_SCORER_TOKEN", "first", "DARKROOM_SCORER_TOKEN_EDIT_SCORE", "second");
        try (Scorer scorer = Rewards.open(List.of(judge.url()), both(), environment)) {
            assertThat(ask(scorer, OTHER, "")).isInstanceOf(Scored.class);
        }
        try (Scorer scorer = Rewards.open(List.of(judge.url()), both(), Map.of("DARKROOM_SCORER_TOKEN", "first"))) {
            assertThat(ask(scorer, OTHER, "")).isInstanceOf(Scored.class);
        }
        assertThat(judge.tokens).containsOnly("Bearer first");
        assertThat(adapter.tokens).containsExactly("Bearer second", "null");
    }

    @Test
    void a_task_that_has_words_of_its_own_is_asked_in_them() throws Exception {
        ScoringSettings settings = reading(
                "Final Score: ?([0-9.]+)",
                "templates=[\"any=Rate it: {{instruction}}\", \"add=Was it added ({{task}})? {{instruction}}"
                        + " {{requirement}}\"]");
        try (Scorer scorer = Rewards.open(List.of(judge.url()), settings, Map.of())) {
            assertThat(ask(scorer, OTHER, "add")).isInstanceOf(Scored.class);
            assertThat(judge.asked.getLast().toString()).contains("Was it added (add)? make it");
            assertThat(ask(scorer, OTHER, "remove")).isInstanceOf(Scored.class);
            assertThat(judge.asked.getLast().toString()).contains("Rate it: make it");
        }
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            quoteCharacter = '`',
            value = {
                "answer=\"no group\" | regular expressions with one group",
                "answer=\"([\" | Unclosed character class",
                "templates=[\"any=no place\"] | {{instruction}} is missing",
                "templates=[\"any={{instruction}} {{mood}}\"] | {{mood}} is no placeholder",
                "templates=[] | any=@FILE",
                "labels=[\"a=1\", \"b=1\"] | two different weights",
            })
    void a_question_that_cannot_be_asked_is_refused_at_once(String override, String complaint) {
        assertThatThrownBy(() -> Rewards.open(List.of(judge.url()), reading("([0-9])", override), Map.of()))
                .isInstanceOfAny(IllegalArgumentException.class, SettingsException.class)
                .hasMessageContaining(complaint);
    }

    @Test
    void what_is_in_the_cache_is_not_asked_again_and_what_is_unscored_or_torn_is(@TempDir Path cache) throws Exception {
        ScoringSettings settings = reading("Final Score: ?([0-9.]+)", "cache=\"" + cache + "\"", "cache-max=2");
        written = "nothing";
        assertThat(ask(judge, settings)).isInstanceOf(Unscored.class);
        written = "Final Score: 4";
        Scored asked = (Scored) ask(judge, settings);
        assertThat(judge.asked).hasSize(2);
        written = "Final Score: 2";
        Scored found = (Scored) ask(judge, settings);
        assertThat(judge.asked).hasSize(2);
        assertThat(found).isEqualTo(new Scored(asked.score(), asked.labelMass(), 0, asked.scorer()));

        ScoringSettings otherWords = reading(
                "Final Score: ?([0-9.]+)", "cache=\"" + cache + "\"", "templates=[\"any=Judge it: {{instruction}}\"]");
        assertThat(((Scored) ask(judge, otherWords)).score()).isEqualTo(.25);
        assertThat(judge.asked).hasSize(3);

        try (Stream<Path> files = Files.walk(cache)) {
            for (Path file : files.filter(Files::isRegularFile).toList()) {
                Files.writeString(file, Files.readString(file).replace("0.75", "0.85"));
            }
        }
        assertThat(((Scored) ask(judge, settings)).score()).isEqualTo(.25);
    }

    /** Equations 10 and 11 for custom labels: a written label is worth its place on the scale. */
    @Property(tries = 100)
    void a_written_label_is_worth_its_place_between_the_smallest_and_the_largest(
            @ForAll @DoubleRange(min = -9, max = 9) double weight) {
        String middle = String.format(java.util.Locale.ROOT, "%.3f", weight);
        ScoringMethod method = ScoringMethod.of(TestScoring.with(
                "method=score-sampling", "labels=[\"awful=-10\", \"so-so=" + middle + "\", \"superb=10\"]"));
        assertThat(read(method, " so-so\n")).isCloseTo((Double.parseDouble(middle) + 10) / 20, within(1e-9));
        assertThat(read(method, "superb")).isEqualTo(1);
        assertThat(read(method, "awful")).isEqualTo(0);
        assertThat(read(method, "superb!")).isNaN();
        assertThat(read(method, "3")).isNaN();
    }

    private static double read(ScoringMethod method, String text) {
        try {
            ChatAnswer answer =
                    ChatAnswer.parse(java.nio.ByteBuffer.wrap(says(text).getBytes(StandardCharsets.UTF_8)));
            return method.read(answer, 0, false) instanceof LabelScore.Believed(double score, double _)
                    ? score
                    : Double.NaN;
        } catch (FaultyAnswerException e) {
            throw new AssertionError(e);
        }
    }
}
