package darkroom.rewardactors.client;

import java.util.concurrent.CompletableFuture;

/** One request for a score at one server. */
final class PooledRequest {
    private final ScorerEndpoint endpoint;
    private final long beganNanos;
    private final CompletableFuture<ScorerAttempt> told = new CompletableFuture<>();
    private final AbortSignal givenUp = new AbortSignal();

    PooledRequest(ScorerEndpoint endpoint, long beganNanos) {
        this.endpoint = endpoint;
        this.beganNanos = beganNanos;
    }

    ScorerEndpoint endpoint() {
        return endpoint;
    }

    long beganNanos() {
        return beganNanos;
    }

    /** Result of the request. */
    CompletableFuture<ScorerAttempt> told() {
        return told;
    }

    /** Raised when the answer is no longer awaited: the exchange is then ended. */
    AbortSignal givenUp() {
        return givenUp;
    }
}
