package darkroom.rewardactors;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import darkroom.actors.ScoreOutcome;
import darkroom.actors.ScoreOutcome.Scored;
import darkroom.actors.ScoreOutcome.Unscored;
import darkroom.config.ScoringSettings;
import darkroom.config.ScoringSettings.Ladder;
import darkroom.config.ScoringSettings.Method;
import java.time.Duration;
import java.util.EnumSet;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Which way to the label log-probabilities is taken, on servers that honour some and ignore others with status 200. */
class ScorerLadderTest {
    private static final String PROMPT = ScoringMethod.of(Method.SCORE_LOGIT).promptName();

    @ParameterizedTest
    @EnumSource(names = {"TOKEN_IDS", "CHOICE", "PROMPT"})
    void the_only_exact_rung_of_a_server_is_found_and_gives_the_true_score(Rung rung) throws Exception {
        try (SimulatedScorer scorer = SimulatedScorer.honouring(Set.of(rung))) {
            Scored scored = scored(scorer, Ladder.AUTO);
            assertThat(scored.scorer())
                    .endsWith(" simulated [" + rung.code() + ", version 0.0.simulated, prompt " + PROMPT + "]");
        }
    }

    @Test
    void the_best_of_several_rungs_is_taken() throws Exception {
        try (SimulatedScorer scorer = SimulatedScorer.honouring(EnumSet.allOf(Rung.class))) {
            assertThat(scored(scorer, Ladder.AUTO).scorer()).contains("[token-ids");
        }
    }

    @Test
    void a_server_that_ignores_what_it_does_not_know_is_asked_for_the_likeliest_tokens() throws Exception {
        try (SimulatedScorer scorer = SimulatedScorer.honouring(Set.of(Rung.TOP))) {
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
    void a_rung_that_is_set_is_taken_without_asking() throws Exception {
        try (SimulatedScorer scorer = SimulatedScorer.honouring(EnumSet.allOf(Rung.class))) {
            assertThat(scored(scorer, Ladder.CHOICE).scorer()).contains("[choice");
            assertThat(scorer.questions()).isEqualTo(1);
        }
    }

    /** P-3: on an exact rung a missing label is no label of probability 0. */
    @Test
    void a_rung_that_a_server_does_not_honour_gives_no_score() throws Exception {
        try (SimulatedScorer scorer = SimulatedScorer.honouring(Set.of(Rung.TOP))) {
            assertThat(ask(scorer, Method.SCORE_LOGIT, Ladder.PROMPT_LOGPROBS))
                    .isInstanceOfSatisfying(Unscored.class, unscored -> assertThat(unscored.reason())
                            .startsWith("missing-label: "));
        }
    }

    @Test
    void labels_that_are_several_tokens_are_refused_with_the_label_and_the_model() throws Exception {
        try (SimulatedScorer scorer = SimulatedScorer.honouring(Set.of(Rung.TOKEN_IDS))) {
            assertThat(ask(scorer, Method.YES_NO_LOGIT, Ladder.AUTO))
                    .isInstanceOfSatisfying(Unscored.class, unscored -> assertThat(unscored.reason())
                            .startsWith("label-tokens: label \"Yes\" is 3 tokens of model simulated"));
        }
    }

    private static Scored scored(SimulatedScorer scorer, Ladder rung) throws Exception {
        ScoreOutcome outcome = ask(scorer, Method.SCORE_LOGIT, rung);
        assertThat(outcome).isInstanceOf(Scored.class);
        assertThat(((Scored) outcome).score()).isCloseTo(SimulatedScorer.truth(edited()), within(1e-9));
        return (Scored) outcome;
    }

    private static ScoreOutcome ask(SimulatedScorer scorer, Method method, Ladder rung) throws Exception {
        ScoringSettings settings =
                TestScoring.with(TestScoring.method(method), TestScoring.rung(rung), "timeout=5s", "attempts=1");
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
