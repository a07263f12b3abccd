package darkroom.rewardactors;

import darkroom.config.ErrorReason;
import darkroom.config.ScoringSettings;
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
 * Servers that answer the same questions. A question goes to the least loaded one that is trusted, and waits if none has room.
 *
 * <ul>
 *   <li><b>SP-1</b> A server has at most {@code scoring.concurrency} requests, and fewer once it is overrun: a third less for a
 *       timeout or a refusal, one more for an answer.
 *   <li><b>SP-2</b> A request that takes longer than nearly all is sent a second time, to another server if there is one, and the
 *       first answer counts; second requests are at most {@link HedgeBudget#SHARE} of the first ones.
 *   <li><b>SP-3</b> A server that answers nothing while others answer is taken out and named; its requests go to others at once, and
 *       are no attempts. It comes back when it has answered the canary.
 *   <li><b>SP-4</b> A server that fails often is asked only when no other can be.
 *   <li><b>SP-5</b> A server that tells its version is asked the canary every {@code scoring.canary-every}. One whose answer is no
 *       longer that of the first time is taken out and named, and asked for no score until it is.
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

    private final List<ServerLane> lanes;
    private final boolean hedging;
    private final ScoringMethod method;
    private final ScheduledExecutorService timer;
    private final Executor executor;
    private final LatencyWindow latencies = new LatencyWindow();
    private final HedgeBudget hedges = new HedgeBudget();
    private final Deque<Waiting> waiting = new ArrayDeque<>();
    private int next;
    private long hedged;

    private record Waiting(Set<ServerLane> avoid, CompletableFuture<PoolTry> place) {}

    /**
     * @param servers at least one
     * @param timer looks after the servers; never blocked
     * @param executor goes on with questions that waited
     */
    ScorerPool(
            List<ScorerServer> servers,
            ScoringSettings settings,
            ScoringMethod method,
            ScheduledExecutorService timer,
            Executor executor) {
        this.lanes = servers.stream()
                .map(server -> new ServerLane(server, settings.concurrency()))
                .toList();
        this.hedging = settings.hedging();
        this.method = method;
        this.timer = timer;
        this.executor = executor;
        if (lanes.size() > 1) {
            var _ = timer.scheduleWithFixedDelay(
                    this::lookForTheSilent, LOOK_EVERY_MILLIS, LOOK_EVERY_MILLIS, TimeUnit.MILLISECONDS);
        }
        long canaryMillis = settings.canaryEvery().toMillis();
        if (canaryMillis > 0) {
            lanes.forEach(lane -> hearCanary(lane, canaryMillis));
        }
    }

    /**
     * One attempt, wherever.
     *
     * @param avoid servers that failed at this call: asked only if there are no others; the one that is asked is added
     */
    CompletionStage<ScorerAttempt> ask(ScorerCall call, Set<ServerLane> avoid) {
        CompletableFuture<ScorerAttempt> attempt = new CompletableFuture<>();
        go(call, avoid, attempt);
        return attempt;
    }

    private void go(ScorerCall call, Set<ServerLane> avoid, CompletableFuture<ScorerAttempt> attempt) {
        synchronized (this) {
            if (lanes.stream().allMatch(ServerLane::isDrifted)) {
                attempt.complete(new ScorerAttempt.Failed(ScorerFault.passing(DRIFTED, String.join("; ", describe()))));
                return;
            }
            hedges.first();
        }
        var _ = place(avoid).thenAcceptAsync(first -> new Race(call, avoid, attempt).begin(first), executor);
    }

    /** A first request and, if it is late, a second: the first good answer wins, and the other is no longer waited for. */
    private final class Race {
        private final ScorerCall call;
        private final Set<ServerLane> avoid;
        private final CompletableFuture<ScorerAttempt> attempt;
        private final List<PoolTry> running = new ArrayList<>();
        private boolean over;

        Race(ScorerCall call, Set<ServerLane> avoid, CompletableFuture<ScorerAttempt> attempt) {
            this.call = call;
            this.avoid = avoid;
            this.attempt = attempt;
        }

        void begin(PoolTry first) {
            join(first);
            OptionalLong late = lateAfterNanos();
            if (late.isPresent()) {
                Future<?> alarm = timer.schedule(() -> second(first), late.getAsLong(), TimeUnit.NANOSECONDS);
                var _ = attempt.thenRun(() -> alarm.cancel(false));
            }
            run(first, call);
        }

        /** SP-2. Before all that waits: it has waited longest. */
        private void second(PoolTry first) {
            CompletableFuture<PoolTry> place = placeForSecond(first);
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

        private synchronized boolean join(PoolTry one) {
            if (over) {
                return false;
            }
            running.add(one);
            var _ = one.told().thenAccept(told -> tell(one, told));
            return true;
        }

        private void tell(PoolTry one, ScorerAttempt told) {
            List<PoolTry> losers;
            synchronized (this) {
                avoid.add(one.lane());
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
            if (silent && avoid.size() < lanes.size()) {
                go(call, avoid, attempt); // SP-3
            } else {
                attempt.complete(told);
            }
        }
    }

    /** Sends what has a place. */
    private void run(PoolTry one, ScorerCall call) {
        one.lane().server().ask(call, one.givenUp()).whenComplete((attempt, error) -> {
            long now = System.nanoTime();
            ScorerAttempt told = error == null
                    ? attempt
                    : new ScorerAttempt.Failed(ScorerFault.passing("client-error", ErrorReason.of(error)));
            synchronized (this) {
                if (one.givenUp().isRaised()) {
                    one.lane().forget(one);
                } else {
                    one.lane().end(one, told, now);
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

    private CompletableFuture<PoolTry> placeForSecond(PoolTry first) {
        CompletableFuture<PoolTry> place = new CompletableFuture<>();
        synchronized (this) {
            if (first.told().isDone() || !hedges.takeSecond()) {
                return place;
            }
            hedged++;
            waiting.addFirst(new Waiting(Set.of(first.lane()), place));
        }
        serveTheWaiting();
        return place;
    }

    private synchronized void forget(CompletableFuture<PoolTry> place) {
        waiting.removeIf(one -> one.place() == place);
    }

    private void giveUp(PoolTry one) {
        synchronized (this) {
            one.lane().forget(one);
        }
        one.givenUp().raise();
        serveTheWaiting();
    }

    private synchronized CompletableFuture<PoolTry> place(Set<ServerLane> avoid) {
        CompletableFuture<PoolTry> place = new CompletableFuture<>();
        Optional<ServerLane> lane = waiting.isEmpty() ? freest(avoid) : Optional.empty();
        if (lane.isPresent()) {
            place.complete(taken(lane.get()));
        } else {
            waiting.add(new Waiting(avoid, place));
        }
        return place;
    }

    private PoolTry taken(ServerLane lane) {
        PoolTry one = new PoolTry(lane, System.nanoTime());
        lane.begin(one);
        return one;
    }

    private void serveTheWaiting() {
        List<Runnable> served = new ArrayList<>();
        synchronized (this) {
            while (!waiting.isEmpty()) {
                Optional<ServerLane> lane = freest(waiting.element().avoid());
                if (lane.isEmpty()) {
                    break;
                }
                Waiting first = waiting.remove();
                PoolTry one = taken(lane.get());
                served.add(() -> first.place().complete(one));
            }
        }
        served.forEach(Runnable::run);
    }

    /** SP-4. The trusted ones first; where none is, those that fail; where all are out, they too: no question waits for ever. */
    private Optional<ServerLane> freest(Set<ServerLane> avoid) {
        List<ServerLane> candidates =
                lanes.stream().filter(lane -> !lane.isOut()).toList();
        if (candidates.isEmpty()) {
            candidates = lanes.stream().filter(lane -> !lane.isDrifted()).toList();
        }
        List<ServerLane> fresh =
                candidates.stream().filter(lane -> !avoid.contains(lane)).toList();
        if (!fresh.isEmpty()) {
            candidates = fresh;
        }
        List<ServerLane> withRoom =
                candidates.stream().filter(ServerLane::hasRoom).toList();
        List<ServerLane> trusted = withRoom.stream().filter(ServerLane::trusted).toList();
        List<ServerLane> chosen = trusted.isEmpty() ? withRoom : trusted;
        if (chosen.isEmpty()) {
            return Optional.empty();
        }
        next++;
        int from = next;
        int size = lanes.size();
        return chosen.stream()
                .min(Comparator.comparingDouble(ServerLane::load)
                        .thenComparingInt(lane -> Math.floorMod(lanes.indexOf(lane) - from, size)));
    }

    /** SP-3. */
    private void lookForTheSilent() {
        List<PoolTry> lost = new ArrayList<>();
        List<ServerLane> silent = new ArrayList<>();
        synchronized (this) {
            if (!latencies.isKnown()) {
                return;
            }
            long now = System.nanoTime();
            long usual = latencies.nanos(USUAL);
            for (ServerLane lane : lanes) {
                boolean others = lanes.stream().anyMatch(other -> other != lane && !other.isOut());
                if (others && !lane.isOut() && lane.isSilent(usual, now)) {
                    lane.takeOut("it answered nothing while others answered within %d ms"
                            .formatted(TimeUnit.NANOSECONDS.toMillis(usual)));
                    silent.add(lane);
                    lost.addAll(lane.inFlight());
                    lane.inFlight().clear();
                }
            }
        }
        for (ServerLane lane : silent) {
            LOG.warn("scorer {} is taken out", lane.describe());
            askCanary(lane, CANARY_AFTER_MILLIS);
        }
        for (PoolTry one : lost) {
            one.told()
                    .complete(new ScorerAttempt.Failed(
                            ScorerFault.passing(SILENT, one.lane().server().name() + " answers nothing, others do")));
            one.givenUp().raise();
        }
        serveTheWaiting();
    }

    /** SP-3, SP-5: until it answers as it did at first. */
    private void askCanary(ServerLane lane, long afterMillis) {
        var _ = timer.schedule(
                () -> sing(lane).whenComplete((attempt, _) -> {
                    recordCanary(lane, attempt);
                    if (attempt instanceof ScorerAttempt.Succeeded && !hasDrifted(lane)) {
                        synchronized (this) {
                            lane.takeBack(System.nanoTime());
                        }
                        LOG.info("scorer {} is asked again", lane.server().name());
                        serveTheWaiting();
                    } else {
                        askCanary(lane, Math.min(CANARY_AFTER_MAX_MILLIS, 2 * afterMillis));
                    }
                }),
                afterMillis,
                TimeUnit.MILLISECONDS);
    }

    private CompletionStage<ScorerAttempt> sing(ServerLane lane) {
        return lane.server().ask(Canary.call(method), new AbortSignal());
    }

    /** A lane whose score is another than the first one is out from here on. */
    private synchronized void recordCanary(ServerLane lane, ScorerAttempt attempt) {
        if (attempt instanceof ScorerAttempt.Succeeded(LabelScore.Believed reading, String _)) {
            lane.recordCanary(reading.score());
        }
    }

    private synchronized boolean hasDrifted(ServerLane lane) {
        return lane.isDrifted();
    }

    /** SP-5. */
    private void hearCanary(ServerLane lane, long everyMillis) {
        var _ = timer.schedule(
                () -> {
                    boolean asked;
                    synchronized (this) {
                        asked = !lane.isOut() && lane.server().tellsVersion();
                    }
                    if (!asked) {
                        hearCanary(lane, everyMillis);
                        return;
                    }
                    var _ = sing(lane).whenComplete((attempt, _) -> {
                        recordCanary(lane, attempt);
                        if (hasDrifted(lane)) {
                            LOG.warn("scorer {} is taken out", lane.describe());
                            askCanary(lane, CANARY_AFTER_MILLIS);
                        }
                        hearCanary(lane, everyMillis);
                    });
                },
                everyMillis,
                TimeUnit.MILLISECONDS);
    }

    /**
     * How much the score of one and the same question varies, at each server that tells its version.
     *
     * @param times asked one after the other, and as often all at once
     */
    CompletionStage<List<ScorerNoise>> noise(int times) {
        List<ScorerNoise> all = new ArrayList<>();
        return CompletableFuture.supplyAsync(
                () -> {
                    for (ServerLane lane : lanes) {
                        var _ = sing(lane).toCompletableFuture().join(); // what it is, is known from here on
                        if (lane.server().tellsVersion()) {
                            List<Double> scores = new ArrayList<>();
                            for (int i = 0; i < times; i++) {
                                add(sing(lane).toCompletableFuture().join(), scores);
                            }
                            List<CompletableFuture<ScorerAttempt>> atOnce = new ArrayList<>();
                            for (int i = 0; i < times; i++) {
                                atOnce.add(sing(lane).toCompletableFuture());
                            }
                            atOnce.forEach(attempt -> add(attempt.join(), scores));
                            all.add(ScorerNoise.of(lane.server().name(), scores));
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

    /** One line a server, for people. */
    synchronized List<String> describe() {
        return lanes.stream().map(ServerLane::describe).toList();
    }

    /** Requests that were sent a second time. */
    synchronized long hedged() {
        return hedged;
    }

    /** A set for {@link #ask}, of one call. Races of the call add to it while the pool reads it, each under its own lock. */
    static Set<ServerLane> none() {
        return ConcurrentHashMap.newKeySet();
    }
}
