package darkroom.rewardactors.client;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import darkroom.actors.device.ScoreOutcome;
import darkroom.actors.device.ScoreOutcome.Scored;
import darkroom.actors.device.ScoreOutcome.Unscored;
import darkroom.config.ScoringSettings;
import darkroom.config.ScoringSettings.Ladder;
import darkroom.config.ScoringSettings.Method;
import darkroom.rewardactors.protocol.LogprobSource;
import darkroom.rewardactors.protocol.PngImage;
import darkroom.rewardactors.protocol.ScoreRequest;
import darkroom.rewardactors.protocol.ScoringMethod;
import darkroom.rewardactors.simulation.SimulatedScorer;
import java.time.Duration;
import java.util.EnumSet;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Tests the choice of logprob source, on servers that support some and ignore others with status 200. */
class LogprobSourcesTest {
    private static final String PROMPT = ScoringMethod.of(Method.SCORE_LOGIT).promptName();

    @ParameterizedTest
    @EnumSource(names = {"TOKEN_IDS", "CHOICE", "PROMPT"})
    void the_only_exact_logprob_source_of_a_server_is_found_and_gives_the_true_score(LogprobSource logprobSource)
            throws Exception {
        try (SimulatedScorer scorer = SimulatedScorer.honouring(Set.of(logprobSource))) {
            Scored scored = scored(scorer, Ladder.AUTO);
            assertThat(scored.scorer())
                    .endsWith(
                            " simulated [" + logprobSource.code() + ", version 0.0.simulated, prompt " + PROMPT + "]");
        }
    }

    @Test
    void the_best_of_several_logprob_sources_is_taken() throws Exception {
        try (SimulatedScorer scorer = SimulatedScorer.honouring(EnumSet.allOf(LogprobSource.class))) {
            assertThat(scored(scorer, Ladder.AUTO).scorer()).contains("[token-ids");
        }
    }

    @Test
    void a_server_that_ignores_what_it_does_not_know_is_asked_for_the_likeliest_tokens() throws Exception {
        try (SimulatedScorer scorer = SimulatedScorer.honouring(Set.of(LogprobSource.TOP))) {
            assertThat(scored(scorer, Ladder.AUTO).scorer()).contains("[top-20");
        }
    }

    @Test
    void a_server_without_a_version_is_asked_nothing_but_the_question() throws Exception {
        try (SimulatedScorer scorer = SimulatedScorer.plain(_ -> Duration.ZERO)) {
            assertThat(scored(scorer, Ladder.AUTO).scorer()).endsWith(" simulated [prompt " + PROMPT + "]");
            assertThat(scorer.questions()).isEqualTo(1);
        }
    }

    @Test
    void a_logprob_source_that_is_set_is_taken_without_asking() throws Exception {
        try (SimulatedScorer scorer = SimulatedScorer.honouring(EnumSet.allOf(LogprobSource.class))) {
            assertThat(scored(scorer, Ladder.CHOICE).scorer()).contains("[choice");
            assertThat(scorer.questions()).isEqualTo(1);
        }
    }

    /** P-3: on an exact logprob source a missing label does not have probability 0. */
    @Test
    void a_logprob_source_that_a_server_does_not_honour_gives_no_score() throws Exception {
        try (SimulatedScorer scorer = SimulatedScorer.honouring(Set.of(LogprobSource.TOP))) {
            assertThat(ask(scorer, Method.SCORE_LOGIT, Ladder.PROMPT_LOGPROBS))
                    .isInstanceOfSatisfying(Unscored.class, unscored -> assertThat(unscored.reason())
                            .startsWith("missing-label: "));
        }
    }

    @Test
    void labels_that_are_several_tokens_are_refused_with_the_label_and_the_model() throws Exception {
        try (SimulatedScorer scorer = SimulatedScorer.honouring(Set.of(LogprobSource.TOKEN_IDS))) {
            assertThat(ask(scorer, Method.YES_NO_LOGIT, Ladder.AUTO))
                    .isInstanceOfSatisfying(Unscored.class, unscored -> assertThat(unscored.reason())
                            .startsWith("label-tokens: label \"Yes\" is 3 tokens of model simulated"));
        }
    }

    private static Scored scored(SimulatedScorer scorer, Ladder logprobSource) throws Exception {
        ScoreOutcome outcome = ask(scorer, Method.SCORE_LOGIT, logprobSource);
        assertThat(outcome).isInstanceOf(Scored.class);
        assertThat(((Scored) outcome).score()).isCloseTo(SimulatedScorer.truth(edited()), within(1e-9));
        return (Scored) outcome;
    }

    private static ScoreOutcome ask(SimulatedScorer scorer, Method method, Ladder logprobSource) throws Exception {
        ScoringSettings settings = TestScoring.with(
                TestScoring.method(method), TestScoring.logprobSource(logprobSource), "timeout=5s", "attempts=1");
        try (ScorerClient client = new ScorerClient(scorer.url(), settings, ScorerAccess.NONE)) {
            return client.score(new ScoreRequest("it", edited(), edited(), null, "make it blue", ""))
                    .toCompletableFuture()
                    .get(20, TimeUnit.SECONDS);
        }
    }

    private static PngImage edited() {
        return PngImage.ofPixels(2, 1, new byte[] {1, 2, 3, 4, 5, 6});
    }
}
