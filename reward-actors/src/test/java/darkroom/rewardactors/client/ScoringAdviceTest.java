package darkroom.rewardactors.client;

import static org.assertj.core.api.Assertions.assertThat;

import darkroom.actors.device.ScoreOutcome.Scored;
import darkroom.actors.device.ScoreOutcome.Unscored;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class ScoringAdviceTest {
    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "http-401: no | true | DARKROOM_SCORER_TOKEN",
                "http-403: no | true | DARKROOM_SCORER_TOKEN",
                "http-404: no model | true | scoring.model",
                "http-307: redirected to http://there | true | redirects to",
                "http-400: At most 1 image(s) may be provided in one request | true | --limit-mm-per-prompt",
                "http-400: This model's maximum context length is 512 tokens | true | --max-model-len",
                "http-413: large | true | scoring.jpeg-quality",
                "http-429: slower | false | scoring.concurrency",
                "http-408: late | false | ''",
                "http-500: oops | false | ''",
                "http-503: loading | false | scoring.concurrency",
                "tls: PKIX path building failed | true | DARKROOM_SCORER_CA_FILE",
                "no-labels: none | true | Instruct",
                "low-mass: little | true | Instruct",
                "no-logprobs: none | true | score-sampling",
                "refused: no connection | false | runs and listens",
                "timeout: late | false | scoring.timeout",
                "unknown-host: none | false | host name"
            })
    void each_reason_has_a_remedy_and_is_lasting_or_may_pass(String reason, boolean lasting, String remedy) {
        assertThat(ScoringAdvice.isLasting(reason)).isEqualTo(lasting);
        assertThat(ScoringAdvice.of(reason)).contains(remedy);
    }

    @Test
    void the_commonest_reasons_come_first_and_equal_scores_are_told() {
        ReasonTally tally = new ReasonTally();
        for (int i = 0; i < 5; i++) {
            tally.count(new Unscored("http-401: no", 1));
            tally.count(new Scored(.5, 1, 1, "there:1 judge"));
        }
        tally.count(new Unscored("timeout: late", 3));
        assertThat(tally.reasons().getFirst()).contains("5 unscored, http-401: no", "DARKROOM_SCORER_TOKEN");
        assertThat(tally.reasons().get(1)).contains("1 unscored, timeout: late");
        assertThat(tally.flat()).contains("all 5 images", "0.5", "there:1 judge");
        tally.count(new Scored(.6, 1, 1, "there:1 judge"));
        assertThat(tally.flat()).isEmpty();
    }
}
