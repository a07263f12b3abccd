package darkroom.rewardactors.client;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import darkroom.actors.device.ScoreOutcome;
import darkroom.actors.device.ScoreOutcome.Scored;
import darkroom.actors.device.ScoreOutcome.Unscored;
import darkroom.config.ScoringSettings;
import darkroom.config.ScoringSettings.Ladder;
import darkroom.rewardactors.protocol.PngImage;
import darkroom.rewardactors.protocol.ScoreRequest;
import darkroom.rewardactors.protocol.ScoringMethod;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Tests the client against a real vLLM with a tiny model, whose own float32 scores are the truth. */
@Tag("vllm")
class RealVllmTest {
    private static final int PAIRS = 24;
    private static final int SIDE = 56;

    /** With their pauses, enough for a server to restart. */
    private static final int ATTEMPTS = 40;

    private static final String INSTRUCTION = "make the square blue";
    private static final String REQUIREMENT = "Only the square changes.";

    private static final ScoringMethod METHOD = ScoringMethod.of(ScoringSettings.Method.SCORE_LOGIT);
    private static RealVllm vllm;
    private static final List<PngImage> PICTURES = new ArrayList<>();
    private static final Map<String, Double> TRUTH = new HashMap<>();

    @BeforeAll
    static void install(@TempDir Path directory) throws IOException, InterruptedException {
        Path pairs = directory.resolve("pairs.jsonl");
        List<String> rows = new ArrayList<>();
        for (int i = 0; i <= PAIRS; i++) {
            byte[] rgb = new byte[SIDE * SIDE * 3];
            new Random(i).nextBytes(rgb);
            PngImage picture = PngImage.ofPixels(SIDE, SIDE, rgb);
            PICTURES.add(picture);
            Files.write(directory.resolve(i + ".png"), picture.toBytes());
            if (i > 0) {
                rows.add(new JsonMapper()
                        .createObjectNode()
                        .put("id", Integer.toString(i))
                        .put("source", "0.png")
                        .put("edited", i + ".png")
                        .put("instruction", INSTRUCTION)
                        .put("requirement", REQUIREMENT)
                        .put("system", METHOD.system())
                        .put("question", METHOD.words(INSTRUCTION, REQUIREMENT, "", false))
                        .toString());
            }
        }
        Files.write(pairs, rows);
        vllm = RealVllm.ofRandomWeights(directory);
        for (String line : vllm.reference(pairs).lines().toList()) {
            JsonNode row = new JsonMapper().readTree(line);
            TRUTH.put(row.path("id").textValue(), row.path("score").doubleValue());
        }
        assertThat(TRUTH).hasSize(PAIRS);
    }

    @AfterAll
    static void stop() throws IOException {
        vllm.close();
    }

    @BeforeEach
    void start() throws IOException, InterruptedException {
        if (!vllm.isHealthy()) {
            vllm.kill();
            vllm.start();
        }
    }

    @ParameterizedTest
    @EnumSource(names = {"AUTO", "TOKEN_IDS", "CHOICE", "PROMPT_LOGPROBS"})
    void every_exact_logprob_source_gives_what_the_model_itself_gives(Ladder logprobSource) throws Exception {
        try (ScorerClient client = client(logprobSource, Duration.ofSeconds(60))) {
            List<Scored> scores = scored(askAll(client));
            String code = logprobSource == Ladder.AUTO
                    ? "token-ids"
                    : logprobSource.name().toLowerCase(java.util.Locale.ROOT).replace('_', '-');
            assertThat(scores).allSatisfy(score -> assertThat(score.scorer())
                    .contains(" tiny [" + code)
                    .contains(logprobSource == Ladder.AUTO ? "version 0.32.0" : ""));
        }
    }

    /** P-3: none of this model's labels is among the twenty likeliest tokens. */
    @Test
    void the_likeliest_tokens_of_a_model_that_means_something_else_are_no_score() throws Exception {
        try (ScorerClient client = client(Ladder.TOP_20, Duration.ofSeconds(60), 1)) {
            assertThat(ask(client, 1).get(120, TimeUnit.SECONDS))
                    .isInstanceOfSatisfying(Unscored.class, unscored -> assertThat(unscored.reason())
                            .startsWith("no-labels: "));
        }
    }

    @Test
    void the_same_question_has_the_same_score_alone_and_in_company() throws Exception {
        try (ScorerClient client = client(Ladder.AUTO, Duration.ofSeconds(60))) {
            assertThat(client.noise(16).toCompletableFuture().get(120, TimeUnit.SECONDS))
                    .singleElement()
                    .satisfies(noise -> {
                        assertThat(noise.count()).isEqualTo(32);
                        assertThat(noise.range()).isLessThan(1e-5);
                    });
        }
    }

    @Test
    void killed_within_a_group_and_started_again_it_loses_no_image_and_tells_no_wrong_score() throws Exception {
        try (ScorerClient client = client(Ladder.AUTO, Duration.ofSeconds(60))) {
            scored(List.of(ask(client, 1)));
            List<CompletableFuture<ScoreOutcome>> asked = askAll(client);
            vllm.kill();
            vllm.start();
            scored(asked);
        }
    }

    @Test
    void an_engine_that_is_killed_takes_no_image_with_it() throws Exception {
        try (ScorerClient client = client(Ladder.AUTO, Duration.ofSeconds(60))) {
            scored(List.of(ask(client, 1)));
            List<CompletableFuture<ScoreOutcome>> asked = askAll(client);
            RealVllm.signal("-KILL", vllm.engine());
            await(() -> !vllm.isHealthy());
            vllm.kill();
            vllm.start();
            scored(asked);
        }
    }

    /** P-4: its health endpoint does not show the fault. */
    @Test
    void an_engine_that_is_stopped_while_its_health_is_fine_is_named_and_its_images_are_scored_when_it_goes_on()
            throws Exception {
        try (ScorerClient client = client(Ladder.AUTO, Duration.ofSeconds(3))) {
            scored(List.of(ask(client, 1)));
            List<String> engine = vllm.engine();
            RealVllm.signal("-STOP", engine);
            try {
                List<CompletableFuture<ScoreOutcome>> asked = askAll(client);
                await(() -> client.describe().getFirst().contains("timeout: no whole answer within 3.0 s"));
                assertThat(vllm.isHealthy()).isTrue();
                assertThat(client.describe().getFirst()).startsWith(vllm.url().getAuthority());
                RealVllm.signal("-CONT", engine);
                scored(asked);
            } finally {
                RealVllm.signal("-CONT", engine);
            }
        }
    }

    @FunctionalInterface
    private interface Condition {
        boolean holds() throws Exception;
    }

    private static void await(Condition condition) throws Exception {
        long until = System.nanoTime() + TimeUnit.SECONDS.toNanos(60);
        while (!condition.holds()) {
            assertThat(System.nanoTime()).isLessThan(until);
            LockSupport.parkNanos(20_000_000);
        }
    }

    private static ScorerClient client(Ladder logprobSource, Duration timeout) {
        return client(logprobSource, timeout, ATTEMPTS);
    }

    private static ScorerClient client(Ladder logprobSource, Duration timeout, int attempts) {
        ScoringSettings settings = TestScoring.with(
                TestScoring.logprobSource(logprobSource),
                "concurrency=8",
                TestScoring.timeout(timeout),
                "attempts=" + attempts,
                "label-mass-min=0");
        return new ScorerClient(vllm.url(), settings, ScorerAccess.NONE);
    }

    private static List<CompletableFuture<ScoreOutcome>> askAll(ScorerClient client) {
        List<CompletableFuture<ScoreOutcome>> asked = new ArrayList<>();
        for (int i = 1; i <= PAIRS; i++) {
            asked.add(ask(client, i));
        }
        return asked;
    }

    private static CompletableFuture<ScoreOutcome> ask(ScorerClient client, int pair) {
        return client.score(new ScoreRequest(
                        Integer.toString(pair),
                        PICTURES.getFirst(),
                        PICTURES.get(pair),
                        null,
                        INSTRUCTION,
                        REQUIREMENT))
                .toCompletableFuture();
    }

    /** Checks that all are scored, each with the true score. */
    private static List<Scored> scored(List<CompletableFuture<ScoreOutcome>> asked) throws Exception {
        List<Scored> all = new ArrayList<>();
        for (int i = 0; i < asked.size(); i++) {
            ScoreOutcome outcome = asked.get(i).get(300, TimeUnit.SECONDS);
            assertThat(outcome).isInstanceOf(Scored.class);
            Scored scored = (Scored) outcome;
            assertThat(scored.score())
                    .isCloseTo(Objects.requireNonNull(TRUTH.get(Integer.toString(i + 1))), within(1e-4));
            all.add(scored);
        }
        return all;
    }
}
