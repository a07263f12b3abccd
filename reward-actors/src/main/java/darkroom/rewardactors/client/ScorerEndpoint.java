package darkroom.rewardactors.client;

import com.netflix.concurrency.limits.Limit;
import com.netflix.concurrency.limits.limit.AIMDLimit;
import darkroom.rewardactors.protocol.ScorerFault;
import dev.failsafe.CircuitBreaker;
import java.time.Duration;
import java.util.LinkedHashSet;
import java.util.OptionalDouble;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * State of one server of a pool: its load, and whether it is trusted. Belongs to its {@link ScorerPool}, which locks it.
 */
final class ScorerEndpoint {
    private static final Logger LOG = LoggerFactory.getLogger(ScorerEndpoint.class);
    private static final double BACKOFF = .7;
    private static final int FAILURES_OPEN = 5;
    private static final int FAILURES_OF = 10;
    private static final int SUCCESSES_CLOSED = 3;
    private static final Duration OPEN_FOR = Duration.ofSeconds(5);

    /** Number of unanswered requests that together show that the server does not answer. */
    private static final int SILENT_TOGETHER = 4;

    /** Allowed difference between canary scores: the noise of batches in bfloat16 is below it. */
    private static final double CANARY_TOLERANCE = .03;

    private static final long SILENT_TOGETHER_MIN_NANOS = TimeUnit.MILLISECONDS.toNanos(100);
    private static final long SILENT_ALONE_MIN_NANOS = TimeUnit.SECONDS.toNanos(5);

    private final ScorerServer server;
    private final Limit limit;
    private final CircuitBreaker<Object> breaker;
    private final Set<PooledRequest> inFlight = new LinkedHashSet<>();
    private long lastAnswerNanos;
    private @Nullable String outBecause;
    private boolean drifted;
    private OptionalDouble canaryAtFirst = OptionalDouble.empty();
    private long answered;
    private long failed;
    private String lastFault = "";

    /** @param concurrency maximum number of requests in flight; fewer while the server is overloaded */
    ScorerEndpoint(ScorerServer server, int concurrency) {
        this(server, concurrency, OPEN_FOR);
    }

    /** @param openFor time for which a failing server is not asked */
    ScorerEndpoint(ScorerServer server, int concurrency, Duration openFor) {
        this.server = server;
        this.limit = AIMDLimit.newBuilder()
                .minLimit(1)
                .maxLimit(concurrency)
                .initialLimit(concurrency)
                .backoffRatio(BACKOFF)
                .timeout(Long.MAX_VALUE, TimeUnit.NANOSECONDS)
                .build();
        this.breaker = CircuitBreaker.builder()
                .withFailureThreshold(FAILURES_OPEN, FAILURES_OF)
                .withSuccessThreshold(SUCCESSES_CLOSED)
                .withDelay(openFor)
                .onOpen(_ -> LOG.warn("scorer {} fails and is asked last", describe()))
                .onClose(_ -> LOG.info("scorer {} answers again", server.name()))
                .build();
    }

    ScorerServer server() {
        return server;
    }

    Set<PooledRequest> inFlight() {
        return inFlight;
    }

    boolean hasRoom() {
        return inFlight.size() < limit.getLimit();
    }

    /** Share of its places that are taken. */
    double load() {
        return inFlight.size() / (double) limit.getLimit();
    }

    /**
     * Whether it is preferred to servers that fail: it does not fail, or has not been asked for a while and no request is in
     * flight that would show whether it still fails. Does not change the state.
     */
    boolean trusted() {
        if (outBecause != null) {
            return false;
        }
        boolean rested = breaker.isHalfOpen() || breaker.getRemainingDelay().isZero();
        return breaker.isClosed() || (rested && inFlight.isEmpty());
    }

    boolean isOut() {
        return outBecause != null;
    }

    void takeOut(String why) {
        outBecause = why;
    }

    void takeBack(long nanos) {
        outBecause = null;
        drifted = false;
        lastAnswerNanos = nanos;
    }

    /** Whether its scores have drifted: it is then not asked, even if it is the only one. */
    boolean isDrifted() {
        return drifted;
    }

    /** Compares a score of the canary with the first one, the reference; an endpoint that has drifted is out. */
    void recordCanary(double score) {
        if (canaryAtFirst.isEmpty()) {
            canaryAtFirst = OptionalDouble.of(score);
        }
        drifted = Math.abs(score - canaryAtFirst.getAsDouble()) > CANARY_TOLERANCE;
        if (drifted) {
            outBecause = "its scores drift: the canary scored %.4f, and %.4f at first"
                    .formatted(score, canaryAtFirst.getAsDouble());
        }
    }

    /** Records a request; those sent while the circuit breaker is half open show whether it closes. */
    void begin(PooledRequest one) {
        if (breaker.isOpen() && breaker.getRemainingDelay().isZero()) {
            breaker.halfOpen();
        }
        inFlight.add(one);
    }

    void end(PooledRequest one, ScorerAttempt attempt, long nanos) {
        int before = inFlight.size();
        if (!inFlight.remove(one)) {
            return;
        }
        boolean well = attempt instanceof ScorerAttempt.Succeeded;
        boolean overrun = attempt instanceof ScorerAttempt.Failed(ScorerFault fault)
                && Set.of("timeout", "refused", "reset", "no-answer", "http-429", "http-503")
                        .contains(fault.code());
        limit.onSample(one.beganNanos(), nanos - one.beganNanos(), before, overrun);
        if (well) {
            answered++;
            breaker.recordSuccess();
        } else {
            failed++;
            lastFault = attempt instanceof ScorerAttempt.Failed(ScorerFault fault) ? fault.reason() : "";
            breaker.recordFailure();
        }
        if (!overrun) {
            lastAnswerNanos = nanos;
        }
    }

    /** Drops a request that is no longer awaited; it shows nothing about the server. */
    void forget(PooledRequest one) {
        inFlight.remove(one);
    }

    /**
     * Whether the server does not answer, compared with the usual latency elsewhere.
     *
     * @param usualNanos time in which nearly all answers arrive
     */
    boolean isSilent(long usualNanos, long nanos) {
        if (inFlight.isEmpty()) {
            return false;
        }
        long oldest = inFlight.iterator().next().beganNanos();
        long since = nanos - Math.max(oldest, lastAnswerNanos);
        return inFlight.size() >= SILENT_TOGETHER
                ? since > Math.max(SILENT_TOGETHER_MIN_NANOS, 2 * usualNanos)
                : since > Math.max(SILENT_ALONE_MIN_NANOS, 10 * usualNanos);
    }

    /** Describes the state in one line. */
    String describe() {
        return "%s: %d answered, %d failed%s%s"
                .formatted(
                        server.name(),
                        answered,
                        failed,
                        lastFault.isEmpty() ? "" : ", the last time: " + lastFault,
                        outBecause == null ? "" : ", out: " + outBecause);
    }
}
