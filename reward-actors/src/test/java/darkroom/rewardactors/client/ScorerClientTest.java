package darkroom.rewardactors.client;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import darkroom.actors.device.ScoreOutcome;
import darkroom.actors.device.ScoreOutcome.Scored;
import darkroom.actors.device.ScoreOutcome.Unscored;
import darkroom.config.ScoringSettings;
import darkroom.config.ScoringSettings.Method;
import darkroom.rewardactors.client.FaultyScorer.Behaviour;
import darkroom.rewardactors.protocol.PngImage;
import darkroom.rewardactors.protocol.ScoreRequest;
import darkroom.rewardactors.protocol.ScorerFault;
import java.awt.Color;
import java.awt.image.BufferedImage;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.locks.LockSupport;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import javax.imageio.ImageIO;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

public class ScorerClientTest {
    private FaultyScorer scorer;

    @BeforeEach
    void start() throws IOException {
        scorer = new FaultyScorer();
    }

    @AfterEach
    void stop() throws IOException {
        scorer.close();
    }

    /**
     * P-3 and P-4: a score is the true one or none, in time; and a fault of a scorer at one edit does not affect the next.
     */
    @ParameterizedTest
    @EnumSource(Behaviour.class)
    void whatever_a_scorer_does_the_score_is_true_or_there_is_none(Behaviour behaviour) throws Exception {
        Duration timeout = behaviour.neverEnds() ? Duration.ofMillis(250) : Duration.ofSeconds(5);
        try (ScorerClient client = client(Method.SCORE_LOGIT, timeout, 3)) {
            scorer.behave(Behaviour.HONEST);
            assertTrue(edit(0), ask(client, edit(0)));
            for (int i = 1; i <= 2; i++) {
                scorer.behave(behaviour);
                ScoreOutcome outcome = ask(client, edit(i));
                if (behaviour.code().isEmpty()) {
                    assertTrue(edit(i), outcome);
                } else {
                    assertThat(outcome).isInstanceOf(Unscored.class);
                    assertThat(((Unscored) outcome).reason())
                            .startsWith(behaviour.code() + ": ")
                            .doesNotContain("\n")
                            .matches(StandardCharsets.UTF_8.newEncoder()::canEncode, "can be written to a file");
                }
                // A question sent while the other side hangs up is an attempt that no scorer has seen.
                int unseen = behaviour == Behaviour.HONEST_BUT_CLOSES_UNANNOUNCED ? 1 : 0;
                assertThat(outcome.attempts()).isBetween(scorer.asked(), scorer.asked() + unseen);
            }
            scorer.behave(Behaviour.HONEST);
            assertTrue(edit(3), ask(client, edit(3)));
        }
        awaitNoConnections();
    }

    @ParameterizedTest
    @EnumSource(names = {"HTTP_400", "HTTP_401_WITH_A_TEXT", "HTTP_404", "REDIRECTS", "LOW_MASS"})
    void what_would_be_the_same_again_is_asked_once(Behaviour behaviour) throws Exception {
        try (ScorerClient client = client(Method.SCORE_LOGIT, Duration.ofSeconds(5), 3)) {
            scorer.behave(behaviour);
            assertThat(ask(client, edit(0)).attempts()).isEqualTo(1);
            assertThat(scorer.redirected()).isZero();
        }
    }

    @Test
    void what_may_pass_is_asked_as_often_as_set() throws Exception {
        try (ScorerClient client = client(Method.SCORE_LOGIT, Duration.ofSeconds(5), 3)) {
            scorer.behave(Behaviour.HTTP_500);
            assertThat(ask(client, edit(0)).attempts()).isEqualTo(3);
            scorer.behave(Behaviour.HONEST_AFTER_TWO_FAILURES);
            assertThat(ask(client, edit(1)).attempts()).isEqualTo(3);
        }
    }

    @Test
    void a_connection_that_the_scorer_gave_up_costs_no_attempt() throws Exception {
        try (ScorerClient client = client(Method.SCORE_LOGIT, Duration.ofSeconds(5), 1)) {
            scorer.behave(Behaviour.HONEST_BUT_CLOSES_UNANNOUNCED);
            for (int i = 0; i < 20; i++) {
                assertTrue(edit(i), ask(client, edit(i)));
            }
        }
    }

    @Test
    void nobody_there_is_unscored() throws Exception {
        URI nobody;
        try (ServerSocket socket = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
            nobody = URI.create("http://localhost:" + socket.getLocalPort());
        }
        try (ScorerClient client =
                new ScorerClient(nobody, settings(Method.SCORE_LOGIT, Duration.ofSeconds(5), 2), ScorerAccess.NONE)) {
            assertThat(((Unscored) ask(client, edit(0))).reason()).startsWith("refused: ");
        }
    }

    /** A server that loads its model for minutes is the same server afterwards. */
    @Test
    void a_scorer_that_comes_up_later_is_asked_by_the_name_of_its_model() throws Exception {
        int port;
        try (ServerSocket socket = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
            port = socket.getLocalPort();
        }
        try (ScorerClient client = new ScorerClient(
                URI.create("http://127.0.0.1:" + port),
                settings(Method.SCORE_LOGIT, Duration.ofSeconds(5), 1),
                ScorerAccess.NONE)) {
            for (int i = 0; i < 5; i++) {
                assertThat(((Unscored) ask(client, edit(i))).reason()).startsWith("refused: ");
            }
            try (FaultyScorer late = new FaultyScorer(port)) {
                late.behave(Behaviour.HONEST);
                assertTrue(edit(5), ask(client, edit(5)));
            }
        }
    }

    @Test
    void a_host_without_a_name_is_unscored() throws Exception {
        try (ScorerClient client = new ScorerClient(
                URI.create("http://scorer.invalid:8000"),
                settings(Method.SCORE_LOGIT, Duration.ofSeconds(5), 1),
                ScorerAccess.NONE)) {
            assertThat(((Unscored) ask(client, edit(0))).reason()).startsWith("unknown-host: ");
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "/", "/v1", "/v1/", "/v1/chat/completions"})
    void the_base_url_may_end_in_any_way(String end) throws Exception {
        URI url = URI.create(scorer.url() + end);
        try (ScorerClient client =
                new ScorerClient(url, settings(Method.SCORE_LOGIT, Duration.ofSeconds(5), 1), ScorerAccess.NONE)) {
            assertTrue(edit(0), ask(client, edit(0)));
            assertThat(scorer.lastRequest()).startsWith("POST /v1/chat/completions HTTP/1.1");
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"ftp://host", "host:8000", "http://me:secret@host", "http://host?key=secret"})
    void a_url_that_cannot_be_is_refused_at_once_without_its_secrets(String url) {
        assertThatThrownBy(() -> ScorerAddress.of(URI.create(url)))
                .isInstanceOf(IllegalArgumentException.class)
                .message()
                .doesNotContain("secret");
    }

    @Test
    void the_question_is_as_the_paper_puts_it() throws Exception {
        try (ScorerClient client = client(Method.SCORE_LOGIT, Duration.ofSeconds(5), 1)) {
            var _ = ask(client, edit(0));
        }
        assertThat(scorer.lastRequest())
                .containsSubsequence(
                        source().toDataUrl(),
                        edit(0).toDataUrl(),
                        "\"type\":\"text\"",
                        "Instruction: make it blue",
                        "Requirements: all of it")
                .contains("\"model\":\"truthful\"", "\"max_tokens\":1,", "\"logprobs\":true", "\"top_logprobs\":20")
                .contains("\"temperature\":1.0", "\"top_p\":1")
                .contains("{\"role\":\"system\",\"content\":\"You are a helpful assistant.\"}")
                .containsIgnoringCase("accept-encoding: identity")
                .doesNotContainIgnoringCase("upgrade");
    }

    @Test
    void pictures_go_as_jpeg_where_that_is_wanted_and_look_the_same() throws Exception {
        byte[] rgb = new byte[3 * 32 * 16];
        for (int i = 0; i < rgb.length; i += 3) {
            rgb[i] = (byte) (i / 12);
            rgb[i + 1] = (byte) 90;
        }
        PngImage picture = PngImage.ofPixels(32, 16, rgb);
        try (ScorerClient client = new ScorerClient(
                List.of(scorer.url()),
                settings(Method.SCORE_LOGIT, Duration.ofSeconds(5), 1, 90),
                ScorerAccess.NONE,
                Duration.ofMillis(4))) {
            var _ = ask(client, picture);
        }
        String request = scorer.lastRequest();
        assertThat(request).doesNotContain("data:image/png");
        Matcher urls = Pattern.compile("data:image/jpeg;base64,([^\"]+)").matcher(request);
        assertThat(urls.find()).as("the source").isTrue();
        assertThat(urls.find()).as("the edit").isTrue();
        BufferedImage sent =
                ImageIO.read(new ByteArrayInputStream(Base64.getDecoder().decode(urls.group(1))));
        assertThat(List.of(sent.getWidth(), sent.getHeight())).containsExactly(32, 16);
        for (int i = 0; i < 32 * 16; i++) {
            Color color = new Color(sent.getRGB(i % 32, i / 32));
            assertThat(color.getRed()).isCloseTo(rgb[3 * i] & 0xff, within(24));
            assertThat(color.getGreen()).isCloseTo(90, within(24));
        }
    }

    @Test
    void a_reference_is_the_third_picture() throws Exception {
        PngImage reference = PngImage.ofPixels(1, 1, new byte[] {9, 9, 9});
        try (ScorerClient client = client(Method.SCORE_LOGIT, Duration.ofSeconds(5), 1)) {
            ScoreRequest request = new ScoreRequest("it", source(), edit(1), reference, "wear the hat", "");
            assertThat(client.score(request).toCompletableFuture().get(20, TimeUnit.SECONDS))
                    .isInstanceOf(Scored.class);
        }
        assertThat(scorer.lastRequest())
                .containsSubsequence(source().toDataUrl(), edit(1).toDataUrl(), reference.toDataUrl(), "\"text\"");
    }

    @Test
    void no_more_requests_than_set_are_in_flight() throws Exception {
        scorer.behave(Behaviour.HANGS);
        List<CompletableFuture<ScoreOutcome>> asked = new ArrayList<>();
        try (ScorerClient client = client(Method.SCORE_LOGIT, Duration.ofSeconds(60), 1)) {
            for (int i = 0; i < 20; i++) {
                asked.add(client.score(request(edit(i))).toCompletableFuture());
            }
            await("4 requests at the scorer", () -> scorer.asked() == 4);
            LockSupport.parkNanos(50_000_000);
            assertThat(scorer.asked()).isEqualTo(4);
        }
        for (CompletableFuture<ScoreOutcome> outcome : asked) {
            assertThat(((Unscored) outcome.get(5, TimeUnit.SECONDS)).reason()).startsWith("closed: ");
        }
    }

    @Test
    void when_too_many_wait_then_one_more_is_told_at_once() throws Exception {
        scorer.behave(Behaviour.HANGS);
        try (ScorerClient client = client(Method.SCORE_LOGIT, Duration.ofSeconds(60), 1)) {
            ScoreRequest request = request(edit(0));
            for (int i = 0; i < 4 + ScorerClient.WAITING_MAX; i++) {
                var _ = client.score(request);
            }
            assertThat(((Unscored) ask(client, edit(1))).reason()).startsWith("busy: ");
        }
    }

    @Test
    void what_a_closed_client_is_asked_is_unscored() throws Exception {
        ScorerClient client = client(Method.SCORE_LOGIT, Duration.ofSeconds(5), 1);
        client.close();
        assertThat(((Unscored) ask(client, edit(1))).reason()).startsWith("closed: ");
    }

    @Test
    void pauses_double_within_bounds_and_are_the_same_for_the_same_key() {
        ScorerFault fault = ScorerFault.passing("http-500", "");
        for (int sent = 1; sent < 40; sent++) {
            Duration pause = ScorerClient.pause(fault, ScorerClient.PAUSE_FIRST, 17, sent);
            assertThat(pause)
                    .isEqualTo(ScorerClient.pause(fault, ScorerClient.PAUSE_FIRST, 17, sent))
                    .isLessThan(ScorerClient.PAUSE_MAX);
            assertThat(pause.toMillis()).isGreaterThanOrEqualTo(Math.min(100L << (sent - 1), 10_000));
        }
        ScorerFault hour = new ScorerFault("http-429", "", false, Duration.ofHours(1));
        assertThat(ScorerClient.pause(hour, ScorerClient.PAUSE_FIRST, 17, 1)).isEqualTo(ScorerClient.PAUSE_MAX);
    }

    private static void assertTrue(PngImage edited, ScoreOutcome outcome) {
        assertThat(outcome).isInstanceOf(Scored.class);
        Scored scored = (Scored) outcome;
        assertThat(scored.score()).isCloseTo(FaultyScorer.truth(edited), within(1e-9));
        assertThat(scored.labelMass()).isCloseTo(.9, within(1e-9));
        assertThat(scored.scorer()).contains(" truthful [prompt ");
    }

    private ScorerClient client(Method method, Duration timeout, int attempts) {
        return new ScorerClient(
                List.of(scorer.url()), settings(method, timeout, attempts), ScorerAccess.NONE, Duration.ofMillis(4));
    }

    public static ScoringSettings settings(Method method, Duration timeout, int attempts) {
        return settings(method, timeout, attempts, 0);
    }

    private static ScoringSettings settings(Method method, Duration timeout, int attempts, int jpegQuality) {
        return TestScoring.with(
                TestScoring.method(method),
                TestScoring.timeout(timeout),
                "attempts=" + attempts,
                "jpeg-quality=" + jpegQuality);
    }

    private static ScoreOutcome ask(ScorerClient client, PngImage edited) throws Exception {
        return client.score(request(edited)).toCompletableFuture().get(20, TimeUnit.SECONDS);
    }

    public static ScoreRequest request(PngImage edited) {
        return new ScoreRequest("it", source(), edited, null, "make it blue", "all of it");
    }

    public static PngImage source() {
        return PngImage.ofPixels(2, 1, new byte[] {0, 0, 0, 0, 0, 0});
    }

    public static PngImage edit(int number) {
        return PngImage.ofPixels(2, 1, new byte[] {1, 2, 3, 4, 5, (byte) number});
    }

    private void awaitNoConnections() throws TimeoutException {
        await("no connection left open, there are " + scorer.connections(), () -> scorer.connections() == 0);
    }

    public static void await(String what, java.util.function.BooleanSupplier condition) throws TimeoutException {
        long deadline = System.nanoTime() + 5_000_000_000L;
        while (!condition.getAsBoolean()) {
            if (System.nanoTime() > deadline) {
                throw new TimeoutException("waited 5 s for: " + what);
            }
            LockSupport.parkNanos(5_000_000);
        }
    }
}
