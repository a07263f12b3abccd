package darkroom.rewardactors.client;

import darkroom.actors.device.ScoreOutcome;
import darkroom.actors.device.ScoreOutcome.Scored;
import darkroom.actors.device.ScoreOutcome.Unscored;
import darkroom.config.ErrorReason;
import darkroom.config.ScoringSettings;
import darkroom.rewardactors.protocol.LabelScore;
import darkroom.rewardactors.protocol.ScoreRequest;
import darkroom.rewardactors.protocol.ScorerCall;
import darkroom.rewardactors.protocol.ScorerFault;
import darkroom.rewardactors.protocol.ScoringMethod;
import dev.failsafe.Failsafe;
import dev.failsafe.FailsafeExecutor;
import dev.failsafe.RetryPolicy;
import java.net.URI;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledThreadPoolExecutor;
import java.util.concurrent.atomic.AtomicLong;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/**
 * Asks OpenAI-compatible scorers for scores: one, or several that answer the same questions.
 *
 * <p>Every request ends, whatever the scorers do: with the score in an answer, or unscored with a reason (promises P-3 and
 * P-4). The time is bounded by {@code attempts} times ({@code timeout} plus the longest pause), counted from when one of the
 * {@code concurrency} places of a scorer is free. {@link ScorerPool} decides which scorer is asked, and when a second one is.
 * Safe for use by many threads; never blocks its caller.
 */
public final class ScorerClient implements Scorer {
    /** Maximum number of requests waiting for a place; one more is unscored at once with code {@code busy}. */
    public static final int WAITING_MAX = 8192;

    /** The longest pause between two attempts, whatever the scorer requests in Retry-After. */
    static final Duration PAUSE_MAX = Duration.ofSeconds(20);

    static final Duration PAUSE_FIRST = Duration.ofMillis(200);

    /** The shortest pause before an attempt that exceeds the {@link RetryBudget}. */
    private static final Duration PAUSE_BEYOND_BUDGET = Duration.ofSeconds(2);

    private final String name;
    private final ScorerPool pool;
    private final ScoringMethod method;
    private final ScorerAccess access;
    private final ExecutorService executor = Executors.newThreadPerTaskExecutor(
            Thread.ofVirtual().name("scorer-", 0).factory());
    private final ScheduledThreadPoolExecutor timer;
    private final ScorerHttp http;
    private final AdmissionGate gate;
    private final FailsafeExecutor<Asked> retrying;
    private final Map<Long, CompletableFuture<ScoreOutcome>> open = new ConcurrentHashMap<>();
    private final AtomicLong opened = new AtomicLong();
    private final RetryBudget retryBudget;
    private final int places;
    private volatile boolean closed;

    private record Asked(ScorerCall call, ScorerAttempt attempt) {}

    /** Creates a client of one endpoint. */
    public ScorerClient(URI endpoint, ScoringSettings settings, ScorerAccess access) {
        this(List.of(endpoint), settings, access);
    }

    /**
     * Creates a client of one or several endpoints.
     *
     * @param endpoints base URLs, with or without a trailing slash or {@code /v1}; at least one
     * @param settings method, model, bounds; its list of endpoints is ignored
     * @param access sent to these endpoints only, and never logged
     * @throws IllegalArgumentException if a URL is missing or invalid, a bound is below 1, or the question cannot be asked
     */
    public ScorerClient(List<URI> endpoints, ScoringSettings settings, ScorerAccess access) {
        this(endpoints, settings, access, PAUSE_FIRST);
    }

    public ScorerClient(List<URI> endpoints, ScoringSettings settings, ScorerAccess access, Duration pauseFirst) {
        if (settings.concurrency() < 1
                || settings.attempts() < 1
                || !settings.timeout().isPositive()) {
            throw new IllegalArgumentException("scoring.concurrency=" + settings.concurrency() + ", scoring.attempts="
                    + settings.attempts() + ", scoring.timeout=" + settings.timeout() + ": each must be above 0");
        }
        if (endpoints.isEmpty()) {
            throw new IllegalArgumentException("no scorer: name at least one endpoint");
        }
        this.name = endpoints.stream()
                .map(endpoint -> ScorerAddress.of(endpoint).name())
                .collect(Collectors.joining(", "));
        this.method = ScoringMethod.of(settings);
        this.access = access;
        this.timer = new ScheduledThreadPoolExecutor(
                1, Thread.ofPlatform().daemon().name("scorer-timer").factory());
        timer.setRemoveOnCancelPolicy(true);
        timer.setExecuteExistingDelayedTasksAfterShutdownPolicy(false);
        this.http = new ScorerHttp(executor, timer, settings.timeout(), access);
        this.pool = new ScorerPool(
                endpoints.stream()
                        .map(endpoint -> new ScorerServer(endpoint, settings, method, access, http, executor))
                        .toList(),
                settings,
                method,
                timer,
                executor);
        this.places = settings.concurrency() * endpoints.size();
        this.gate = new AdmissionGate(places, WAITING_MAX, executor);
        this.retryBudget = new RetryBudget();
        this.retrying = Failsafe.with(RetryPolicy.<Asked>builder()
                        .handleResultIf(asked -> asked.attempt() instanceof ScorerAttempt.Failed(ScorerFault fault)
                                && !fault.permanent())
                        .withMaxAttempts(settings.attempts())
                        .withDelayFn(context -> pause(context.getLastResult(), pauseFirst))
                        .build())
                .with(timer);
    }

    /** Maximum number of requests in flight at the same time, at all servers together. */
    @Override
    public int concurrency() {
        return places;
    }

    /** Hosts and ports of the scorers, for reports. */
    @Override
    public String name() {
        return name;
    }

    /** Returns the number of answers so far, one line per server. */
    @Override
    public List<String> describe() {
        return pool.describe();
    }

    /**
     * Measures how much the score of one question varies, at each scorer that reports its version; others are left out.
     *
     * @param times number of sequential requests, and of concurrent ones
     */
    @Override
    public CompletionStage<List<ScorerNoise>> noise(int times) {
        return pool.noise(times);
    }

    /** Number of requests that were sent a second time because the first one took long. */
    public long hedged() {
        return pool.hedged();
    }

    /**
     * Scores one edit. The stage never completes exceptionally; it completes on a thread of this client, which must not
     * be blocked for long.
     */
    @Override
    public CompletionStage<ScoreOutcome> score(ScoreRequest request) {
        CompletableFuture<ScoreOutcome> outcome = new CompletableFuture<>();
        long number = opened.incrementAndGet();
        open.put(number, outcome);
        var _ = outcome.whenComplete((_, _) -> open.remove(number));
        if (!closed && !gate.enter(() -> start(request, outcome))) {
            String detail = "more than " + WAITING_MAX + " requests wait for " + name;
            outcome.complete(unscored("busy", detail, 0));
        }
        if (closed) {
            outcome.complete(unscoredByClose());
        }
        return outcome.minimalCompletionStage();
    }

    /** Ends all requests at once: they are unscored with code {@code closed}. */
    @Override
    public void close() {
        closed = true;
        for (CompletableFuture<ScoreOutcome> outcome : open.values()) {
            outcome.complete(unscoredByClose());
        }
        http.close();
        timer.shutdown();
    }

    private Unscored unscoredByClose() {
        return unscored("closed", "the client of " + name + " was closed", 0);
    }

    private void start(ScoreRequest request, CompletableFuture<ScoreOutcome> outcome) {
        var _ = outcome.whenComplete((_, _) -> gate.leave());
        if (outcome.isDone()) {
            return;
        }
        try {
            ScorerCall call = new ScorerCall(request, method.words(request));
            Set<ScorerEndpoint> avoid = ScorerPool.none();
            retryBudget.first();
            var _ = retrying.getStageAsync(() -> pool.ask(call, avoid).thenApply(attempt -> new Asked(call, attempt)))
                    .whenComplete((asked, error) -> outcome.complete(
                            error == null
                                    ? outcome(asked.attempt(), call)
                                    : unscored("client-error", ErrorReason.of(error), call.sent())));
        } catch (RuntimeException e) {
            outcome.complete(unscored("client-error", ErrorReason.of(e), 0));
        }
    }

    private ScoreOutcome outcome(ScorerAttempt attempt, ScorerCall call) {
        return switch (attempt) {
            case ScorerAttempt.Succeeded(LabelScore.Believed reading, String scorer) ->
                new Scored(reading.score(), reading.mass(), call.sent(), scorer);
            case ScorerAttempt.Failed(ScorerFault fault) -> unscored(fault.code(), fault.detail(), call.sent());
        };
    }

    private Unscored unscored(String code, String detail, int attempts) {
        String shown = access.hiddenIn(detail);
        return new Unscored(ScorerFault.passing(code, shown).reason(), attempts);
    }

    /** Pause that keeps failing scorers from being flooded. */
    private Duration pause(@Nullable Asked asked, Duration first) {
        if (asked == null || !(asked.attempt() instanceof ScorerAttempt.Failed(ScorerFault fault))) {
            return Duration.ZERO;
        }
        Duration usual =
                pause(fault, first, asked.call().key(), Math.max(1, asked.call().sent()));
        boolean within = retryBudget.takeRetry() || usual.compareTo(PAUSE_BEYOND_BUDGET) > 0;
        return within ? usual : PAUSE_BEYOND_BUDGET;
    }

    /**
     * Returns a pause that doubles from {@code first} with each request, spread over its upper half by the key; Retry-After
     * wins.
     */
    public static Duration pause(ScorerFault fault, Duration first, int key, int sent) {
        Duration asked = fault.retryAfter();
        if (asked != null) {
            return asked.compareTo(PAUSE_MAX) < 0 ? asked : PAUSE_MAX;
        }
        long whole = Math.min(PAUSE_MAX.toMillis(), first.toMillis() << Math.min(sent - 1, 16));
        long mixed = (key * 31L + sent) * 0x9E3779B97F4A7C15L;
        double share = .5 + .5 * ((mixed >>> 40) / (double) (1 << 24));
        return Duration.ofMillis((long) (whole * share));
    }
}
