package darkroom.rewardactors.client;

import darkroom.config.ErrorReason;
import darkroom.config.ScoringSettings;
import darkroom.rewardactors.protocol.LabelScore;
import darkroom.rewardactors.protocol.ScorerCall;
import darkroom.rewardactors.protocol.ScorerFault;
import darkroom.rewardactors.protocol.ScoringMethod;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.Deque;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.Executor;
import java.util.concurrent.Future;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Servers that answer the same questions. A question goes to the least loaded trusted one, and waits if none has room.
 *
 * <ul>
 *   <li><b>SP-1</b> A server has at most {@code scoring.concurrency} requests, and fewer once it is overloaded: a third less
 *       for a timeout or a refusal, one more for an answer.
 *   <li><b>SP-2</b> A request that takes longer than nearly all others is sent a second time, to another server if one
 *       exists, and the first answer counts; second requests are at most {@link HedgeBudget#SHARE} of the first ones.
 *   <li><b>SP-3</b> A server that does not answer while others do is removed and reported; its requests go to others at once,
 *       and do not count as attempts. It returns when it has answered the canary.
 *   <li><b>SP-4</b> A server that fails often is asked only if no other can be.
 *   <li><b>SP-5</b> A server that reports its version is asked the canary every {@code scoring.canary-every}. One whose
 *       answer differs from its first one is removed and reported, and not asked for scores until the answer is the same
 *       again.
 * </ul>
 */
final class ScorerPool {
    private static final Logger LOG = LoggerFactory.getLogger(ScorerPool.class);
    private static final long LOOK_EVERY_MILLIS = 50;
    private static final long CANARY_AFTER_MILLIS = 1000;
    private static final long CANARY_AFTER_MAX_MILLIS = 30_000;
    private static final double USUAL = .95;
    private static final String SILENT = "silent";
    private static final String DRIFTED = "drifted";

    private final List<ScorerEndpoint> endpoints;
    private final boolean hedging;
    private final ScoringMethod method;
    private final ScheduledExecutorService timer;
    private final Executor executor;
    private final LatencyWindow latencies = new LatencyWindow();
    private final HedgeBudget hedges = new HedgeBudget();
    private final Deque<Waiting> waiting = new ArrayDeque<>();
    private int next;
    private long hedged;

    private record Waiting(Set<ScorerEndpoint> avoid, CompletableFuture<PooledRequest> place) {}

    /**
     * @param servers at least one
     * @param timer checks the servers; never blocked
     * @param executor resumes questions that waited
     */
    ScorerPool(
            List<ScorerServer> servers,
            ScoringSettings settings,
            ScoringMethod method,
            ScheduledExecutorService timer,
            Executor executor) {
        this.endpoints = servers.stream()
                .map(server -> new ScorerEndpoint(server, settings.concurrency()))
                .toList();
        this.hedging = settings.hedging();
        this.method = method;
        this.timer = timer;
        this.executor = executor;
        if (endpoints.size() > 1) {
            var _ = timer.scheduleWithFixedDelay(
                    this::lookForTheSilent, LOOK_EVERY_MILLIS, LOOK_EVERY_MILLIS, TimeUnit.MILLISECONDS);
        }
        long canaryMillis = settings.canaryEvery().toMillis();
        if (canaryMillis > 0) {
            endpoints.forEach(endpoint -> hearCanary(endpoint, canaryMillis));
        }
    }

    /**
     * Makes one attempt, at any server.
     *
     * @param avoid servers that failed in this call: asked only if no others exist; the one that is asked is added
     */
    CompletionStage<ScorerAttempt> ask(ScorerCall call, Set<ScorerEndpoint> avoid) {
        CompletableFuture<ScorerAttempt> attempt = new CompletableFuture<>();
        go(call, avoid, attempt);
        return attempt;
    }

    private void go(ScorerCall call, Set<ScorerEndpoint> avoid, CompletableFuture<ScorerAttempt> attempt) {
        synchronized (this) {
            if (endpoints.stream().allMatch(ScorerEndpoint::isDrifted)) {
                attempt.complete(new ScorerAttempt.Failed(ScorerFault.passing(DRIFTED, String.join("; ", describe()))));
                return;
            }
            hedges.first();
        }
        var _ = place(avoid).thenAcceptAsync(first -> new Race(call, avoid, attempt).begin(first), executor);
    }

    /** A first request and, if it is late, a second: the first good answer wins, and the other is dropped. */
    private final class Race {
        private final ScorerCall call;
        private final Set<ScorerEndpoint> avoid;
        private final CompletableFuture<ScorerAttempt> attempt;
        private final List<PooledRequest> running = new ArrayList<>();
        private boolean over;

        Race(ScorerCall call, Set<ScorerEndpoint> avoid, CompletableFuture<ScorerAttempt> attempt) {
            this.call = call;
            this.avoid = avoid;
            this.attempt = attempt;
        }

        void begin(PooledRequest first) {
            join(first);
            OptionalLong late = lateAfterNanos();
            if (late.isPresent()) {
                Future<?> alarm = timer.schedule(() -> second(first), late.getAsLong(), TimeUnit.NANOSECONDS);
                var _ = attempt.thenRun(() -> alarm.cancel(false));
            }
            run(first, call);
        }

        /** SP-2. Goes before all waiting requests, since it has waited longest. */
        private void second(PooledRequest first) {
            CompletableFuture<PooledRequest> place = placeForSecond(first);
            var _ = place.thenAcceptAsync(
                    second -> {
                        if (join(second)) {
                            run(second, call);
                        } else {
                            giveUp(second);
                        }
                    },
                    executor);
            var _ = attempt.thenRun(() -> forget(place));
        }

        private synchronized boolean join(PooledRequest one) {
            if (over) {
                return false;
            }
            running.add(one);
            var _ = one.told().thenAccept(told -> tell(one, told));
            return true;
        }

        private void tell(PooledRequest one, ScorerAttempt told) {
            List<PooledRequest> losers;
            synchronized (this) {
                avoid.add(one.endpoint());
                running.remove(one);
                boolean well = told instanceof ScorerAttempt.Succeeded;
                if (over || (!well && !running.isEmpty())) {
                    return;
                }
                over = true;
                losers = List.copyOf(running);
            }
            losers.forEach(ScorerPool.this::giveUp);
            boolean silent = told instanceof ScorerAttempt.Failed(ScorerFault fault)
                    && fault.code().equals(SILENT);
            if (silent && avoid.size() < endpoints.size()) {
                go(call, avoid, attempt); // SP-3
            } else {
                attempt.complete(told);
            }
        }
    }

    /** Sends a request that has a place. */
    private void run(PooledRequest one, ScorerCall call) {
        one.endpoint().server().ask(call, one.givenUp()).whenComplete((attempt, error) -> {
            long now = System.nanoTime();
            ScorerAttempt told = error == null
                    ? attempt
                    : new ScorerAttempt.Failed(ScorerFault.passing("client-error", ErrorReason.of(error)));
            synchronized (this) {
                if (one.givenUp().isRaised()) {
                    one.endpoint().forget(one);
                } else {
                    one.endpoint().end(one, told, now);
                    if (told instanceof ScorerAttempt.Succeeded) {
                        latencies.add(now - one.beganNanos());
                    }
                }
            }
            one.told().complete(told);
            serveTheWaiting();
        });
    }

    private synchronized OptionalLong lateAfterNanos() {
        return hedging && latencies.isKnown()
                ? OptionalLong.of(Math.max(latencies.nanos(USUAL), 2 * latencies.nanos(.5)))
                : OptionalLong.empty();
    }

    private CompletableFuture<PooledRequest> placeForSecond(PooledRequest first) {
        CompletableFuture<PooledRequest> place = new CompletableFuture<>();
        synchronized (this) {
            if (first.told().isDone() || !hedges.takeSecond()) {
                return place;
            }
            hedged++;
            waiting.addFirst(new Waiting(Set.of(first.endpoint()), place));
        }
        serveTheWaiting();
        return place;
    }

    private synchronized void forget(CompletableFuture<PooledRequest> place) {
        waiting.removeIf(one -> one.place() == place);
    }

    private void giveUp(PooledRequest one) {
        synchronized (this) {
            one.endpoint().forget(one);
        }
        one.givenUp().raise();
        serveTheWaiting();
    }

    private synchronized CompletableFuture<PooledRequest> place(Set<ScorerEndpoint> avoid) {
        CompletableFuture<PooledRequest> place = new CompletableFuture<>();
        Optional<ScorerEndpoint> endpoint = waiting.isEmpty() ? freest(avoid) : Optional.empty();
        if (endpoint.isPresent()) {
            place.complete(taken(endpoint.get()));
        } else {
            waiting.add(new Waiting(avoid, place));
        }
        return place;
    }

    private PooledRequest taken(ScorerEndpoint endpoint) {
        PooledRequest one = new PooledRequest(endpoint, System.nanoTime());
        endpoint.begin(one);
        return one;
    }

    private void serveTheWaiting() {
        List<Runnable> served = new ArrayList<>();
        synchronized (this) {
            while (!waiting.isEmpty()) {
                Optional<ScorerEndpoint> endpoint = freest(waiting.element().avoid());
                if (endpoint.isEmpty()) {
                    break;
                }
                Waiting first = waiting.remove();
                PooledRequest one = taken(endpoint.get());
                served.add(() -> first.place().complete(one));
            }
        }
        served.forEach(Runnable::run);
    }

    /** SP-4. Trusted servers first, else failing ones; if all are out, these too: no question waits endlessly. */
    private Optional<ScorerEndpoint> freest(Set<ScorerEndpoint> avoid) {
        List<ScorerEndpoint> candidates =
                endpoints.stream().filter(endpoint -> !endpoint.isOut()).toList();
        if (candidates.isEmpty()) {
            candidates =
                    endpoints.stream().filter(endpoint -> !endpoint.isDrifted()).toList();
        }
        List<ScorerEndpoint> fresh = candidates.stream()
                .filter(endpoint -> !avoid.contains(endpoint))
                .toList();
        if (!fresh.isEmpty()) {
            candidates = fresh;
        }
        List<ScorerEndpoint> withRoom =
                candidates.stream().filter(ScorerEndpoint::hasRoom).toList();
        List<ScorerEndpoint> trusted =
                withRoom.stream().filter(ScorerEndpoint::trusted).toList();
        List<ScorerEndpoint> chosen = trusted.isEmpty() ? withRoom : trusted;
        if (chosen.isEmpty()) {
            return Optional.empty();
        }
        next++;
        int from = next;
        int size = endpoints.size();
        return chosen.stream()
                .min(Comparator.comparingDouble(ScorerEndpoint::load)
                        .thenComparingInt(endpoint -> Math.floorMod(endpoints.indexOf(endpoint) - from, size)));
    }

    /** SP-3. */
    private void lookForTheSilent() {
        List<PooledRequest> lost = new ArrayList<>();
        List<ScorerEndpoint> silent = new ArrayList<>();
        synchronized (this) {
            if (!latencies.isKnown()) {
                return;
            }
            long now = System.nanoTime();
            long usual = latencies.nanos(USUAL);
            for (ScorerEndpoint endpoint : endpoints) {
                boolean others = endpoints.stream().anyMatch(other -> other != endpoint && !other.isOut());
                if (others && !endpoint.isOut() && endpoint.isSilent(usual, now)) {
                    endpoint.takeOut("it answered nothing while others answered within %d ms"
                            .formatted(TimeUnit.NANOSECONDS.toMillis(usual)));
                    silent.add(endpoint);
                    lost.addAll(endpoint.inFlight());
                    endpoint.inFlight().clear();
                }
            }
        }
        for (ScorerEndpoint endpoint : silent) {
            LOG.warn("scorer {} is taken out", endpoint.describe());
            askCanary(endpoint, CANARY_AFTER_MILLIS);
        }
        for (PooledRequest one : lost) {
            one.told()
                    .complete(new ScorerAttempt.Failed(ScorerFault.passing(
                            SILENT, one.endpoint().server().name() + " does not answer, others do")));
            one.givenUp().raise();
        }
        serveTheWaiting();
    }

    /** SP-3, SP-5: repeats until the answer is the same as the first one. */
    private void askCanary(ScorerEndpoint endpoint, long afterMillis) {
        var _ = timer.schedule(
                () -> sing(endpoint).whenComplete((attempt, _) -> {
                    recordCanary(endpoint, attempt);
                    if (attempt instanceof ScorerAttempt.Succeeded && !hasDrifted(endpoint)) {
                        synchronized (this) {
                            endpoint.takeBack(System.nanoTime());
                        }
                        LOG.info("scorer {} is asked again", endpoint.server().name());
                        serveTheWaiting();
                    } else {
                        askCanary(endpoint, Math.min(CANARY_AFTER_MAX_MILLIS, 2 * afterMillis));
                    }
                }),
                afterMillis,
                TimeUnit.MILLISECONDS);
    }

    private CompletionStage<ScorerAttempt> sing(ScorerEndpoint endpoint) {
        return endpoint.server().ask(Canary.call(method), new AbortSignal());
    }

    /** Removes an endpoint whose score differs from its first one. */
    private synchronized void recordCanary(ScorerEndpoint endpoint, ScorerAttempt attempt) {
        if (attempt instanceof ScorerAttempt.Succeeded(LabelScore.Believed reading, String _)) {
            endpoint.recordCanary(reading.score());
        }
    }

    private synchronized boolean hasDrifted(ScorerEndpoint endpoint) {
        return endpoint.isDrifted();
    }

    /** SP-5. */
    private void hearCanary(ScorerEndpoint endpoint, long everyMillis) {
        var _ = timer.schedule(
                () -> {
                    boolean asked;
                    synchronized (this) {
                        asked = !endpoint.isOut() && endpoint.server().tellsVersion();
                    }
                    if (!asked) {
                        hearCanary(endpoint, everyMillis);
                        return;
                    }
                    var _ = sing(endpoint).whenComplete((attempt, _) -> {
                        recordCanary(endpoint, attempt);
                        if (hasDrifted(endpoint)) {
                            LOG.warn("scorer {} is taken out", endpoint.describe());
                            askCanary(endpoint, CANARY_AFTER_MILLIS);
                        }
                        hearCanary(endpoint, everyMillis);
                    });
                },
                everyMillis,
                TimeUnit.MILLISECONDS);
    }

    /**
     * Measures how much the score of one question varies, at each server that reports its version.
     *
     * @param times number of sequential requests, and of concurrent ones
     */
    CompletionStage<List<ScorerNoise>> noise(int times) {
        List<ScorerNoise> all = new ArrayList<>();
        return CompletableFuture.supplyAsync(
                () -> {
                    for (ScorerEndpoint endpoint : endpoints) {
                        var _ = sing(endpoint).toCompletableFuture().join(); // its kind is known from here on
                        if (endpoint.server().tellsVersion()) {
                            List<Double> scores = new ArrayList<>();
                            for (int i = 0; i < times; i++) {
                                add(sing(endpoint).toCompletableFuture().join(), scores);
                            }
                            List<CompletableFuture<ScorerAttempt>> atOnce = new ArrayList<>();
                            for (int i = 0; i < times; i++) {
                                atOnce.add(sing(endpoint).toCompletableFuture());
                            }
                            atOnce.forEach(attempt -> add(attempt.join(), scores));
                            all.add(ScorerNoise.of(endpoint.server().name(), scores));
                        }
                    }
                    return all;
                },
                executor);
    }

    private static void add(ScorerAttempt attempt, List<Double> scores) {
        if (attempt instanceof ScorerAttempt.Succeeded(LabelScore.Believed reading, String _)) {
            scores.add(reading.score());
        }
    }

    /** Returns one line per server. */
    synchronized List<String> describe() {
        return endpoints.stream().map(ScorerEndpoint::describe).toList();
    }

    /** Number of requests that were sent a second time. */
    synchronized long hedged() {
        return hedged;
    }

    /**
     * Returns a set for {@link #ask}, for one call. Races of the call add to it while the pool reads it, each under its own
     * lock.
     */
    static Set<ScorerEndpoint> none() {
        return ConcurrentHashMap.newKeySet();
    }
}
