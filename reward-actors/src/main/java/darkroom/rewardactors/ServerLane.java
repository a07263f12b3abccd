package darkroom.rewardactors;

import com.netflix.concurrency.limits.Limit;
import com.netflix.concurrency.limits.limit.AIMDLimit;
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
 * What a pool knows of one of its servers: how much it is given, and whether it is trusted. Belongs to its {@link ScorerPool}, which
 * locks it.
 */
final class ServerLane {
    private static final Logger LOG = LoggerFactory.getLogger(ServerLane.class);
    private static final double BACKOFF = .7;
    private static final int FAILURES_OPEN = 5;
    private static final int FAILURES_OF = 10;
    private static final int SUCCESSES_CLOSED = 3;
    private static final Duration OPEN_FOR = Duration.ofSeconds(5);

    /** Requests without an answer that say, together, that nobody answers. */
    private static final int SILENT_TOGETHER = 4;

    /** The canary's scores may differ by this much: the noise of batches in bfloat16 is below it. */
    private static final double CANARY_TOLERANCE = .03;

    private static final long SILENT_TOGETHER_MIN_NANOS = TimeUnit.MILLISECONDS.toNanos(100);
    private static final long SILENT_ALONE_MIN_NANOS = TimeUnit.SECONDS.toNanos(5);

    private final ScorerServer server;
    private final Limit limit;
    private final CircuitBreaker<Object> breaker;
    private final Set<PoolTry> inFlight = new LinkedHashSet<>();
    private long lastAnswerNanos;
    private @Nullable String outBecause;
    private boolean drifted;
    private OptionalDouble canaryAtFirst = OptionalDouble.empty();
    private long answered;
    private long failed;
    private String lastFault = "";

    /** @param concurrency requests in flight at most; fewer while the server is overrun */
    ServerLane(ScorerServer server, int concurrency) {
        this(server, concurrency, OPEN_FOR);
    }

    /** @param openFor time for which a server that fails is left alone */
    ServerLane(ScorerServer server, int concurrency, Duration openFor) {
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

    Set<PoolTry> inFlight() {
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
     * Whether it is to be asked while there are others: it does not fail, or has been left alone for a while and nothing is under way
     * that would show whether it still fails. Looking changes nothing.
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

    /** Whether its scores are no longer what they were: it is not asked, whoever else is there. */
    boolean isDrifted() {
        return drifted;
    }

    /** Compares a score of the canary with the first one, which is the measure; a lane that has drifted is out. */
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

    /** What is asked while the circuit breaker is half open shows whether it closes. */
    void begin(PoolTry one) {
        if (breaker.isOpen() && breaker.getRemainingDelay().isZero()) {
            breaker.halfOpen();
        }
        inFlight.add(one);
    }

    void end(PoolTry one, ScorerAttempt attempt, long nanos) {
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

    /** A request that is waited for no longer tells nothing about the server. */
    void forget(PoolTry one) {
        inFlight.remove(one);
    }

    /**
     * Whether nobody answers here, going by how fast answers come elsewhere.
     *
     * @param usualNanos in which nearly all answers come
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

    /** For people. */
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
