package darkroom.rewardactors.client;

import com.netflix.concurrency.limits.Limit;
import com.netflix.concurrency.limits.limit.AIMDLimit;
import darkroom.actors.workqueue.SwitchBehavior;
import darkroom.config.ErrorReason;
import darkroom.config.ScoringSettings;
import darkroom.rewardactors.client.EndpointStatus.Availability;
import darkroom.rewardactors.client.ScorerPort.Lookup;
import darkroom.rewardactors.protocol.LabelScore;
import darkroom.rewardactors.protocol.ScorerCall;
import darkroom.rewardactors.protocol.ScorerFault;
import darkroom.rewardactors.protocol.ScoringMethod;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalDouble;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.TimeUnit;
import java.util.function.LongSupplier;
import org.apache.pekko.actor.typed.ActorRef;
import org.apache.pekko.actor.typed.Behavior;
import org.apache.pekko.actor.typed.PostStop;
import org.apache.pekko.actor.typed.Signal;
import org.apache.pekko.actor.typed.javadsl.ActorContext;
import org.apache.pekko.actor.typed.javadsl.Behaviors;
import org.apache.pekko.actor.typed.javadsl.TimerScheduler;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The reward actor of one scorer endpoint: owns what is known about the endpoint, and the requests in flight at it.
 *
 * <ul>
 *   <li><b>SE-1</b> At most as many requests are in flight as its limit, at most {@code scoring.concurrency}: a third fewer
 *       for a timeout or a refusal, one more for an answer. A request beyond the limit is handed back, not queued.
 *   <li><b>SE-2</b> Every request ends once: with {@code Ended}, with {@code HandedBack}, or given up by the pool; and its
 *       place is free from then on.
 *   <li><b>SE-3</b> The server is probed before its first question, by one probe at a time. A probe that fails ends the
 *       requests that waited for it, and the next request probes again.
 *   <li><b>SE-4</b> {@value Circuit#FAILURES_OPEN} failures among {@value Circuit#FAILURES_OF} results open the circuit;
 *       after {@link #OPEN_FOR} it is half open, and {@value Circuit#SUCCESSES_CLOSED} answers in a row close it.
 *   <li><b>SE-5</b> An endpoint that is out of service is asked the canary, with pauses that double up to {@link
 *       #CANARY_AFTER_MAX}, and is in service again once the answer is the first one.
 * </ul>
 */
final class ScorerEndpoint extends SwitchBehavior<ScorerEndpoint.Command> {
    private static final Logger LOG = LoggerFactory.getLogger(ScorerEndpoint.class);
    private static final double BACKOFF = .7;

    /** Time for which a failing endpoint is asked only if no other can be. */
    static final Duration OPEN_FOR = Duration.ofSeconds(5);

    static final Duration CANARY_AFTER = Duration.ofSeconds(1);
    static final Duration CANARY_AFTER_MAX = Duration.ofSeconds(30);

    /** Maximum number of canaries in flight; one more fails with code {@code busy}. */
    static final int CANARIES_MAX = 64;

    static final String SILENT = "silent";

    /** Number of unanswered requests that together show that the server does not answer. */
    private static final int SILENT_TOGETHER = 4;

    /** Allowed difference between canary scores: the noise of batches in bfloat16 is below it. */
    private static final double CANARY_TOLERANCE = .03;

    private static final long SILENT_TOGETHER_MIN_NANOS = TimeUnit.MILLISECONDS.toNanos(100);
    private static final long SILENT_ALONE_MIN_NANOS = TimeUnit.SECONDS.toNanos(5);
    private static final Set<String> OVERLOADED =
            Set.of("timeout", "refused", "reset", "no-answer", "http-429", "http-503");

    /** Messages to an endpoint. */
    sealed interface Command {}

    /**
     * Asks for a score.
     *
     * @param number of the request, unique in the pool; at least 0
     */
    record Ask(long number, ScorerCall call) implements Command {}

    /** The answer is no longer awaited: the exchange ends, and shows nothing about the server. */
    record GiveUp(long number) implements Command {}

    /**
     * Requests a {@code Suspected} if the server does not answer.
     *
     * @param usualNanos time in which nearly all answers of all endpoints arrive
     */
    record CheckSilence(long usualNanos) implements Command {}

    /** Takes the endpoint out of service; its requests end as {@code silent}. */
    record TakeOut(String why) implements Command {}

    /** Asks the canary; it takes no place of the limit. */
    record AskCanary(ActorRef<? super NoiseMeasurement.CanaryAnswered> replyTo) implements Command {}

    private record Probed(Lookup lookup) implements Command {}

    private record Answered(long number, ScorerAttempt attempt) implements Command {}

    private record CanaryDue() implements Command {}

    private record ReturnDue(Duration after) implements Command {}

    private record Rested() implements Command {}

    /** The known abilities of the server. */
    private sealed interface Capability {
        record Unprobed() implements Capability {}

        record Probing() implements Capability {}

        record Known(ServerProfile profile) implements Capability {}
    }

    /** The reason for a question to the canary. */
    private sealed interface Purpose {
        record Periodic() implements Purpose {}

        record Return(Duration after) implements Purpose {}

        record Measurement(ActorRef<? super NoiseMeasurement.CanaryAnswered> replyTo) implements Purpose {}
    }

    private record Request(ScorerCall call, long beganNanos, AbortSignal givenUp) {}

    private record CanaryRequest(ScorerCall call, Purpose purpose) {}

    private final ActorContext<Command> context;
    private final TimerScheduler<Command> timers;
    private final ScorerPort server;
    private final ScoringMethod method;
    private final Duration canaryEvery;
    private final LongSupplier nanos;
    private final ActorRef<? super ScorerPool.Report> pool;
    private final Limit limit;
    private final Map<Long, Request> inFlight = new LinkedHashMap<>();
    private final Map<Long, CanaryRequest> canaries = new HashMap<>();
    private final List<Long> waitingForProbe = new ArrayList<>();
    private Capability capability = new Capability.Unprobed();
    private Availability availability = new Availability.InService();
    private Circuit circuit = Circuit.closed();
    private OptionalDouble canaryAtFirst = OptionalDouble.empty();
    private long canariesAsked;
    private long lastAnswerNanos;
    private long answered;
    private long failed;
    private String lastFault = "";

    private ScorerEndpoint(
            ActorContext<Command> context,
            TimerScheduler<Command> timers,
            ScorerPort server,
            ScoringSettings settings,
            ScoringMethod method,
            LongSupplier nanos,
            ActorRef<? super ScorerPool.Report> pool) {
        this.context = context;
        this.timers = timers;
        this.server = server;
        this.method = method;
        this.canaryEvery = settings.canaryEvery();
        this.nanos = nanos;
        this.pool = pool;
        this.lastAnswerNanos = nanos.getAsLong();
        this.limit = AIMDLimit.newBuilder()
                .minLimit(1)
                .maxLimit(settings.concurrency())
                .initialLimit(settings.concurrency())
                .backoffRatio(BACKOFF)
                .timeout(Long.MAX_VALUE, TimeUnit.NANOSECONDS)
                .build();
        scheduleCanary();
    }

    /**
     * Creates an endpoint.
     *
     * @param nanos monotonic clock
     * @param pool receives the reports, and is the only one that asks for scores
     */
    static Behavior<Command> create(
            ScorerPort server,
            ScoringSettings settings,
            ScoringMethod method,
            LongSupplier nanos,
            ActorRef<? super ScorerPool.Report> pool) {
        return Behaviors.setup(context -> Behaviors.withTimers(
                timers -> new ScorerEndpoint(context, timers, server, settings, method, nanos, pool)));
    }

    @Override
    public Behavior<Command> onMessage(Command command) {
        switch (command) {
            case Ask(long number, ScorerCall call) -> onAsk(number, call);
            case GiveUp(long number) -> onGiveUp(number);
            case CheckSilence(long usualNanos) -> onCheckSilence(usualNanos);
            case TakeOut(String why) -> onTakeOut(why);
            case AskCanary(var replyTo) -> askCanary(new Purpose.Measurement(replyTo));
            case Probed(Lookup lookup) -> onProbed(lookup);
            case Answered(long number, ScorerAttempt attempt) -> onAnswered(number, attempt);
            case CanaryDue() -> onCanaryDue();
            case ReturnDue(Duration after) -> {
                if (!(availability instanceof Availability.InService)) {
                    askCanary(new Purpose.Return(after));
                }
            }
            case Rested() -> {
                circuit = circuit.rested(); // SE-4
                report();
            }
        }
        return this;
    }

    @Override
    public Behavior<Command> onSignal(Signal signal) {
        if (signal instanceof PostStop) {
            inFlight.values().forEach(request -> request.givenUp().raise());
        }
        return this;
    }

    private void onAsk(long number, ScorerCall call) {
        if (inFlight.size() >= limit.getLimit()) { // SE-1
            pool.tell(new ScorerPool.HandedBack(context.getSelf(), number, status()));
            return;
        }
        circuit = circuit.sent();
        inFlight.put(number, new Request(call, nanos.getAsLong(), new AbortSignal()));
        begin(number);
    }

    private void onGiveUp(long number) {
        Request request = inFlight.remove(number); // SE-2
        if (request != null) {
            request.givenUp().raise();
        }
    }

    /** SE-3. */
    private void begin(long number) {
        switch (capability) {
            case Capability.Known(ServerProfile profile) -> exchange(number, profile);
            case Capability.Probing() -> waitingForProbe.add(number);
            case Capability.Unprobed() -> {
                capability = new Capability.Probing();
                waitingForProbe.add(number);
                context.pipeToSelf(
                        begun(server::lookUp),
                        (lookup, error) -> new Probed(error == null ? lookup : new Lookup.Failed(defect(error))));
            }
        }
    }

    private void onProbed(Lookup lookup) {
        List<Long> waiting = List.copyOf(waitingForProbe);
        waitingForProbe.clear();
        switch (lookup) {
            case Lookup.Found(ServerProfile profile) -> {
                capability = new Capability.Known(profile);
                waiting.forEach(number -> exchange(number, profile));
            }
            case Lookup.Failed(ScorerFault fault) -> {
                capability = new Capability.Unprobed();
                waiting.forEach(number -> onAnswered(number, new ScorerAttempt.Failed(fault)));
            }
        }
    }

    private void exchange(long number, ServerProfile profile) {
        Request request = inFlight.get(number);
        CanaryRequest canary = canaries.get(number);
        ScorerCall call = request != null ? request.call() : canary != null ? canary.call() : null;
        if (call == null) {
            return; // given up while the server was probed
        }
        AbortSignal givenUp = request != null ? request.givenUp() : new AbortSignal();
        context.pipeToSelf(
                begun(() -> server.ask(call, profile, givenUp)),
                (attempt, error) ->
                        new Answered(number, error == null ? attempt : new ScorerAttempt.Failed(defect(error))));
    }

    private void onAnswered(long number, ScorerAttempt attempt) {
        if (doubtsProfile(attempt) && capability instanceof Capability.Known) {
            capability = new Capability.Unprobed(); // SE-3
        }
        CanaryRequest canary = canaries.remove(number);
        if (canary != null) {
            onCanaryAnswered(canary.purpose(), attempt);
            return;
        }
        int before = inFlight.size();
        Request request = inFlight.remove(number);
        if (request == null) {
            return; // given up, or ended as silent
        }
        long now = nanos.getAsLong();
        long latencyNanos = now - request.beganNanos();
        boolean overrun =
                attempt instanceof ScorerAttempt.Failed(ScorerFault fault) && OVERLOADED.contains(fault.code());
        limit.onSample(request.beganNanos(), latencyNanos, before, overrun);
        switch (attempt) {
            case ScorerAttempt.Succeeded _ -> answered++;
            case ScorerAttempt.Failed(ScorerFault fault) -> {
                failed++;
                lastFault = fault.reason();
            }
        }
        countResult(attempt instanceof ScorerAttempt.Succeeded);
        if (!overrun) {
            lastAnswerNanos = now;
        }
        pool.tell(new ScorerPool.Ended(context.getSelf(), number, attempt, latencyNanos, status())); // SE-2
    }

    /** SE-4. */
    private void countResult(boolean well) {
        Circuit before = circuit;
        circuit = before.ended(well);
        if (circuit instanceof Circuit.Open && !(before instanceof Circuit.Open)) {
            timers.startSingleTimer(Rested.class, new Rested(), OPEN_FOR);
            LOG.warn("scorer {} fails and is asked last", status().describe());
        } else if (circuit instanceof Circuit.Closed && before instanceof Circuit.HalfOpen) {
            LOG.info("scorer {} answers again", server.name());
        }
    }

    /** A status 404 that may pass was caused by the placeholder of a model that the server had not listed yet. */
    private static boolean doubtsProfile(ScorerAttempt attempt) {
        return attempt instanceof ScorerAttempt.Failed(ScorerFault fault)
                && fault.code().equals("http-404")
                && !fault.permanent();
    }

    private void onCheckSilence(long usualNanos) {
        if (isSilent(usualNanos)) {
            pool.tell(new ScorerPool.Suspected(context.getSelf(), usualNanos, status()));
        }
    }

    private boolean isSilent(long usualNanos) {
        if (inFlight.isEmpty()) {
            return false;
        }
        long oldest = inFlight.values().iterator().next().beganNanos();
        long since = nanos.getAsLong() - Math.max(oldest, lastAnswerNanos);
        return inFlight.size() >= SILENT_TOGETHER
                ? since > Math.max(SILENT_TOGETHER_MIN_NANOS, 2 * usualNanos)
                : since > Math.max(SILENT_ALONE_MIN_NANOS, 10 * usualNanos);
    }

    private void onTakeOut(String why) {
        availability = new Availability.Silent(why);
        LOG.warn("scorer {} is taken out", status().describe());
        ScorerAttempt silent =
                new ScorerAttempt.Failed(ScorerFault.passing(SILENT, server.name() + " does not answer, others do"));
        Map<Long, Request> lost = new LinkedHashMap<>(inFlight);
        inFlight.clear();
        lost.forEach((number, request) -> {
            pool.tell(new ScorerPool.Ended(
                    context.getSelf(), number, silent, nanos.getAsLong() - request.beganNanos(), status())); // SE-2
            request.givenUp().raise();
        });
        scheduleReturn(CANARY_AFTER);
        report();
    }

    private void scheduleCanary() {
        if (canaryEvery.isPositive()) {
            timers.startSingleTimer(CanaryDue.class, new CanaryDue(), canaryEvery);
        }
    }

    /** SE-5. */
    private void scheduleReturn(Duration after) {
        if (!timers.isTimerActive(ReturnDue.class)) {
            timers.startSingleTimer(ReturnDue.class, new ReturnDue(after), after);
        }
    }

    private void onCanaryDue() {
        if (availability instanceof Availability.InService && reportsVersion()) {
            askCanary(new Purpose.Periodic());
        } else {
            scheduleCanary();
        }
    }

    private boolean reportsVersion() {
        return capability instanceof Capability.Known(ServerProfile profile)
                && !profile.version().isEmpty();
    }

    private void askCanary(Purpose purpose) {
        if (canaries.size() >= CANARIES_MAX) {
            String detail = "more than " + CANARIES_MAX + " canaries are in flight at " + server.name();
            onCanaryAnswered(purpose, new ScorerAttempt.Failed(ScorerFault.passing("busy", detail)));
            return;
        }
        canariesAsked++;
        long number = -canariesAsked;
        canaries.put(number, new CanaryRequest(Canary.call(method), purpose));
        begin(number);
    }

    private void onCanaryAnswered(Purpose purpose, ScorerAttempt attempt) {
        switch (purpose) {
            case Purpose.Measurement(var replyTo) ->
                replyTo.tell(new NoiseMeasurement.CanaryAnswered(server.name(), attempt, reportsVersion()));
            case Purpose.Periodic() -> {
                compareCanary(attempt);
                if (availability instanceof Availability.Drifted) {
                    LOG.warn("scorer {} is taken out", status().describe());
                    scheduleReturn(CANARY_AFTER);
                }
                scheduleCanary();
                report();
            }
            case Purpose.Return(Duration after) -> {
                boolean same = compareCanary(attempt);
                if (same) {
                    availability = new Availability.InService(); // SE-5
                    lastAnswerNanos = nanos.getAsLong();
                    LOG.info("scorer {} is asked again", server.name());
                } else {
                    Duration next = after.multipliedBy(2);
                    scheduleReturn(next.compareTo(CANARY_AFTER_MAX) < 0 ? next : CANARY_AFTER_MAX);
                }
                report();
            }
        }
    }

    /** Compares a score of the canary with the first one, the reference; returns whether they are the same. */
    private boolean compareCanary(ScorerAttempt attempt) {
        if (!(attempt instanceof ScorerAttempt.Succeeded(LabelScore.Believed reading, String _))) {
            return false;
        }
        if (canaryAtFirst.isEmpty()) {
            canaryAtFirst = OptionalDouble.of(reading.score());
        }
        boolean same = Math.abs(reading.score() - canaryAtFirst.getAsDouble()) <= CANARY_TOLERANCE;
        if (!same) {
            availability = new Availability.Drifted("its scores drift: the canary scored %.4f, and %.4f at first"
                    .formatted(reading.score(), canaryAtFirst.getAsDouble()));
        }
        return same;
    }

    private void report() {
        pool.tell(new ScorerPool.Changed(context.getSelf(), status()));
    }

    private EndpointStatus status() {
        return new EndpointStatus(server.name(), availability, circuit, limit.getLimit(), answered, failed, lastFault);
    }

    @FunctionalInterface
    private interface Beginning<T> {
        CompletionStage<T> begin();
    }

    private static <T> CompletionStage<T> begun(Beginning<T> exchange) {
        try {
            return exchange.begin();
        } catch (RuntimeException e) {
            return CompletableFuture.failedFuture(e);
        }
    }

    private static ScorerFault defect(@Nullable Throwable error) {
        return ScorerFault.passing("client-error", error == null ? "no result" : ErrorReason.of(error));
    }
}
