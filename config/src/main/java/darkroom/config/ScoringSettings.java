package darkroom.config;

import java.net.URI;
import java.time.Duration;
import java.util.List;
import java.util.Locale;

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
 * @param rung how log-probabilities are asked for; auto takes the best that a scorer honours
 * @param hedging whether a late answer is asked for a second time
 * @param canaryEvery time between two canaries to a scorer that tells its version; 0 for none
 * @param jpegQuality pictures are sent as JPEG of this quality, 1 to 100; 0: as PNG, without loss
 */
public record ScoringSettings(
        List<URI> endpoints,
        String model,
        Method method,
        String judge,
        int concurrency,
        Duration timeout,
        int attempts,
        double labelMassMin,
        Ladder rung,
        boolean hedging,
        Duration canaryEvery,
        int jpegQuality) {
    public ScoringSettings {
        for (URI endpoint : endpoints) {
            String scheme = String.valueOf(endpoint.getScheme()).toLowerCase(Locale.ROOT);
            boolean plain = endpoint.getRawUserInfo() == null && endpoint.getRawQuery() == null;
            Allowed.require(
                    plain && endpoint.getHost() != null && (scheme.equals("http") || scheme.equals("https")),
                    "scoring.endpoints",
                    plain ? endpoint : "(URL of " + endpoint.getHost() + ")",
                    "http and https URLs such as http://localhost:8000; a token comes from DARKROOM_SCORER_TOKEN");
        }
        Allowed.text("scoring.judge", judge);
        Allowed.whole("scoring.concurrency", concurrency, 1, 8192);
        Allowed.duration("scoring.timeout", timeout);
        Allowed.whole("scoring.attempts", attempts, 1, 1000);
        if (!canaryEvery.isZero()) {
            Allowed.duration("scoring.canary-every", canaryEvery);
        }
        Allowed.whole("scoring.jpeg-quality", jpegQuality, 0, 100);
        Allowed.real("scoring.label-mass-min", labelMassMin, 0, 1);
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

    /** Ways to ask for the log-probabilities of labels. */
    public enum Ladder {
        AUTO,
        TOKEN_IDS,
        CHOICE,
        PROMPT_LOGPROBS,
        TOP_20
    }
}
