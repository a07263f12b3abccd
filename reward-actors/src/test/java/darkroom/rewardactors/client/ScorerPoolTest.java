package darkroom.rewardactors.client;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import darkroom.actors.device.ScoreOutcome;
import darkroom.actors.device.ScoreOutcome.Scored;
import darkroom.actors.device.ScoreOutcome.Unscored;
import darkroom.rewardactors.protocol.LogprobSource;
import darkroom.rewardactors.protocol.PngImage;
import darkroom.rewardactors.protocol.ScoreRequest;
import darkroom.rewardactors.simulation.SimulatedScorer;
import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.URI;
import java.time.Duration;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import java.util.function.BooleanSupplier;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

class ScorerPoolTest {
    private static final Duration FAST = Duration.ofMillis(20);

    private final List<SimulatedScorer> scorers = new ArrayList<>();

    @AfterEach
    void stop() {
        scorers.forEach(SimulatedScorer::close);
    }

    /** P-3. */
    @Test
    void several_scorers_share_the_questions_and_each_score_is_the_true_one() throws Exception {
        List<URI> urls = List.of(start(), start(), start());
        try (ScorerClient client = client(urls, 4)) {
            scoreAll(client, 120);
        }
        assertThat(scorers).allSatisfy(scorer -> assertThat(scorer.questions()).isBetween(20, 60));
    }

    /** SP-3: no request waits for the timeout of the one that hangs, and none is unscored. */
    @Test
    void one_of_three_that_hangs_is_taken_out_and_costs_no_image() throws Exception {
        List<URI> urls = List.of(start(), start(), start());
        scorers.get(1).hang(true);
        try (ScorerClient client = client(urls, 4)) {
            scoreAll(client, 120);
            assertThat(client.describe().get(1)).contains("out: it answered nothing while others answered");
            int before = scorers.get(1).questions();
            scoreAll(client, 30);
            assertThat(scorers.get(1).questions() - before)
                    .as("nothing but canaries")
                    .isLessThanOrEqualTo(1);
        }
    }

    /** SP-4. */
    @Test
    void one_that_is_not_there_costs_no_image() throws Exception {
        URI nobody;
        try (ServerSocket socket = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
            nobody = URI.create("http://localhost:" + socket.getLocalPort());
        }
        try (ScorerClient client = client(List.of(nobody, start()), 4)) {
            scoreAll(client, 60);
        }
    }

    /** SP-2. */
    @Test
    void a_late_answer_is_asked_for_a_second_time_and_seldom_so() throws Exception {
        scorers.add(SimulatedScorer.plain(number -> number % 60 == 59 ? Duration.ofSeconds(8) : FAST));
        scorers.add(SimulatedScorer.plain(number -> number % 60 == 59 ? Duration.ofSeconds(8) : FAST));
        long began = System.nanoTime();
        try (ScorerClient client =
                client(scorers.stream().map(SimulatedScorer::url).toList(), 4)) {
            scoreAll(client, 240);
            assertThat(client.hedged()).isBetween(3L, 1 + Math.round(240 * HedgeBudget.SHARE));
        }
        assertThat(Duration.ofNanos(System.nanoTime() - began)).isLessThan(Duration.ofSeconds(8));
    }

    /** SP-5. */
    @Test
    void a_scorer_whose_scores_drift_is_taken_out_and_comes_back_when_they_are_as_before() throws Exception {
        scorers.add(SimulatedScorer.honouring(EnumSet.allOf(LogprobSource.class)));
        try (ScorerClient client = client(List.of(scorers.getFirst().url()), 4)) {
            scoreAll(client, 4);
            await(() -> scorers.getFirst().questions() > 8, "canaries");
            scorers.getFirst().drift(1);
            await(() -> client.describe().getFirst().contains("its scores drift"), "it is taken out");
            PngImage picture = PngImage.ofPixels(1, 1, new byte[] {1, 2, 3});
            assertThat(client.score(new ScoreRequest("it", picture, picture, null, "make it blue", ""))
                            .toCompletableFuture()
                            .get(25, TimeUnit.SECONDS))
                    .isInstanceOfSatisfying(Unscored.class, unscored -> assertThat(unscored.reason())
                            .startsWith("drifted: 127.0.0.1:"));
            scorers.getFirst().drift(0);
            await(() -> !client.describe().getFirst().contains("out: "), "it is back");
            scoreAll(client, 4);
        }
    }

    @Test
    void the_noise_of_a_scorer_is_measured_where_it_may_be_asked_questions_of_ones_own() throws Exception {
        scorers.add(SimulatedScorer.honouring(EnumSet.allOf(LogprobSource.class)));
        start();
        try (ScorerClient client =
                client(scorers.stream().map(SimulatedScorer::url).toList(), 4)) {
            List<ScorerNoise> noise = client.noise(3).toCompletableFuture().get(20, TimeUnit.SECONDS);
            assertThat(noise).hasSize(1);
            assertThat(noise.getFirst().count()).isEqualTo(6);
            assertThat(noise.getFirst().range()).isZero();
        }
    }

    private static void await(BooleanSupplier condition, String what) {
        long until = System.nanoTime() + TimeUnit.SECONDS.toNanos(20);
        while (!condition.getAsBoolean()) {
            assertThat(System.nanoTime()).as(what).isLessThan(until);
            LockSupport.parkNanos(5_000_000);
        }
    }

    private URI start() throws IOException {
        SimulatedScorer scorer = SimulatedScorer.plain(_ -> FAST);
        scorers.add(scorer);
        return scorer.url();
    }

    private static ScorerClient client(List<URI> urls, int concurrency) {
        return new ScorerClient(
                urls,
                TestScoring.with("model=simulated", "concurrency=" + concurrency, "canary-every=50ms"),
                ScorerAccess.NONE);
    }

    private static void scoreAll(ScorerClient client, int count) throws Exception {
        List<PngImage> pictures = new ArrayList<>();
        List<CompletableFuture<ScoreOutcome>> asked = new ArrayList<>();
        for (int i = 0; i < count; i++) {
            PngImage picture = PngImage.ofPixels(1, 1, new byte[] {(byte) i, (byte) (i >> 8), 7});
            pictures.add(picture);
            asked.add(client.score(new ScoreRequest("picture " + i, picture, picture, null, "make it blue", ""))
                    .toCompletableFuture());
        }
        for (int i = 0; i < count; i++) {
            ScoreOutcome outcome = asked.get(i).get(25, TimeUnit.SECONDS);
            assertThat(outcome).isInstanceOf(Scored.class);
            assertThat(((Scored) outcome).score()).isCloseTo(SimulatedScorer.truth(pictures.get(i)), within(1e-9));
        }
    }
}
