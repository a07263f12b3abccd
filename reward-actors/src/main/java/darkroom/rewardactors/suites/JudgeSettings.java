package darkroom.rewardactors.suites;

import java.net.URI;
import java.time.Duration;

/**
 * Settings of the judge of a suite.
 *
 * @param endpoint base URL of an OpenAI-compatible server, with or without {@code /v1}
 * @param model name sent in questions; empty: the first that the server lists
 * @param concurrency maximum number of questions in flight
 * @param timeout for one attempt, including the body
 * @param attempts maximum number of tries per question
 * @param tokensMax maximum number of tokens of an answer; one that reaches it is rejected
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

    /**
     * Validates the settings.
     *
     * @throws IllegalArgumentException naming the option of {@code darkroom eval} that cannot work
     */
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
