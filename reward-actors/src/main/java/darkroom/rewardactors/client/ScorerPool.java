package darkroom.rewardactors.client;

import darkroom.actors.device.ScoreOutcome;
import darkroom.actors.device.ScoreOutcome.Scored;
import darkroom.actors.device.ScoreOutcome.Unscored;
import darkroom.actors.workqueue.SwitchBehavior;
import darkroom.config.ErrorReason;
import darkroom.config.ScoringSettings;
import darkroom.rewardactors.protocol.LabelScore;
import darkroom.rewardactors.protocol.ScoreRequest;
import darkroom.rewardactors.protocol.ScorerCall;
import darkroom.rewardactors.protocol.ScorerFault;
import darkroom.rewardactors.protocol.ScoringMethod;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.Deque;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import java.util.function.LongSupplier;
import java.util.stream.Collectors;
import org.apache.pekko.actor.typed.ActorRef;
import org.apache.pekko.actor.typed.Behavior;
import org.apache.pekko.actor.typed.PostStop;
import org.apache.pekko.actor.typed.PreRestart;
import org.apache.pekko.actor.typed.Signal;
import org.apache.pekko.actor.typed.javadsl.ActorContext;
import org.apache.pekko.actor.typed.javadsl.Behaviors;
import org.apache.pekko.actor.typed.javadsl.TimerScheduler;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Routes score requests to the endpoints that answer the same questions, one {@link ScorerEndpoint} each. A question goes to
 * the least loaded trusted endpoint, and waits if none has room.
 *
 * <ul>
 *   <li><b>SP-1</b> An endpoint gets at most as many requests as the limit that it reported last ({@code SE-1}); a request
 *       that it hands back goes before all that wait, and does not count as an attempt.
 *   <li><b>SP-2</b> A request that takes longer than nearly all others is sent a second time, to another endpoint if one
 *       exists, and the first answer counts; second requests are at most {@link HedgeBudget#SHARE} of the first ones.
 *   <li><b>SP-3</b> An endpoint that does not answer while others do is removed and reported; its requests go to others at
 *       once, and do not count as attempts. It returns when it has answered the canary.
 *   <li><b>SP-4</b> An endpoint that fails often is asked only if no other can be.
 *   <li><b>SP-5</b> An endpoint that reports its version is asked the canary every {@code scoring.canary-every}. One whose
 *       answer differs from its first one is removed and reported, and not asked for scores until the answer is the same
 *       again.
 *   <li><b>SP-6</b> Every score request is answered once: with a score, or unscored with a reason. When the pool stops, for
 *       whatever cause, all that are open are unscored.
 *   <li><b>SP-7</b> At most {@code scoring.concurrency} requests per endpoint are in work, {@link #WAITING_MAX} wait, and one
 *       more is unscored with code {@code busy}.
 *   <li><b>SP-8</b> A failed attempt that may pass is repeated after a pause, at most {@code scoring.attempts} in all; beyond
 *       the {@link RetryBudget} the pause is at least {@link #PAUSE_BEYOND_BUDGET}.
 *   <li><b>SP-9</b> When the actor of an endpoint ends, its requests fail with an attempt that may pass, and {@link
 *       #RESTART_AFTER} later another actor takes its place.
 * </ul>
 */
final class ScorerPool extends SwitchBehavior<ScorerPool.Command> {
    /** Maximum number of requests that wait until one of those in work ends. */
    static final int WAITING_MAX = 8192;

    /** The shortest pause before an attempt that exceeds the {@link RetryBudget}. */
    static final Duration PAUSE_BEYOND_BUDGET = Duration.ofSeconds(2);

    static final Duration RESTART_AFTER = Duration.ofSeconds(1);

    private static final Logger LOG = LoggerFactory.getLogger(ScorerPool.class);
    private static final Duration LOOK_EVERY = Duration.ofMillis(50);
    private static final double USUAL = .95;
    private static final String DRIFTED = "drifted";

    /** Messages to a pool. */
    sealed interface Command {}

    /** Asks for the score of one edit. */
    record Score(ScoreRequest request, ActorRef<ScoreOutcome> replyTo) implements Command {}

    /** Measures the noise of all endpoints; see {@link NoiseMeasurement}. */
    record MeasureNoise(int times, ActorRef<NoiseMeasurement.Measured> replyTo) implements Command {}

    /** Ends all requests at once: they are unscored with code {@code closed}. */
    record Close() implements Command {}

    /** Messages of an endpoint, each with the state of the endpoint after it. */
    sealed interface Report extends Command {
        ActorRef<ScorerEndpoint.Command> from();

        EndpointStatus status();
    }

    /** A request has ended. */
    record Ended(
            ActorRef<ScorerEndpoint.Command> from,
            long number,
            ScorerAttempt attempt,
            long latencyNanos,
            EndpointStatus status)
            implements Report {}

    /** A request was not accepted: no place was free. */
    record HandedBack(ActorRef<ScorerEndpoint.Command> from, long number, EndpointStatus status) implements Report {}

    /** The state has changed. */
    record Changed(ActorRef<ScorerEndpoint.Command> from, EndpointStatus status) implements Report {}

    /** The server does not answer. */
    record Suspected(ActorRef<ScorerEndpoint.Command> from, long usualNanos, EndpointStatus status) implements Report {}

    private record EndpointGone(ActorRef<ScorerEndpoint.Command> from) implements Command {}

    private record Restart(int endpoint) implements Command {}

    private record Late(Call call) implements Command {}

    private record Retry(Call call) implements Command {}

    private record LookForTheSilent() implements Command {}

    /**
     * State of a pool, for reports.
     *
     * @param endpoints in their order
     * @param hedged number of requests that were sent a second time
     * @param inFlight number of requests at all endpoints
     * @param inWork number of score requests that are in work
     * @param waiting number of score requests that wait until one of those in work ends
     */
    record PoolStatus(List<EndpointStatus> endpoints, long hedged, int inFlight, int inWork, int waiting) {
        static final PoolStatus NONE = new PoolStatus(List.of(), 0, 0, 0, 0);

        PoolStatus {
            endpoints = List.copyOf(endpoints);
        }

        /** Returns one line per endpoint. */
        List<String> describe() {
            return endpoints.stream().map(EndpointStatus::describe).toList();
        }
    }

    /**
     * The parts of a pool.
     *
     * @param servers at least one
     * @param hidden removes secrets from a text
     * @param pauseFirst pause before the second attempt
     * @param nanos monotonic clock
     * @param published receives the state after each change, before the answers that follow from it
     */
    record Setup(
            List<? extends ScorerPort> servers,
            ScoringSettings settings,
            ScoringMethod method,
            ScorerAccess hidden,
            Duration pauseFirst,
            LongSupplier nanos,
            Consumer<PoolStatus> published) {
        Setup {
            servers = List.copyOf(servers);
        }

        String name() {
            return servers.stream().map(ScorerPort::name).collect(Collectors.joining(", "));
        }

        PoolStatus initial() {
            return new PoolStatus(
                    servers.stream()
                            .map(server -> EndpointStatus.initial(server.name(), settings.concurrency()))
                            .toList(),
                    0,
                    0,
                    0,
                    0);
        }
    }

    /** One score request in work. */
    private static final class Call {
        private final ScorerCall call;
        private final ActorRef<ScoreOutcome> replyTo;
        private final Set<Integer> avoid = new HashSet<>();
        private final Map<Long, Integer> running = new LinkedHashMap<>();
        private int attempts;

        Call(ScorerCall call, ActorRef<ScoreOutcome> replyTo) {
            this.call = call;
            this.replyTo = replyTo;
        }
    }

    /**
     * A request that waits for a place at an endpoint. Each call in work has at most two: its first and its second request.
     *
     * @param avoid endpoints that are asked only if no other can be
     */
    private record Waiting(Call call, Set<Integer> avoid, boolean second) {}

    /** The pool's view of an endpoint. */
    private static final class Endpoint {
        private final int index;
        private final ScorerPort server;
        private final Set<Long> inFlight = new HashSet<>();
        private EndpointStatus status;
        private @Nullable ActorRef<ScorerEndpoint.Command> actor;

        Endpoint(int index, ScorerPort server, EndpointStatus status) {
            this.index = index;
            this.server = server;
            this.status = status;
        }

        boolean isOut() {
            return actor == null || status.isOut();
        }

        boolean hasRoom() {
            return actor != null && inFlight.size() < status.limit();
        }

        boolean isTrusted() {
            return status.isTrusted(inFlight.size());
        }

        /** Share of its places that are taken. */
        double load() {
            return inFlight.size() / (double) status.limit();
        }

        void tell(ScorerEndpoint.Command command) {
            if (actor != null) {
                actor.tell(command);
            }
        }
    }

    private final ActorContext<Command> context;
    private final TimerScheduler<Command> timers;
    private final Setup setup;
    private final List<Endpoint> endpoints = new ArrayList<>();
    private final int inWorkMax;
    private final LatencyWindow latencies = new LatencyWindow();
    private final HedgeBudget hedges = new HedgeBudget();
    private final RetryBudget retries = new RetryBudget();
    private final Deque<Score> admission = new ArrayDeque<>();
    private final Set<Call> inWork = new HashSet<>();
    private final Deque<Waiting> waiting = new ArrayDeque<>();
    private final Map<Long, Call> requests = new HashMap<>();
    private long lastNumber;
    private int lastChosen;
    private long hedged;

    private ScorerPool(ActorContext<Command> context, TimerScheduler<Command> timers, Setup setup) {
        this.context = context;
        this.timers = timers;
        this.setup = setup;
        List<EndpointStatus> initial = setup.initial().endpoints();
        for (int i = 0; i < initial.size(); i++) {
            endpoints.add(new Endpoint(i, setup.servers().get(i), initial.get(i)));
        }
        this.inWorkMax = setup.settings().concurrency() * endpoints.size();
        endpoints.forEach(this::spawn);
        if (endpoints.size() > 1) {
            timers.startTimerWithFixedDelay(new LookForTheSilent(), LOOK_EVERY);
        }
    }

    static Behavior<Command> create(Setup setup) {
        return Behaviors.setup(context -> Behaviors.withTimers(timers -> new ScorerPool(context, timers, setup)));
    }

    private void spawn(Endpoint endpoint) {
        ActorRef<ScorerEndpoint.Command> actor = context.spawnAnonymous(ScorerEndpoint.create(
                endpoint.server,
                setup.settings(),
                setup.method(),
                setup.nanos(),
                context.getSelf().narrow()));
        context.watchWith(actor, new EndpointGone(actor));
        endpoint.actor = actor;
        endpoint.status =
                EndpointStatus.initial(endpoint.server.name(), setup.settings().concurrency());
    }

    @Override
    public Behavior<Command> onMessage(Command command) {
        switch (command) {
            case Score score -> onScore(score);
            case MeasureNoise(int times, var replyTo) -> onMeasureNoise(times, replyTo);
            case Ended ended -> known(ended).ifPresent(endpoint -> onEnded(endpoint, ended));
            case HandedBack back -> known(back).ifPresent(endpoint -> onHandedBack(endpoint, back));
            case Changed changed -> known(changed);
            case Suspected suspected -> known(suspected).ifPresent(endpoint -> onSuspected(endpoint, suspected));
            case EndpointGone(var from) -> at(from).ifPresent(this::onGone);
            case Restart(int endpoint) -> spawn(endpoints.get(endpoint));
            case Late(Call call) -> onLate(call);
            case Retry(Call call) -> attempt(call);
            case LookForTheSilent() -> onLook();
            case Close() -> {
                endAll(closed(setup.name()));
                return Behaviors.stopped();
            }
        }
        admit();
        serveTheWaiting();
        publish();
        return this;
    }

    @Override
    public Behavior<Command> onSignal(Signal signal) {
        if (signal instanceof PostStop || signal instanceof PreRestart) {
            endAll(unscored("client-error", "the pool of " + setup.name() + " ended; the log says why", 0));
        }
        return this;
    }

    /** SP-6. */
    private void endAll(Unscored outcome) {
        inWork.forEach(call -> call.replyTo.tell(outcome));
        inWork.clear();
        admission.forEach(score -> score.replyTo().tell(outcome));
        admission.clear();
    }

    private Optional<Endpoint> at(ActorRef<ScorerEndpoint.Command> actor) {
        return endpoints.stream()
                .filter(endpoint -> actor.equals(endpoint.actor))
                .findAny();
    }

    /** Takes the state of an endpoint from its report; empty for an actor that has ended. */
    private Optional<Endpoint> known(Report report) {
        Optional<Endpoint> endpoint = at(report.from());
        endpoint.ifPresent(one -> one.status = report.status());
        return endpoint;
    }

    private void publish() {
        setup.published().accept(status());
    }

    private PoolStatus status() {
        return new PoolStatus(
                endpoints.stream().map(endpoint -> endpoint.status).toList(),
                hedged,
                endpoints.stream()
                        .mapToInt(endpoint -> endpoint.inFlight.size())
                        .sum(),
                inWork.size(),
                admission.size());
    }

    /** SP-7. */
    private void onScore(Score score) {
        if (inWork.size() < inWorkMax || admission.size() < WAITING_MAX) {
            admission.add(score);
        } else {
            score.replyTo()
                    .tell(unscored("busy", "more than " + WAITING_MAX + " requests wait for " + setup.name(), 0));
        }
    }

    private void admit() {
        while (inWork.size() < inWorkMax && !admission.isEmpty()) {
            start(admission.remove());
        }
    }

    private void start(Score score) {
        Call call;
        try {
            ScoreRequest request = score.request();
            call = new Call(new ScorerCall(request, setup.method().words(request)), score.replyTo());
        } catch (RuntimeException e) {
            score.replyTo().tell(unscored("client-error", ErrorReason.of(e), 0));
            return;
        }
        inWork.add(call);
        retries.first();
        attempt(call);
    }

    private void finish(Call call, ScoreOutcome outcome) {
        inWork.remove(call);
        publish();
        call.replyTo.tell(outcome); // SP-6
    }

    private void attempt(Call call) {
        call.attempts++;
        send(call);
    }

    private void send(Call call) {
        if (endpoints.stream().allMatch(endpoint -> endpoint.status.isDrifted())) { // SP-5
            String detail = String.join("; ", status().describe());
            onAttempt(call, new ScorerAttempt.Failed(ScorerFault.passing(DRIFTED, detail)));
            return;
        }
        hedges.first();
        waiting.addLast(new Waiting(call, call.avoid, false));
    }

    private void serveTheWaiting() {
        while (!waiting.isEmpty()) {
            Optional<Endpoint> endpoint = freest(waiting.element().avoid());
            if (endpoint.isEmpty()) {
                return;
            }
            place(waiting.remove(), endpoint.get());
        }
    }

    private void place(Waiting one, Endpoint endpoint) {
        Call call = one.call();
        lastNumber++;
        requests.put(lastNumber, call);
        call.running.put(lastNumber, endpoint.index);
        endpoint.inFlight.add(lastNumber);
        endpoint.tell(new ScorerEndpoint.Ask(lastNumber, call.call));
        if (!one.second() && !timers.isTimerActive(call)) {
            lateAfter().ifPresent(after -> timers.startSingleTimer(call, new Late(call), Duration.ofNanos(after)));
        }
    }

    private OptionalLong lateAfter() {
        return setup.settings().hedging() && latencies.isKnown()
                ? OptionalLong.of(Math.max(latencies.nanos(USUAL), 2 * latencies.nanos(.5)))
                : OptionalLong.empty();
    }

    /** SP-2. Goes before all waiting requests, since it has waited longest. */
    private void onLate(Call call) {
        if (call.running.isEmpty() || !hedges.takeSecond()) {
            return;
        }
        hedged++;
        waiting.addFirst(new Waiting(call, Set.copyOf(call.running.values()), true));
    }

    private void onEnded(Endpoint endpoint, Ended ended) {
        Call call = released(endpoint, ended.number());
        if (call == null) {
            return;
        }
        if (ended.attempt() instanceof ScorerAttempt.Succeeded) {
            latencies.add(ended.latencyNanos());
        }
        onResult(call, endpoint, ended.attempt());
    }

    /** SP-1. */
    private void onHandedBack(Endpoint endpoint, HandedBack back) {
        Call call = released(endpoint, back.number());
        if (call != null) {
            boolean second = !call.running.isEmpty();
            waiting.addFirst(new Waiting(call, second ? Set.copyOf(call.running.values()) : call.avoid, second));
        }
    }

    /** Frees the place of a request; null if it was given up. */
    private @Nullable Call released(Endpoint endpoint, long number) {
        endpoint.inFlight.remove(number);
        Call call = requests.remove(number);
        if (call != null) {
            call.running.remove(number);
        }
        return call;
    }

    /** One request of a call has ended: the first good answer wins, and the other request is given up. */
    private void onResult(Call call, Endpoint endpoint, ScorerAttempt attempt) {
        call.avoid.add(endpoint.index);
        boolean well = attempt instanceof ScorerAttempt.Succeeded;
        if (!well && !call.running.isEmpty()) {
            return;
        }
        timers.cancel(call);
        waiting.removeIf(one -> one.call() == call);
        for (Map.Entry<Long, Integer> loser : Map.copyOf(call.running).entrySet()) {
            Endpoint slower = endpoints.get(loser.getValue());
            released(slower, loser.getKey());
            slower.tell(new ScorerEndpoint.GiveUp(loser.getKey()));
        }
        boolean silent = attempt instanceof ScorerAttempt.Failed(ScorerFault fault)
                && fault.code().equals(ScorerEndpoint.SILENT);
        if (silent && call.avoid.size() < endpoints.size()) {
            send(call); // SP-3
        } else {
            onAttempt(call, attempt);
        }
    }

    private void onAttempt(Call call, ScorerAttempt attempt) {
        switch (attempt) {
            case ScorerAttempt.Succeeded(LabelScore.Believed reading, String scorer) ->
                finish(call, new Scored(reading.score(), reading.mass(), call.call.sent(), scorer));
            case ScorerAttempt.Failed(ScorerFault fault) -> {
                if (fault.permanent() || call.attempts >= setup.settings().attempts()) {
                    finish(call, unscored(fault.code(), fault.detail(), call.call.sent()));
                } else {
                    timers.startSingleTimer(call, new Retry(call), pause(call, fault)); // SP-8
                }
            }
        }
    }

    /** Returns the pause that keeps failing scorers from being flooded. */
    private Duration pause(Call call, ScorerFault fault) {
        Duration usual = ScorerClient.pause(fault, setup.pauseFirst(), call.call.key(), Math.max(1, call.call.sent()));
        boolean within = retries.takeRetry() || usual.compareTo(PAUSE_BEYOND_BUDGET) > 0;
        return within ? usual : PAUSE_BEYOND_BUDGET;
    }

    static Unscored closed(String name) {
        return new Unscored(
                ScorerFault.passing("closed", "the client of " + name + " was closed")
                        .reason(),
                0);
    }

    private Unscored unscored(String code, String detail, int attempts) {
        String shown = setup.hidden().hiddenIn(detail);
        return new Unscored(ScorerFault.passing(code, shown).reason(), attempts);
    }

    /** SP-4. Trusted endpoints first, else failing ones; if all are out, these too: no question waits endlessly. */
    private Optional<Endpoint> freest(Set<Integer> avoid) {
        List<Endpoint> candidates =
                endpoints.stream().filter(endpoint -> !endpoint.isOut()).toList();
        if (candidates.isEmpty()) {
            candidates = endpoints.stream()
                    .filter(endpoint -> !endpoint.status.isDrifted())
                    .toList();
        }
        List<Endpoint> fresh = candidates.stream()
                .filter(endpoint -> !avoid.contains(endpoint.index))
                .toList();
        if (!fresh.isEmpty()) {
            candidates = fresh;
        }
        List<Endpoint> withRoom = candidates.stream().filter(Endpoint::hasRoom).toList();
        List<Endpoint> trusted = withRoom.stream().filter(Endpoint::isTrusted).toList();
        List<Endpoint> chosen = trusted.isEmpty() ? withRoom : trusted;
        if (chosen.isEmpty()) {
            return Optional.empty();
        }
        lastChosen++;
        int from = lastChosen;
        return chosen.stream()
                .min(Comparator.comparingDouble(Endpoint::load)
                        .thenComparingInt(endpoint -> Math.floorMod(endpoint.index - from, endpoints.size())));
    }

    /** SP-3. */
    private void onLook() {
        if (latencies.isKnown() && !requests.isEmpty()) {
            long usual = latencies.nanos(USUAL);
            endpoints.stream()
                    .filter(endpoint -> !endpoint.isOut() && !endpoint.inFlight.isEmpty())
                    .forEach(endpoint -> endpoint.tell(new ScorerEndpoint.CheckSilence(usual)));
        }
    }

    private void onSuspected(Endpoint endpoint, Suspected suspected) {
        boolean others = endpoints.stream().anyMatch(other -> other != endpoint && !other.isOut());
        if (others && !endpoint.isOut()) {
            String why = "it answered nothing while others answered within %d ms"
                    .formatted(TimeUnit.NANOSECONDS.toMillis(suspected.usualNanos()));
            endpoint.status = endpoint.status.silent(why);
            endpoint.tell(new ScorerEndpoint.TakeOut(why));
        }
    }

    /** SP-9. */
    private void onGone(Endpoint endpoint) {
        LOG.error("the actor of scorer {} ended; another one takes its place", endpoint.server.name());
        endpoint.actor = null;
        ScorerAttempt lost = new ScorerAttempt.Failed(ScorerFault.passing(
                "client-error", "the actor of scorer " + endpoint.server.name() + " ended; the log says why"));
        for (long number : List.copyOf(endpoint.inFlight)) {
            Call call = released(endpoint, number);
            if (call != null) {
                onResult(call, endpoint, lost);
            }
        }
        timers.startSingleTimer(endpoint, new Restart(endpoint.index), RESTART_AFTER);
    }

    private void onMeasureNoise(int times, ActorRef<NoiseMeasurement.Measured> replyTo) {
        List<ActorRef<ScorerEndpoint.Command>> actors = new ArrayList<>();
        for (Endpoint endpoint : endpoints) {
            if (endpoint.actor != null) {
                actors.add(endpoint.actor);
            }
        }
        if (actors.isEmpty()) {
            replyTo.tell(new NoiseMeasurement.Measured(List.of()));
        } else {
            context.spawnAnonymous(NoiseMeasurement.create(actors, times, replyTo));
        }
    }
}
