package darkroom.actors.workqueue;

import darkroom.actors.device.Device;
import darkroom.actors.device.Fault;
import darkroom.actors.device.FaultException;
import darkroom.actors.device.LeaseId;
import darkroom.actors.device.Result;
import darkroom.actors.device.Unit;
import darkroom.actors.device.WireMessage;
import darkroom.config.LimitSettings;
import darkroom.tensors.TensorLostException;
import darkroom.tensors.TensorRef;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.CompletionStage;
import java.util.function.Consumer;
import java.util.function.Supplier;
import org.apache.pekko.actor.typed.ActorRef;
import org.apache.pekko.actor.typed.Behavior;
import org.apache.pekko.actor.typed.PostStop;
import org.apache.pekko.actor.typed.Signal;
import org.apache.pekko.actor.typed.javadsl.ActorContext;
import org.apache.pekko.actor.typed.javadsl.Behaviors;
import org.jspecify.annotations.Nullable;

/**
 * Pulls leases for one device, and lives as long as it.
 *
 * <ul>
 *   <li><b>LW-1</b> Every lease is answered once, with {@code Finished} or {@code Failed}, while the worker lives.
 *   <li><b>LW-2</b> While it lives, it sends the queue a heartbeat at least every {@code limits.heartbeat-every}.
 *   <li><b>LW-3</b> A worker that stops releases the tensors of results that its device still finishes, and closes the
 *       device.
 *   <li><b>LW-4</b> After a failure it pulls nothing until its next heartbeat; after {@value #FAILURES_IN_A_ROW_MAX}
 *       failures in a row it stops, so that its worker supervisor gives it a new device.
 *   <li><b>LW-5</b> When it drains, it takes no more leases, answers those it has, and stops {@value #DRAINING_BEATS_MIN}
 *       heartbeats after both the request and the last answer: a lease that was on its way when the queue received the
 *       notice is handed back, and its messages have left the node.
 * </ul>
 */
public final class LeasedWorker<U extends Unit, R extends Result> extends SwitchBehavior<LeasedWorker.Command<U, R>> {
    static final int FAILURES_IN_A_ROW_MAX = 3;
    static final int DRAINING_BEATS_MIN = 2;

    /** Messages to a worker. */
    public sealed interface Command<U extends Unit, R extends Result> {}

    /** Leases these units to this worker. */
    public record Perform<U extends Unit, R extends Result>(List<Leased<U>> leases)
            implements Command<U, R>, WireMessage {
        public Perform {
            leases = List.copyOf(leases);
        }

        public Perform(LeaseId lease, U unit) {
            this(List.of(new Leased<>(lease, unit)));
        }
    }

    /** One unit of a {@link Perform}. */
    public record Leased<U extends Unit>(LeaseId lease, U unit) {}

    /** Ends the worker at once, whatever it does; the queue notices. For devices that hang, and for fault tests. */
    public record Stop<U extends Unit, R extends Result>() implements Command<U, R>, WireMessage {}

    /** Takes no more leases, finishes those it has, and ends: for nodes that leave. */
    public record Drain<U extends Unit, R extends Result>() implements Command<U, R> {}

    private record Completed<U extends Unit, R extends Result>(
            LeaseId lease, @Nullable Throwable failure) implements Command<U, R> {}

    private record Deliver<U extends Unit, R extends Result>() implements Command<U, R> {}

    private record Beat<U extends Unit, R extends Result>() implements Command<U, R> {}

    private final ActorContext<Command<U, R>> context;
    private final String name;
    private final Device<U, R> device;
    private final ActorRef<? super WorkQueue.WorkerReport<U, R>> queue;
    private final Consumer<TensorRef> release;
    private final Map<LeaseId, Handover<R>> inWork = new LinkedHashMap<>();
    private final List<LeaseId> done = new ArrayList<>();
    private int failuresInARow;
    private boolean draining;
    private int drainingBeats;

    private LeasedWorker(
            ActorContext<Command<U, R>> context,
            String name,
            Device<U, R> device,
            ActorRef<? super WorkQueue.WorkerReport<U, R>> queue,
            Consumer<TensorRef> release) {
        this.context = context;
        this.name = name;
        this.device = device;
        this.queue = queue;
        this.release = release;
        beat(device.capacity());
    }

    /**
     * Creates a worker.
     *
     * @param name of the worker, for reports
     * @param device opened with the worker and closed with it; must return at once
     * @param release called for every tensor of a result that comes too late
     */
    public static <U extends Unit, R extends Result> Behavior<Command<U, R>> create(
            String name,
            Supplier<? extends Device<U, R>> device,
            ActorRef<? super WorkQueue.WorkerReport<U, R>> queue,
            LimitSettings limits,
            Consumer<TensorRef> release) {
        return Behaviors.setup(context -> Behaviors.withTimers(timers -> {
            timers.startTimerWithFixedDelay(new Beat<>(), limits.heartbeatEvery());
            return new LeasedWorker<U, R>(context, name, device.get(), queue, release);
        }));
    }

    @Override
    public Behavior<Command<U, R>> onMessage(Command<U, R> command) {
        return switch (command) {
            case Perform<U, R>(List<Leased<U>> leases) -> {
                leases.forEach(leased -> onLeased(leased.lease(), leased.unit()));
                yield this;
            }
            case Completed<U, R>(LeaseId lease, Throwable failure) -> onCompleted(lease, failure);
            case Deliver<U, R>() -> onDeliver();
            case Beat<U, R>() -> onBeat();
            case Drain<U, R>() -> {
                draining = true; // LW-5
                yield beat(0);
            }
            case Stop<U, R>() -> Behaviors.stopped();
        };
    }

    @Override
    public Behavior<Command<U, R>> onSignal(Signal signal) {
        if (signal instanceof PostStop) {
            for (Handover<R> handover : inWork.values()) {
                R unwanted = handover.abandon();
                if (unwanted != null) {
                    unwanted.tensors().forEach(release); // LW-3
                }
            }
            device.close();
        }
        return this;
    }

    private void onLeased(LeaseId lease, U unit) {
        if (inWork.containsKey(lease)) {
            return;
        }
        if (draining) { // LW-5
            queue.tell(new WorkQueue.Failed<>(context.getSelf(), lease, new Fault.Retry(name + " is leaving")));
            return;
        }
        Handover<R> handover = new Handover<>();
        inWork.put(lease, handover);
        ActorRef<Command<U, R>> self = context.getSelf();
        Consumer<TensorRef> unwanted = release;
        begin(unit).whenComplete((result, failure) -> {
            if (result != null && !handover.offer(result)) {
                result.tensors().forEach(unwanted); // LW-3
            } else {
                self.tell(new Completed<>(lease, failure));
            }
        });
    }

    private CompletionStage<R> begin(U unit) {
        try {
            return device.perform(unit);
        } catch (RuntimeException failure) {
            return CompletableFuture.failedFuture(failure);
        }
    }

    private Behavior<Command<U, R>> onCompleted(LeaseId lease, @Nullable Throwable failure) {
        Handover<R> handover = inWork.get(lease);
        if (handover == null) {
            return this;
        }
        if (handover.offered()) {
            failuresInARow = 0;
            if (done.isEmpty()) {
                context.getSelf().tell(new Deliver<>()); // after those that are completed by now
            }
            done.add(lease);
            return this;
        }
        inWork.remove(lease);
        failuresInARow++;
        boolean stop = failuresInARow >= FAILURES_IN_A_ROW_MAX; // LW-4
        beat(0);
        queue.tell(new WorkQueue.Failed<>(context.getSelf(), lease, faultOf(failure))); // LW-1
        drainingBeats = 0;
        return stop ? Behaviors.stopped() : this;
    }

    private Behavior<Command<U, R>> onDeliver() {
        List<WorkQueue.Delivery<R>> results = new ArrayList<>();
        for (LeaseId lease : done) {
            Handover<R> handover = inWork.remove(lease);
            R result = handover == null ? null : handover.abandon();
            if (result != null) {
                results.add(new WorkQueue.Delivery<>(lease, result));
            }
        }
        done.clear();
        for (int from = 0; from < results.size(); from += WorkQueue.UNITS_PER_MESSAGE_MAX) {
            int to = Math.min(from + WorkQueue.UNITS_PER_MESSAGE_MAX, results.size());
            queue.tell(new WorkQueue.Finished<>(context.getSelf(), results.subList(from, to))); // LW-1
        }
        drainingBeats = 0;
        return this;
    }

    private Behavior<Command<U, R>> onBeat() {
        if (!draining) {
            return beat(device.capacity());
        }
        drainingBeats++;
        beat(0);
        return ended() ? Behaviors.stopped() : this;
    }

    private boolean ended() {
        return draining && inWork.isEmpty() && drainingBeats >= DRAINING_BEATS_MIN; // LW-5
    }

    private Behavior<Command<U, R>> beat(int capacity) {
        queue.tell(new WorkQueue.Heartbeat<>(context.getSelf(), name, capacity, inWork.keySet())); // LW-2
        return this;
    }

    private Fault faultOf(@Nullable Throwable failure) {
        return switch (failure) {
            case null -> new Fault.Retry(name + " completed a unit without a result");
            case CompletionException wrapped when wrapped.getCause() != null -> faultOf(wrapped.getCause());
            case FaultException sorted -> sorted.fault();
            case TensorLostException lost -> new Fault.InputLost(lost.tensor(), message(lost));
            case Throwable other -> new Fault.Retry(message(other));
        };
    }

    private String message(Throwable failure) {
        return "%s: %s%s"
                .formatted(
                        name,
                        failure.getClass().getSimpleName(),
                        failure.getMessage() == null ? "" : ": " + failure.getMessage());
    }

    /** Passes one result from a device's thread to the worker, which may be gone by then. */
    private static final class Handover<R extends Result> {
        private @Nullable R result;
        private boolean gone;

        /** Offers a result; false if nobody will take it. */
        synchronized boolean offer(R offered) {
            if (gone) {
                return false;
            }
            result = offered;
            return true;
        }

        synchronized boolean offered() {
            return result != null;
        }

        /** Takes the offered result, if any; later offers are rejected. */
        synchronized @Nullable R abandon() {
            gone = true;
            R taken = result;
            result = null;
            return taken;
        }
    }
}
