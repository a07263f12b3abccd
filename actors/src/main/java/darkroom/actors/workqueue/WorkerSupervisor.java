package darkroom.actors.workqueue;

import darkroom.actors.device.Device;
import darkroom.actors.device.Result;
import darkroom.actors.device.Unit;
import darkroom.actors.events.WorkQueueEvent;
import darkroom.config.LimitSettings;
import darkroom.tensors.TensorRef;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;
import java.util.function.Supplier;
import org.apache.pekko.actor.typed.ActorRef;
import org.apache.pekko.actor.typed.Behavior;
import org.apache.pekko.actor.typed.Signal;
import org.apache.pekko.actor.typed.Terminated;
import org.apache.pekko.actor.typed.javadsl.ActorContext;
import org.apache.pekko.actor.typed.javadsl.Behaviors;
import org.apache.pekko.actor.typed.javadsl.TimerScheduler;
import org.jspecify.annotations.Nullable;

/**
 * Keeps one worker running at each device of a node.
 *
 * <ul>
 *   <li><b>WS-1</b> A worker that ends is followed by another one with a new device, after a pause that doubles from
 *       {@code limits.heartbeat-every} up to {@code limits.lease-time}.
 *   <li><b>WS-2</b> After every {@value #ENDS_REPORTED} ends in a row, no worker having lived for
 *       {@code limits.lease-time}, it reports the device slot. It keeps trying: the device may recover.
 *   <li><b>WS-3</b> When it drains, it ends once all its workers have finished their leases.
 * </ul>
 */
public final class WorkerSupervisor extends SwitchBehavior<WorkerSupervisor.Command> {
    static final int ENDS_REPORTED = 10;

    /** Messages to a worker supervisor. */
    public sealed interface Command {}

    /** Stops the worker at post {@code name}, as a crash would; its successor follows by WS-1. For fault tests. */
    public record Crash(String name) implements Command {}

    /** Drains the workers: they take no more leases, finish theirs, and end; then the supervisor ends. */
    public record Drain() implements Command {}

    private record Respawn(Watch<?, ?> watch) implements Command {}

    private record Settled(Watch<?, ?> watch) implements Command {}

    /**
     * The assignment of a worker to a queue.
     *
     * @param name unique within the node
     * @param device creates the device of a new worker; called on the dispatcher, must return at once
     * @param queue source of its work, or a report batcher to it
     */
    public record Post<U extends Unit, R extends Result>(
            String name,
            Supplier<? extends Device<U, R>> device,
            ActorRef<? super WorkQueue.WorkerReport<U, R>> queue) {}

    private final ActorContext<Command> context;
    private final TimerScheduler<Command> timers;
    private final LimitSettings limits;
    private final Consumer<TensorRef> release;
    private final ActorRef<? super WorkQueueEvent> events;
    private final List<Watch<?, ?>> watches = new ArrayList<>();
    private final Map<ActorRef<?>, Watch<?, ?>> byWorker = new HashMap<>();
    private boolean draining;

    private WorkerSupervisor(
            ActorContext<Command> context,
            TimerScheduler<Command> timers,
            List<Post<?, ?>> posts,
            LimitSettings limits,
            Consumer<TensorRef> release,
            ActorRef<? super WorkQueueEvent> events) {
        this.context = context;
        this.timers = timers;
        this.limits = limits;
        this.release = release;
        this.events = events;
        for (Post<?, ?> post : posts) {
            Watch<?, ?> watch = new Watch<>(post);
            watches.add(watch);
            spawn(watch);
        }
    }

    public static Behavior<Command> create(
            List<Post<?, ?>> posts,
            LimitSettings limits,
            Consumer<TensorRef> release,
            ActorRef<? super WorkQueueEvent> events) {
        return Behaviors.setup(context ->
                Behaviors.withTimers(timers -> new WorkerSupervisor(context, timers, posts, limits, release, events)));
    }

    @Override
    public Behavior<Command> onMessage(Command command) {
        switch (command) {
            case Crash(String name) -> onCrash(name);
            case Drain() -> onDrain();
            case Respawn(Watch<?, ?> watch) -> spawn(watch);
            case Settled(Watch<?, ?> watch) -> watch.endsInARow = 0;
        }
        return draining && byWorker.isEmpty() ? Behaviors.stopped() : this;
    }

    @Override
    public Behavior<Command> onSignal(Signal signal) {
        if (signal instanceof Terminated ended) {
            Watch<?, ?> watch = byWorker.remove(ended.getRef());
            if (watch != null) {
                onEnded(watch);
            }
            return draining && byWorker.isEmpty() ? Behaviors.stopped() : this;
        }
        return Behaviors.unhandled();
    }

    private void onCrash(String name) {
        for (Watch<?, ?> watch : watches) {
            if (watch.post.name().equals(name)) {
                watch.stop();
            }
        }
    }

    private void onDrain() {
        draining = true; // WS-3
        watches.forEach(timers::cancel);
        watches.forEach(Watch::drain);
    }

    private void onEnded(Watch<?, ?> watch) {
        timers.cancel(watch);
        if (draining) {
            return;
        }
        watch.endsInARow++;
        if (watch.endsInARow % ENDS_REPORTED == 0) { // WS-2
            events.tell(new WorkQueueEvent.DeviceSlotFailing("node", watch.post.name(), watch.endsInARow));
        }
        Duration pause = limits.heartbeatEvery().multipliedBy(1L << Math.min(watch.endsInARow - 1, 16));
        Duration bounded = pause.compareTo(limits.leaseTime()) > 0 ? limits.leaseTime() : pause;
        timers.startSingleTimer(watch, new Respawn(watch), bounded); // WS-1
    }

    private <U extends Unit, R extends Result> void spawn(Watch<U, R> watch) {
        Post<U, R> post = watch.post;
        ActorRef<LeasedWorker.Command<U, R>> worker = context.spawn(
                LeasedWorker.create(post.name(), post.device(), post.queue(), limits, release),
                post.name().replace('/', '-') + "-" + watch.incarnation++);
        watch.worker = worker;
        byWorker.put(worker, watch);
        context.watch(worker);
        timers.startSingleTimer(watch, new Settled(watch), limits.leaseTime());
    }

    private static final class Watch<U extends Unit, R extends Result> {
        final Post<U, R> post;

        @Nullable
        ActorRef<LeasedWorker.Command<U, R>> worker;

        int incarnation = 1;
        int endsInARow;

        Watch(Post<U, R> post) {
            this.post = post;
        }

        void drain() {
            if (worker != null) {
                worker.tell(new LeasedWorker.Drain<>());
            }
        }

        void stop() {
            if (worker != null) {
                worker.tell(new LeasedWorker.Stop<>());
            }
        }
    }
}
