package darkroom.rewardactors.client;

/**
 * Circuit breaker of one scorer endpoint. A value: each event gives the next state, and the {@link ScorerEndpoint} keeps the
 * time of {@link Open}.
 */
sealed interface Circuit {
    /** Number of failures among the last {@value #FAILURES_OF} results that open the circuit. */
    int FAILURES_OPEN = 5;

    int FAILURES_OF = 10;

    /** Number of successes in a row that close a half-open circuit. */
    int SUCCESSES_CLOSED = 3;

    /**
     * The endpoint is asked like every other.
     *
     * @param failures the last {@value #FAILURES_OF} results, one bit each, the newest lowest; 1 is a failure
     */
    record Closed(int failures) implements Circuit {}

    /** The endpoint fails, and is asked only if no other can be. */
    record Open() implements Circuit {}

    /** The time of {@link Open} is over, and nothing was asked since. */
    record Rested() implements Circuit {}

    /** The endpoint is asked one request at a time, which shows whether it still fails. */
    record HalfOpen(int successes) implements Circuit {}

    static Circuit closed() {
        return new Closed(0);
    }

    /** Returns the state once a request is sent. */
    default Circuit sent() {
        return this instanceof Rested ? new HalfOpen(0) : this;
    }

    /** Returns the state once the time of {@link Open} is over. */
    default Circuit rested() {
        return this instanceof Open ? new Rested() : this;
    }

    /** Returns the state once a request has ended. */
    default Circuit ended(boolean well) {
        return switch (this) {
            case Closed(int failures) -> {
                int last = ((failures << 1) | (well ? 0 : 1)) & ((1 << FAILURES_OF) - 1);
                yield Integer.bitCount(last) >= FAILURES_OPEN ? new Open() : new Closed(last);
            }
            case HalfOpen(int successes) -> {
                if (!well) {
                    yield new Open();
                }
                yield successes + 1 >= SUCCESSES_CLOSED ? closed() : new HalfOpen(successes + 1);
            }
            case Open _, Rested _ -> this; // a request from before the circuit opened
        };
    }
}
