package darkroom.actors.workqueue;

import darkroom.actors.device.Fault;
import darkroom.actors.device.LeaseId;
import darkroom.actors.device.Result;
import darkroom.actors.device.Unit;
import darkroom.actors.device.WireMessage;
import darkroom.actors.events.WorkQueueEvent;
import darkroom.actors.workqueue.LeaseTable.Lease;
import darkroom.actors.workqueue.LeaseTable.Station;
import darkroom.actors.workqueue.LeaseTable.Work;
import darkroom.config.LimitSettings;
import darkroom.tensors.TensorRef;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
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
 * timer, so that a process that was paused with its workers does not take their leases away when it wakes. Who holds which
 * lease, and the ways in which a lease ends, are in {@link LeaseTable}.
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
    private final LeaseTable<U, R> table;
    private final Set<Work<U, R>> open = new LinkedHashSet<>();
    private final SequencedMap<LeaseId, R> delivered = new LinkedHashMap<>();
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
        this.table = new LeaseTable<>(leaseTicks);
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
        if (table.heartbeat(heartbeat)) {
            context.watch(heartbeat.worker());
            events.tell(new WorkQueueEvent.WorkerJoined(role, heartbeat.name(), heartbeat.capacity()));
        }
    }

    private void onDelivered(ActorRef<LeasedWorker.Command<U, R>> worker, LeaseId lease, R result) {
        Work<U, R> work = table.openUnit(lease);
        table.endLease(worker, lease);
        if (work == null) {
            if (!result.equals(delivered.get(lease))) {
                result.tensors().forEach(release); // WQ-2
            }
            return;
        }
        close(work); // WQ-1
        Station<U, R> station = table.station(worker);
        if (station != null) {
            station.performed(work.unit);
        }
        delivered.put(lease, result);
        if (delivered.size() > DELIVERIES_REMEMBERED) {
            delivered.pollFirstEntry();
        }
        work.requester.tell(new Done<>(work.unit, result));
    }

    private void onFailed(Failed<U, R> failed) {
        Work<U, R> work = table.openUnit(failed.lease());
        boolean current = table.isHeld(failed.lease());
        table.endLease(failed.worker(), failed.lease());
        if (work == null || !current) {
            return;
        }
        switch (failed.fault()) {
            case Fault.Retry(String message) -> {
                events.tell(
                        new WorkQueueEvent.WorkFailed(role, table.nameOf(failed.worker()), work.unit.name(), message));
                again(work, failed.worker(), message);
            }
            case Fault.InputLost fault -> refuse(work, fault);
            case Fault.Exhausted fault -> refuse(work, fault);
            case Fault.DropGroup fault -> refuse(work, fault);
            case Fault.StopRun fault -> refuse(work, fault);
        }
    }

    private void onWorkerGone(ActorRef<?> worker) {
        table.removeWorker(worker).ifPresent(removed -> {
            String name = removed.station().name;
            events.tell(
                    new WorkQueueEvent.WorkerLost(role, name, removed.leases().size()));
            for (Lease<U, R> lease : removed.leases()) { // WQ-3
                again(lease.work, lease.worker, "worker " + name + " died");
            }
        });
    }

    private void onTick() {
        for (Lease<U, R> lease : table.tick()) { // WQ-3
            String worker = table.nameOf(lease.worker);
            events.tell(new WorkQueueEvent.LeaseExpired(role, worker, lease.work.unit.name()));
            table.takeAway(lease);
            again(lease.work, lease.worker, "its lease ran out on " + worker);
        }
        watch();
        lookForWorkers();
    }

    private void lookForWorkers() {
        boolean nobody = !open.isEmpty() && table.stations().stream().allMatch(table::isSilent);
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
        Lease<U, R> oldest = table.oldest();
        Work<U, R> work = oldest == null ? open.iterator().next() : oldest.work;
        String worker = blockedBy();
        Duration waited = limits.heartbeatEvery().multipliedBy(quietTicks);
        events.tell(new WorkQueueEvent.Stalled(role, worker, work.unit.name(), waited, act && oldest != null));
        stallReported = true;
        if (act) {
            for (Lease<U, R> lease : table.olderThan(stallTicks)) {
                table.takeAway(lease);
                again(lease.work, lease.worker, "nothing came from " + table.nameOf(lease.worker) + " for " + waited);
                lease.worker.tell(new LeasedWorker.Stop<>());
            }
            waiting.forEach(anyone -> anyone.failedOn.clear());
            somethingMoved();
        }
    }

    private void somethingMoved() {
        quietTicks = 0;
        stallReported = false;
    }

    private void again(Work<U, R> work, ActorRef<LeasedWorker.Command<U, R>> failedOn, String why) {
        if (work.attempts() >= limits.workAttemptsMax()) { // WQ-4
            refuse(
                    work,
                    new Fault.StopRun(
                            "%s was leased %d times, limits.work-attempts-max=%d, and never done; the last time: %s"
                                    .formatted(work.unit.name(), work.attempts(), limits.workAttemptsMax(), why)));
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
        table.close(work);
    }

    private void leaseWhatWaits() {
        Map<Station<U, R>, Integer> credit = new LinkedHashMap<>();
        for (Station<U, R> station : table.stations()) {
            int free = table.free(station);
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
                leased.computeIfAbsent(station, _ -> new ArrayList<>()).add(table.lease(work, station));
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
        boolean stalled = quietTicks >= stallTicks;
        return new WorkQueueReport(
                role,
                waiting.size(),
                open.size(),
                millis(quietTicks),
                stalled ? Optional.of(blockedBy()) : Optional.empty(),
                table.stations().stream()
                        .map(station -> station.report(millis(station.silentTicks())))
                        .toList());
    }

    private long millis(int count) {
        return limits.heartbeatEvery().multipliedBy(count).toMillis();
    }

    private String blockedBy() {
        Lease<U, R> oldest = table.oldest();
        if (oldest != null) {
            return table.nameOf(oldest.worker);
        }
        return table.stations().isEmpty() ? "nobody" : "all busy";
    }

    /** Returns the freest worker that has not failed the unit; any worker, once all live ones have. */
    private @Nullable Station<U, R> stationFor(Work<U, R> work, Map<Station<U, R>, Integer> credit) {
        boolean allFailed = table.stations().stream()
                .allMatch(station -> table.isSilent(station) || work.failedOn.contains(station.worker));
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

    private static int ticks(Duration time, LimitSettings limits) {
        return (int) Math.max(1, time.dividedBy(limits.heartbeatEvery()));
    }
}
