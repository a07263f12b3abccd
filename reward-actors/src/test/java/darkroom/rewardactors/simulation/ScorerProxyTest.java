package darkroom.rewardactors.simulation;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import darkroom.actors.device.ScoreOutcome;
import darkroom.actors.device.ScoreOutcome.Scored;
import darkroom.actors.device.ScoreOutcome.Unscored;
import darkroom.config.ScoringSettings;
import darkroom.rewardactors.client.ScorerAccess;
import darkroom.rewardactors.client.ScorerClient;
import darkroom.rewardactors.client.SilentAddress;
import darkroom.rewardactors.client.TestScoring;
import darkroom.rewardactors.protocol.PngImage;
import darkroom.rewardactors.protocol.ScoreRequest;
import darkroom.rewardactors.simulation.ScorerProxy.Spoil;
import java.io.IOException;
import java.net.InetAddress;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.EnumSource.Mode;

/** P-3 where the fault is injected: a corrupted answer gives no score, and a second try gives the true one. */
class ScorerProxyTest {
    private static final PngImage PICTURE = PngImage.ofPixels(1, 1, new byte[] {1, 2, 7});

    private final AtomicInteger asked = new AtomicInteger();
    private SimulatedScorer scorer;

    @BeforeEach
    void start() throws IOException {
        scorer = SimulatedScorer.plain(_ -> Duration.ZERO);
    }

    @AfterEach
    void stop() {
        scorer.close();
    }

    private static ScoreOutcome score(URI url, int attempts) throws Exception {
        ScoringSettings settings = TestScoring.with(
                "model=simulated", "timeout=1500ms", "attempts=" + attempts, "logprob-source=top-20", "hedging=false");
        try (ScorerClient client = new ScorerClient(List.of(url), settings, ScorerAccess.NONE, Duration.ofMillis(4))) {
            return client.score(new ScoreRequest("picture", PICTURE, PICTURE, null, "make it blue", ""))
                    .toCompletableFuture()
                    .get(25, TimeUnit.SECONDS);
        }
    }

    @ParameterizedTest
    @EnumSource(
            mode = Mode.INCLUDE,
            names = {"ERROR", "HANG", "GARBAGE", "BREAK_OFF"})
    void an_answer_that_is_spoiled_every_time_is_no_score(Spoil spoil) throws Exception {
        try (ScorerProxy proxy = ScorerProxy.before(scorer.url(), () -> spoil)) {
            assertThat(score(proxy.url(), 2)).isInstanceOf(Unscored.class);
        }
    }

    @ParameterizedTest
    @EnumSource(
            mode = Mode.INCLUDE,
            names = {"ERROR", "HANG", "GARBAGE", "BREAK_OFF", "SLOW", "NONE"})
    void an_answer_that_is_spoiled_once_is_asked_for_again_and_is_the_true_one(Spoil spoil) throws Exception {
        try (ScorerProxy proxy =
                ScorerProxy.before(scorer.url(), () -> asked.incrementAndGet() <= 2 ? spoil : Spoil.NONE)) {
            assertThat(score(proxy.url(), 6)).isInstanceOfSatisfying(Scored.class, scored -> assertThat(scored.score())
                    .isCloseTo(SimulatedScorer.truth(PICTURE), within(1e-9)));
        }
    }

    @Test
    void a_valid_answer_that_is_wrong_cannot_be_told_from_a_true_one() throws Exception {
        try (ScorerProxy proxy = ScorerProxy.before(scorer.url(), () -> Spoil.WRONG)) {
            assertThat(score(proxy.url(), 1)).isInstanceOfSatisfying(Scored.class, scored -> assertThat(scored.score())
                    .isCloseTo(1 - SimulatedScorer.truth(PICTURE), within(1e-9)));
        }
    }

    @Test
    void a_scorer_that_hangs_is_well_by_its_own_account() throws Exception {
        try (ScorerProxy proxy = ScorerProxy.before(scorer.url(), () -> Spoil.HANG);
                HttpClient http = HttpClient.newHttpClient()) {
            URI health = proxy.url().resolve("/health");
            URI direct = scorer.url().resolve("/health");
            assertThat(http.send(HttpRequest.newBuilder(health).build(), HttpResponse.BodyHandlers.ofString())
                            .statusCode())
                    .isEqualTo(http.send(HttpRequest.newBuilder(direct).build(), HttpResponse.BodyHandlers.ofString())
                            .statusCode());
        }
    }

    /** F14: neither the address that a name has first nor the one that answered before is the only one. */
    @Test
    void a_scorer_whose_first_address_accepts_no_connection_is_reached_at_its_next_one() throws Exception {
        try (SilentAddress silent = new SilentAddress("127.0.0.2", scorer.url().getPort());
                ScorerProxy proxy = ScorerProxy.before(
                        URI.create("http://scorer.test:" + scorer.url().getPort()), () -> Spoil.NONE, _ ->
                                new InetAddress[] {silent.address(), InetAddress.getLoopbackAddress()})) {
            assertThat(score(proxy.url(), 1)).isInstanceOfSatisfying(Scored.class, scored -> assertThat(scored.score())
                    .isCloseTo(SimulatedScorer.truth(PICTURE), within(1e-9)));
        }
    }

    @Test
    void a_scorer_that_has_ended_is_answered_as_by_a_gateway() throws Exception {
        try (ScorerProxy proxy = ScorerProxy.before(scorer.url(), () -> Spoil.NONE)) {
            scorer.close();
            assertThat(score(proxy.url(), 1))
                    .isInstanceOfSatisfying(Unscored.class, unscored -> assertThat(unscored.reason())
                            .startsWith("http-502: the scorer behind this proxy: ")
                            .doesNotContain("null"));
        }
    }
}
