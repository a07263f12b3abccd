package darkroom.rewardactors;

import java.net.URI;
import java.time.Duration;

/**
 * Which judge a suite asks, and how.
 *
 * @param endpoint base URL of an OpenAI-compatible server, with or without {@code /v1}
 * @param model name that questions carry; empty: the first that the server lists
 * @param concurrency questions in flight, at most
 * @param timeout for one attempt, the body included
 * @param attempts tries a question before it stays without an answer
 * @param tokensMax tokens of an answer, at most; one that reaches it is not believed
 * @param temperature of sampling; 0 as Edit-R1 recommends for judging
 */
public record JudgeSettings(
        URI endpoint,
        String model,
        int concurrency,
        Duration timeout,
        int attempts,
        int tokensMax,
        double temperature) {
    private static final int CONCURRENCY_MAX = 1024;
    private static final Duration TIMEOUT_MAX = Duration.ofHours(1);

    /** @throws IllegalArgumentException naming the option of {@code darkroom eval} that cannot work */
    public JudgeSettings {
        require(concurrency >= 1 && concurrency <= CONCURRENCY_MAX, "--concurrency", concurrency, "1 to 1024");
        require(timeout.isPositive() && timeout.compareTo(TIMEOUT_MAX) <= 0, "--timeout", timeout, "above 0, to 1 h");
        require(attempts >= 1 && attempts <= 100, "--attempts", attempts, "1 to 100");
        require(tokensMax >= 1, "--max-tokens", tokensMax, "1 and above");
        require(temperature >= 0 && temperature <= 2, "--temperature", temperature, "0 to 2");
    }

    private static void require(boolean holds, String option, Object value, String allowed) {
        if (!holds) {
            throw new IllegalArgumentException("%s=%s: allowed are %s".formatted(option, value, allowed));
        }
    }
}
