package darkroom.actors.workqueue;

import darkroom.actors.device.Fault;
import darkroom.actors.device.LeaseId;
import darkroom.actors.device.PolicyVersion;
import darkroom.actors.device.Result;
import darkroom.actors.device.RolloutUnit;
import darkroom.actors.device.Unit;
import darkroom.actors.device.WireMessage;
import darkroom.actors.events.WorkQueueEvent;
import darkroom.config.LimitSettings;
import darkroom.tensors.TensorRef;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.HashSet;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.SequencedMap;
import java.util.Set;
import java.util.function.Consumer;
import org.apache.pekko.actor.typed.ActorRef;
import org.apache.pekko.actor.typed.Behavior;
import org.apache.pekko.actor.typed.Signal;
import org.apache.pekko.actor.typed.Terminated;
import org.apache.pekko.actor.typed.javadsl.ActorContext;
import org.apache.pekko.actor.typed.javadsl.Behaviors;
import org.jspecify.annotations.Nullable;

/**
 * Leases units of one kind to the workers that pull them, until each unit has one result.
 *
 * <p>A worker's {@link Heartbeat} is its credit: it may hold as many leases as its capacity, as long as its heartbeats
 * arrive. Which worker processes which unit depends on timing; no result does. Time is counted in ticks of the queue's own
 * timer, so that a process that was paused with its workers does not take their leases away when it wakes.
 *
 * <ul>
 *   <li><b>WQ-1</b> Every submitted unit is answered once, with {@link Done} or {@link Refused}, unless withdrawn.
 *   <li><b>WQ-2</b> The first result stands; the tensors of every further one are released. A repeated delivery of the same
 *       message, up to {@value #DELIVERIES_REMEMBERED} deliveries later, is not a further one.
 *   <li><b>WQ-3</b> A lease ends when its worker dies, and when the worker was silent for {@code limits.lease-time}; the
 *       unit is then leased again, if possible to a worker that has not failed it.
 *   <li><b>WQ-4</b> A unit is leased at most {@code limits.work-attempts-max} times.
 *   <li><b>WQ-5</b> A worker never holds more leases than its capacity.
 *   <li><b>WQ-6</b> At most {@code unitsMax} units are open; a further one is refused at once.
 *   <li><b>WQ-7</b> A stall, with units waiting and none finished for {@code limits.stall-after}, is reported with the name
 *       of the blocking worker; after twice that time the oldest leases are taken away, their workers are stopped (their
 *       worker supervisor has others), and any worker may get the waiting units.
 *   <li><b>WQ-8</b> A requester that withdraws receives {@link Withdrawn} after its last answer.
 *   <li><b>WQ-9</b> Units that wait without any worker for {@value #EMPTY_LEASES} times {@code limits.lease-time} are
 *       reported, once until a worker joins.
 * </ul>
 */
public final class WorkQueue<U extends Unit, R extends Result> extends SwitchBehavior<WorkQueue.Command<U, R>> {
    static final int DELIVERIES_REMEMBERED = 1024;
    static final int EMPTY_LEASES = 5;

    /** Maximum number of units that one message leases or delivers: a message has room for each with a page of text. */
    static final int UNITS_PER_MESSAGE_MAX = 16;

    /** Messages to a queue, from requesters and workers. */
    public sealed interface Command<U extends Unit, R extends Result> {}

    /** Requests the result of {@code unit}, once. */
    public record Submit<U extends Unit, R extends Result>(U unit, ActorRef<Reply<U, R>> requester)
            implements Command<U, R> {}

    /** Withdraws all units of a requester. */
    public record Withdraw<U extends Unit, R extends Result>(ActorRef<Reply<U, R>> requester)
            implements Command<U, R> {}

    /** Messages from a worker to a queue. */
    public sealed interface WorkerReport<U extends Unit, R extends Result>
            extends Command<U, R>, ReportBatcher.Command<U, R> {}

    /** Reports of the workers of one node, batched in their order: a message costs as much as its contents. */
    public record WorkerReports<U extends Unit, R extends Result>(List<WorkerReport<U, R>> words)
            implements Command<U, R>, WireMessage {
        public WorkerReports {
            words = List.copyOf(words);
        }
    }

    /**
     * Announces that the worker is alive, may hold {@code capacity} leases, and works on {@code leases}. Sent at least
     * every {@code limits.heartbeat-every}; losing some, or receiving one twice, changes nothing.
     */
    public record Heartbeat<U extends Unit, R extends Result>(
            ActorRef<LeasedWorker.Command<U, R>> worker, String name, int capacity, Set<LeaseId> leases)
            implements WorkerReport<U, R>, WireMessage {
        public Heartbeat {
            leases = Set.copyOf(leases);
        }
    }

    /** Reports completed leases. The queue owns the tensors of the results from here on. */
    public record Finished<U extends Unit, R extends Result>(
            ActorRef<LeasedWorker.Command<U, R>> worker, List<Delivery<R>> results)
            implements WorkerReport<U, R>, WireMessage {
        public Finished {
            results = List.copyOf(results);
        }

        public Finished(ActorRef<LeasedWorker.Command<U, R>> worker, LeaseId lease, R result) {
            this(worker, List.of(new Delivery<>(lease, result)));
        }
    }

    /** One result of a {@link Finished}. */
    public record Delivery<R extends Result>(LeaseId lease, R result) {}

    /** Reports that the worker could not process a unit. */
    public record Failed<U extends Unit, R extends Result>(
            ActorRef<LeasedWorker.Command<U, R>> worker, LeaseId lease, Fault fault)
            implements WorkerReport<U, R>, WireMessage {}

    /** Requests a report of the waiting units and the workers. */
    public record Report<U extends Unit, R extends Result>(ActorRef<WorkQueueReport> replyTo)
            implements Command<U, R> {}

    private record LeaseOut<U extends Unit, R extends Result>() implements Command<U, R> {}

    private record Tick<U extends Unit, R extends Result>() implements Command<U, R> {}

    /** Messages to a requester. */
    public sealed interface Reply<U extends Unit, R extends Result> {}

    /** Delivers a result. The requester owns its tensors from here on. */
    public record Done<U extends Unit, R extends Result>(U unit, R result) implements Reply<U, R> {}

    /** Reports that the unit will not be processed, and why. */
    public record Refused<U extends Unit, R extends Result>(U unit, Fault fault) implements Reply<U, R> {}

    /** Confirms a withdrawal; nothing follows. */
    public record Withdrawn<U extends Unit, R extends Result>() implements Reply<U, R> {}

    private final ActorContext<Command<U, R>> context;
    private final String role;
    private final LimitSettings limits;
    private final int leaseTicks;
    private final int stallTicks;
    private final int unitsMax;
    private final Consumer<TensorRef> release;
    private final ActorRef<? super WorkQueueEvent> events;

    private final Deque<Work<U, R>> waiting = new ArrayDeque<>();
    private final Map<LeaseId, Lease<U, R>> leases = new LinkedHashMap<>();
    private final Map<LeaseId, Work<U, R>> openByLease = new LinkedHashMap<>();
    private final Map<ActorRef<LeasedWorker.Command<U, R>>, Station<U, R>> stations = new LinkedHashMap<>();
    private final Set<Work<U, R>> open = new LinkedHashSet<>();
    private final SequencedMap<LeaseId, R> delivered = new LinkedHashMap<>();
    private long nextLease;
    private boolean leasingOut;
    private int quietTicks;
    private boolean stallReported;
    private int emptyTicks;

    private WorkQueue(
            ActorContext<Command<U, R>> context,
            String role,
            LimitSettings limits,
            int unitsMax,
            Consumer<TensorRef> release,
            ActorRef<? super WorkQueueEvent> events) {
        this.context = context;
        this.role = role;
        this.limits = limits;
        this.leaseTicks = ticks(limits.leaseTime(), limits);
        this.stallTicks = ticks(limits.stallAfter(), limits);
        this.unitsMax = unitsMax;
        this.release = release;
        this.events = events;
    }

    /**
     * Creates a queue.
     *
     * @param role role of this queue's workers, for reports
     * @param unitsMax units that may be open at the same time
     * @param release called for every tensor of a result that nobody needs
     * @param events receives events of workers that join, die, or stall
     */
    public static <U extends Unit, R extends Result> Behavior<Command<U, R>> create(
            String role,
            LimitSettings limits,
            int unitsMax,
            Consumer<TensorRef> release,
            ActorRef<? super WorkQueueEvent> events) {
        return Behaviors.setup(context -> Behaviors.withTimers(timers -> {
            timers.startTimerWithFixedDelay(new Tick<>(), limits.heartbeatEvery());
            return new WorkQueue<U, R>(context, role, limits, unitsMax, release, events);
        }));
    }

    @Override
    public Behavior<Command<U, R>> onMessage(Command<U, R> command) {
        switch (command) {
            case Submit<U, R>(U unit, ActorRef<Reply<U, R>> requester) -> onSubmit(unit, requester);
            case Withdraw<U, R>(ActorRef<Reply<U, R>> requester) -> onWithdraw(requester);
            case WorkerReports<U, R>(List<WorkerReport<U, R>> words) -> words.forEach(this::onWord);
            case WorkerReport<U, R> word -> onWord(word);
            case Report<U, R>(ActorRef<WorkQueueReport> replyTo) -> replyTo.tell(report());
            case Tick<U, R>() -> onTick();
            case LeaseOut<U, R>() -> {
                leasingOut = false;
                leaseWhatWaits();
                return this;
            }
        }
        leaseOutSoon();
        return this;
    }

    private void onWord(WorkerReport<U, R> word) {
        switch (word) {
            case Heartbeat<U, R> heartbeat -> onHeartbeat(heartbeat);
            case Finished<U, R>(ActorRef<LeasedWorker.Command<U, R>> worker, List<Delivery<R>> results) ->
                results.forEach(delivery -> onDelivered(worker, delivery.lease(), delivery.result()));
            case Failed<U, R> failed -> onFailed(failed);
        }
    }

    @Override
    public Behavior<Command<U, R>> onSignal(Signal signal) {
        if (signal instanceof Terminated terminated) {
            onWorkerGone(terminated.getRef());
            leaseOutSoon();
            return this;
        }
        return Behaviors.unhandled();
    }

    /** Schedules leasing after the messages already waiting: units that are submitted together are leased together. */
    private void leaseOutSoon() {
        if (!leasingOut && !waiting.isEmpty()) {
            leasingOut = true;
            context.getSelf().tell(new LeaseOut<>());
        }
    }

    private void onSubmit(U unit, ActorRef<Reply<U, R>> requester) {
        if (open.size() >= unitsMax) { // WQ-6
            requester.tell(new Refused<>(
                    unit,
                    new Fault.StopRun("%s: the %s queue has %d units open, its limit; lower limits.groups-in-flight-max"
                            .formatted(unit.name(), role, open.size()))));
            return;
        }
        if (open.isEmpty()) {
            somethingMoved();
        }
        Work<U, R> work = new Work<>(unit, requester);
        open.add(work);
        waiting.addLast(work);
    }

    private void onWithdraw(ActorRef<Reply<U, R>> requester) {
        for (Work<U, R> work : List.copyOf(open)) {
            if (work.requester.equals(requester)) {
                close(work);
            }
        }
        requester.tell(new Withdrawn<>()); // WQ-8
    }

    private void onHeartbeat(Heartbeat<U, R> heartbeat) {
        Station<U, R> station = stations.get(heartbeat.worker());
        if (station == null) {
            station = new Station<>(heartbeat.worker(), heartbeat.name());
            stations.put(heartbeat.worker(), station);
            context.watch(heartbeat.worker());
            events.tell(new WorkQueueEvent.WorkerJoined(role, heartbeat.name(), heartbeat.capacity()));
        }
        station.capacity = heartbeat.capacity();
        station.silentTicks = 0;
        station.abandoned.retainAll(heartbeat.leases());
        for (LeaseId id : heartbeat.leases()) {
            Lease<U, R> lease = leases.get(id);
            if (lease != null) {
                lease.silentTicks = 0;
            } else {
                station.abandoned.add(id); // WQ-5
            }
        }
    }

    private void onDelivered(ActorRef<LeasedWorker.Command<U, R>> worker, LeaseId lease, R result) {
        Work<U, R> work = openByLease.get(lease);
        endLease(worker, lease);
        if (work == null) {
            if (!result.equals(delivered.get(lease))) {
                result.tensors().forEach(release); // WQ-2
            }
            return;
        }
        close(work); // WQ-1
        note(stations.get(worker), work.unit);
        delivered.put(lease, result);
        if (delivered.size() > DELIVERIES_REMEMBERED) {
            delivered.pollFirstEntry();
        }
        work.requester.tell(new Done<>(work.unit, result));
    }

    private static void note(@Nullable Station<?, ?> station, Unit unit) {
        if (station != null) {
            station.done++;
            if (unit instanceof RolloutUnit rollout) {
                station.serves = rollout.policy();
            }
        }
    }

    private void onFailed(Failed<U, R> failed) {
        Work<U, R> work = openByLease.get(failed.lease());
        boolean current = leases.containsKey(failed.lease());
        endLease(failed.worker(), failed.lease());
        if (work == null || !current) {
            return;
        }
        switch (failed.fault()) {
            case Fault.Retry(String message) -> {
                events.tell(new WorkQueueEvent.WorkFailed(role, nameOf(failed.worker()), work.unit.name(), message));
                again(work, failed.worker(), message);
            }
            case Fault.InputLost fault -> refuse(work, fault);
            case Fault.Exhausted fault -> refuse(work, fault);
            case Fault.DropGroup fault -> refuse(work, fault);
            case Fault.StopRun fault -> refuse(work, fault);
        }
    }

    private void onWorkerGone(ActorRef<?> worker) {
        Station<U, R> station = stations.remove(worker);
        if (station == null) {
            return;
        }
        List<Lease<U, R>> orphans = leases.values().stream()
                .filter(lease -> lease.worker.equals(worker))
                .toList();
        events.tell(new WorkQueueEvent.WorkerLost(role, station.name, orphans.size()));
        for (Lease<U, R> lease : orphans) { // WQ-3
            var _ = drop(lease.id);
            again(lease.work, lease.worker, "worker " + station.name + " died");
        }
    }

    private void onTick() {
        stations.values().forEach(station -> station.silentTicks++);
        for (Lease<U, R> lease : List.copyOf(leases.values())) {
            lease.ageTicks++;
            if (++lease.silentTicks >= leaseTicks) { // WQ-3
                String worker = nameOf(lease.worker);
                events.tell(new WorkQueueEvent.LeaseExpired(role, worker, lease.work.unit.name()));
                takeAway(lease, "its lease ran out on " + worker);
            }
        }
        watch();
        lookForWorkers();
    }

    private void lookForWorkers() {
        boolean nobody = !open.isEmpty() && stations.values().stream().allMatch(this::silent);
        emptyTicks = nobody ? emptyTicks + 1 : 0;
        if (emptyTicks == EMPTY_LEASES * leaseTicks) {
            events.tell(new WorkQueueEvent.NobodyThere(role, open.size())); // WQ-9
        }
    }

    /** Reports and breaks stalls (WQ-7). */
    private void watch() {
        if (open.isEmpty()) {
            somethingMoved();
            return;
        }
        quietTicks++;
        if (quietTicks < stallTicks || (stallReported && quietTicks < 2 * stallTicks)) {
            return;
        }
        boolean act = quietTicks >= 2 * stallTicks;
        Lease<U, R> oldest = leases.values().stream().findFirst().orElse(null);
        Work<U, R> work = oldest == null ? open.iterator().next() : oldest.work;
        String worker = blockedBy();
        Duration waited = limits.heartbeatEvery().multipliedBy(quietTicks);
        events.tell(new WorkQueueEvent.Stalled(role, worker, work.unit.name(), waited, act && oldest != null));
        stallReported = true;
        if (act) {
            for (Lease<U, R> lease : List.copyOf(leases.values())) {
                if (lease.ageTicks >= stallTicks) {
                    takeAway(lease, "nothing came from " + nameOf(lease.worker) + " for " + waited);
                    lease.worker.tell(new LeasedWorker.Stop<>());
                }
            }
            waiting.forEach(anyone -> anyone.failedOn.clear());
            somethingMoved();
        }
    }

    private void somethingMoved() {
        quietTicks = 0;
        stallReported = false;
    }

    /**
     * Takes a lease away. The worker may still be busy: the lease counts against its capacity until a report of it ends
     * that.
     */
    private void takeAway(Lease<U, R> lease, String why) {
        var _ = drop(lease.id);
        Station<U, R> station = stations.get(lease.worker);
        if (station != null) {
            station.abandoned.add(lease.id);
        }
        again(lease.work, lease.worker, why);
    }

    private void again(Work<U, R> work, ActorRef<LeasedWorker.Command<U, R>> failedOn, String why) {
        if (work.attempts >= limits.workAttemptsMax()) { // WQ-4
            refuse(
                    work,
                    new Fault.StopRun(
                            "%s was leased %d times, limits.work-attempts-max=%d, and never done; the last time: %s"
                                    .formatted(work.unit.name(), work.attempts, limits.workAttemptsMax(), why)));
            return;
        }
        work.failedOn.add(failedOn);
        waiting.addFirst(work);
    }

    private void refuse(Work<U, R> work, Fault fault) {
        close(work); // WQ-1
        work.requester.tell(new Refused<>(work.unit, fault));
    }

    private void close(Work<U, R> work) {
        somethingMoved();
        open.remove(work);
        waiting.remove(work);
        for (LeaseId id : work.leases) {
            openByLease.remove(id);
            Lease<U, R> lease = drop(id);
            Station<U, R> station = lease == null ? null : stations.get(lease.worker);
            if (station != null) {
                station.abandoned.add(id);
            }
        }
    }

    private void endLease(ActorRef<LeasedWorker.Command<U, R>> worker, LeaseId id) {
        var _ = drop(id);
        Station<U, R> station = stations.get(worker);
        if (station != null) {
            station.abandoned.remove(id);
        }
    }

    private void leaseWhatWaits() {
        Map<Station<U, R>, Integer> credit = new LinkedHashMap<>();
        for (Station<U, R> station : stations.values()) {
            int free = silent(station) ? 0 : station.capacity - held(station);
            if (free > 0) {
                credit.put(station, free); // WQ-5
            }
        }
        Map<Station<U, R>, List<LeasedWorker.Leased<U>>> leased = new LinkedHashMap<>();
        Iterator<Work<U, R>> works = waiting.iterator();
        while (works.hasNext() && !credit.isEmpty()) {
            Work<U, R> work = works.next();
            Station<U, R> station = stationFor(work, credit);
            if (station != null) {
                works.remove();
                leased.computeIfAbsent(station, _ -> new ArrayList<>()).add(lease(work, station));
                credit.computeIfPresent(station, (_, free) -> free > 1 ? free - 1 : null);
            }
        }
        leased.forEach((station, units) -> {
            for (int from = 0; from < units.size(); from += UNITS_PER_MESSAGE_MAX) {
                int to = Math.min(from + UNITS_PER_MESSAGE_MAX, units.size());
                station.worker.tell(new LeasedWorker.Perform<>(units.subList(from, to)));
            }
        });
    }

    private WorkQueueReport report() {
        List<WorkQueueReport.Station> there = new ArrayList<>();
        for (Station<U, R> station : stations.values()) {
            there.add(new WorkQueueReport.Station(
                    station.name,
                    station.capacity,
                    station.leases,
                    station.done,
                    Optional.ofNullable(station.serves),
                    millis(station.silentTicks)));
        }
        boolean stalled = quietTicks >= stallTicks;
        return new WorkQueueReport(
                role,
                waiting.size(),
                open.size(),
                millis(quietTicks),
                stalled ? Optional.of(blockedBy()) : Optional.empty(),
                there);
    }

    private long millis(int count) {
        return limits.heartbeatEvery().multipliedBy(count).toMillis();
    }

    private String blockedBy() {
        return leases.values().stream()
                .findFirst()
                .map(lease -> nameOf(lease.worker))
                .orElse(stations.isEmpty() ? "nobody" : "all busy");
    }

    private static int held(Station<?, ?> station) {
        return station.abandoned.size() + station.leases;
    }

    private @Nullable Lease<U, R> drop(LeaseId id) {
        Lease<U, R> lease = leases.remove(id);
        Station<U, R> station = lease == null ? null : stations.get(lease.worker);
        if (station != null) {
            station.leases--;
        }
        return lease;
    }

    private boolean silent(Station<U, R> station) {
        return station.silentTicks >= leaseTicks;
    }

    /** Returns the freest worker that has not failed the unit; any worker, once all live ones have. */
    private @Nullable Station<U, R> stationFor(Work<U, R> work, Map<Station<U, R>, Integer> credit) {
        boolean allFailed = stations.values().stream()
                .allMatch(station -> silent(station) || work.failedOn.contains(station.worker));
        Station<U, R> best = null;
        int most = 0;
        for (Map.Entry<Station<U, R>, Integer> entry : credit.entrySet()) {
            boolean eligible = allFailed || !work.failedOn.contains(entry.getKey().worker);
            if (eligible && entry.getValue() > most) {
                best = entry.getKey();
                most = entry.getValue();
            }
        }
        return best;
    }

    private LeasedWorker.Leased<U> lease(Work<U, R> work, Station<U, R> station) {
        LeaseId id = new LeaseId(nextLease++);
        work.attempts++;
        work.leases.add(id);
        leases.put(id, new Lease<>(id, work, station.worker));
        station.leases++;
        openByLease.put(id, work);
        return new LeasedWorker.Leased<>(id, work.unit);
    }

    private String nameOf(ActorRef<LeasedWorker.Command<U, R>> worker) {
        Station<U, R> station = stations.get(worker);
        return station == null ? worker.path().name() : station.name;
    }

    private static int ticks(Duration time, LimitSettings limits) {
        return (int) Math.max(1, time.dividedBy(limits.heartbeatEvery()));
    }

    /** One open unit. */
    private static final class Work<U extends Unit, R extends Result> {
        final U unit;
        final ActorRef<Reply<U, R>> requester;
        final List<LeaseId> leases = new ArrayList<>();
        final Set<ActorRef<LeasedWorker.Command<U, R>>> failedOn = new HashSet<>();
        int attempts;

        Work(U unit, ActorRef<Reply<U, R>> requester) {
            this.unit = unit;
            this.requester = requester;
        }
    }

    /** One unit leased to one worker. */
    private static final class Lease<U extends Unit, R extends Result> {
        final LeaseId id;
        final Work<U, R> work;
        final ActorRef<LeasedWorker.Command<U, R>> worker;
        int silentTicks;
        int ageTicks;

        Lease(LeaseId id, Work<U, R> work, ActorRef<LeasedWorker.Command<U, R>> worker) {
            this.id = id;
            this.work = work;
            this.worker = worker;
        }
    }

    /** One worker; {@code abandoned} are leases it may still be busy with though the queue no longer waits for them. */
    private static final class Station<U extends Unit, R extends Result> {
        final ActorRef<LeasedWorker.Command<U, R>> worker;
        final String name;
        final Set<LeaseId> abandoned = new HashSet<>();
        int capacity;
        int leases;
        int silentTicks;
        long done;

        @Nullable
        PolicyVersion serves;

        Station(ActorRef<LeasedWorker.Command<U, R>> worker, String name) {
            this.worker = worker;
            this.name = name;
        }
    }
}
