package darkroom.config;

import java.net.URI;
import java.time.Duration;
import java.util.List;

/**
 * How an edit gets its score.
 *
 * @param endpoints base URLs of OpenAI-compatible scorers; empty means the embedded judge
 * @param model model name sent to the scorers; empty asks each scorer for its first model
 * @param method how the answer becomes a number, method section 3
 * @param judge which embedded judge serves when there are no endpoints: {@code judge} or {@code weak}
 * @param concurrency requests in flight per endpoint, at most
 * @param timeout time from sending a request to having read all of its answer, per attempt
 * @param attempts tries per image, at most, before it is unscored
 * @param labelMassMin probability on the labels below which an answer is not believed
 */
public record ScoringSettings(
        List<URI> endpoints,
        String model,
        Method method,
        String judge,
        int concurrency,
        Duration timeout,
        int attempts,
        double labelMassMin) {
    public ScoringSettings {
        endpoints = List.copyOf(endpoints);
    }

    /** The scoring methods of the paper's Table 4 that need no further model. */
    public enum Method {
        SCORE_LOGIT,
        YES_NO_LOGIT,
        SCORE_SAMPLING,
        SCORE_LOGIT_COT,
        SCORE_SAMPLING_COT
    }
}
