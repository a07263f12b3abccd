package darkroom.rewardactors;

import java.util.concurrent.CompletableFuture;

/** One request for a score at one server. */
final class PoolTry {
    private final ServerLane lane;
    private final long beganNanos;
    private final CompletableFuture<ScorerAttempt> told = new CompletableFuture<>();
    private final AbortSignal givenUp = new AbortSignal();

    PoolTry(ServerLane lane, long beganNanos) {
        this.lane = lane;
        this.beganNanos = beganNanos;
    }

    ServerLane lane() {
        return lane;
    }

    long beganNanos() {
        return beganNanos;
    }

    /** What came of it. */
    CompletableFuture<ScorerAttempt> told() {
        return told;
    }

    /** Raised when nobody waits for the answer any more: the exchange is then ended. */
    AbortSignal givenUp() {
        return givenUp;
    }
}
