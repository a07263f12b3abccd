package darkroom.actors.cluster;

import darkroom.actors.device.WireMessage;
import darkroom.actors.events.NodeCard;
import darkroom.actors.events.NodeEvent;
import darkroom.actors.events.WorkQueueEvent;
import darkroom.actors.workqueue.DevicePool;
import darkroom.actors.workqueue.ReportBatcher;
import darkroom.actors.workqueue.SwitchBehavior;
import darkroom.actors.workqueue.WorkQueues;
import darkroom.actors.workqueue.WorkerSupervisor;
import darkroom.config.ErrorReason;
import darkroom.config.LimitSettings;
import darkroom.tensors.TensorRef;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.function.Consumer;
import org.apache.pekko.actor.typed.ActorRef;
import org.apache.pekko.actor.typed.Behavior;
import org.apache.pekko.actor.typed.javadsl.ActorContext;
import org.apache.pekko.actor.typed.javadsl.Behaviors;
import org.jspecify.annotations.Nullable;

/**
 * Adds the devices of one node to a run and removes them again.
 *
 * <ul>
 *   <li><b>NA-1</b> The agent asks the node registry repeatedly until it is admitted, or refused, which ends it.
 *   <li><b>NA-2</b> Its device pool works for one node registry: when another one appears, or the node registry no longer
 *       knows the node, the agent joins again. Workers stay as long as the queues they work for. From one node registry it
 *       accepts only the newest roster and the newest completed steps.
 *   <li><b>NA-3</b> A node that leaves takes no more leases, finishes those it has, and waits for its results to be taken
 *       over, at most {@code cluster.drain-time}; then it announces its departure and ends.
 *   <li><b>NA-4</b> Its host is notified once how it ended. A node that cannot create its device pool reports this to the
 *       node registry, and ends.
 *   <li><b>NA-5</b> A node that is dismissed, because the run has ended, leaves at once.
 *   <li><b>NA-6</b> A node that may be admitted elsewhere does not wait for a silent node registry: it ends, to start
 *       again.
 * </ul>
 */
public final class NodeAgent extends SwitchBehavior<NodeAgent.Command> {

    /** Messages to a node agent. */
    public sealed interface Command {}

    /** Admits the node. */
    public record Welcome(String settings, WorkQueues queues, Roster roster) implements Command, WireMessage {}

    /** Refuses the node, with the reason. */
    public record Refused(String reason) implements Command, WireMessage {}

    /** Asks the node to join again: the node registry has forgotten it. */
    public record JoinAgain() implements Command, WireMessage {}

    /** Announces the current roster. */
    public record RosterIs(Roster roster) implements Command, WireMessage {}

    /**
     * Announces the completed steps: results of earlier units of these runs are no longer needed.
     *
     * @param version grows with each change at one node registry, from 1
     */
    public record StepsOver(long version, List<StepOver> runs) implements Command, WireMessage {
        public StepsOver {
            runs = List.copyOf(runs);
        }
    }

    /** Marks the units of {@code run} before {@code step} as no longer needed. */
    public record StepOver(String run, int step) {}

    /** Dismisses the node: the run has ended. */
    public record Dismissed(String why) implements Command, WireMessage {}

    /** Announces the location of the node registry; absent while none is known. */
    public record RegistryAt(Optional<ActorRef<NodeRegistry.Command>> registry) implements Command {}

    /** Asks the node to leave gracefully (NA-3). */
    public record Leave(String why) implements Command {}

    /** Forwards an event of this node's workers to the control node. Lost while no node registry is known. */
    private record Forward(WorkQueueEvent event) implements Command {}

    private record Tick() implements Command {}

    private record Drained() implements Command {}

    /** The node, as used by its agent. */
    public interface Host {
        /**
         * Creates the device pool for a run. May take a second: called on the agent's thread.
         *
         * @param settings the run's
         * @param events receives events of the devices, for the control node; any thread may send to it
         */
        DevicePool devicePool(String settings, ActorRef<WorkQueueEvent> events);

        /** Passes the roster to the tensor plane. */
        void peers(Roster roster);

        /** Releases everything that the units of {@code run} before {@code step} left in the store. */
        void stepOver(String run, int step);

        /** Returns the bytes of results that may still be taken over. */
        long bytesHeld();

        /** Notifies the host that the agent has ended. */
        void ended(Ending ending);
    }

    /** The reason why an agent ended. */
    public sealed interface Ending {
        /** Ended normally: it was asked to leave, or the run has ended. */
        record Left(String why) implements Ending {}

        /** The node registry refused the node. */
        record Refused(String reason) implements Ending {}

        /** The node registry fell silent. */
        record RegistrySilent(String why) implements Ending {}
    }

    /**
     * The time limits of a node.
     *
     * @param limits the node's own; they set the heartbeat interval
     * @param drainTime maximum wait for its results to be taken over when it leaves
     * @param registrySilentAfter silence of the node registry that admitted it after which it starts again; empty if no
     *     other node registry exists, to wait forever
     */
    public record TimeLimits(LimitSettings limits, Duration drainTime, Optional<Duration> registrySilentAfter) {
        private long ticks(Duration time) {
            return time.dividedBy(limits.heartbeatEvery());
        }
    }

    /** How far the node is on its way out of the run (NA-3); {@code ticks} count from the request to leave. */
    private sealed interface Departure {
        /** It takes part. */
        record None() implements Departure {}

        /** Its workers finish the leases that they have. */
        record FinishingLeases(String why, long ticks) implements Departure {}

        /** Its workers have ended; its results wait to be taken over. */
        record HandingOver(String why, long ticks) implements Departure {}

        /** Returns the departure one tick later. */
        default Departure later() {
            return switch (this) {
                case None none -> none;
                case FinishingLeases(String why, long ticks) -> new FinishingLeases(why, ticks + 1);
                case HandingOver(String why, long ticks) -> new HandingOver(why, ticks + 1);
            };
        }
    }

    private final ActorContext<Command> context;
    private final NodeCard card;
    private final TimeLimits times;
    private final Host host;
    private final Consumer<TensorRef> release;
    private final ActorRef<WorkQueueEvent> events;
    private @Nullable ActorRef<NodeRegistry.Command> registry;
    private boolean joined;
    private @Nullable WorkQueues queues;
    private @Nullable ActorRef<WorkerSupervisor.Command> workerSupervisor;
    private long roster;
    private long stepsOver;
    private Departure departure = new Departure.None();
    private int silentTicks;

    private NodeAgent(
            ActorContext<Command> context, NodeCard card, TimeLimits times, Host host, Consumer<TensorRef> release) {
        this.context = context;
        this.card = card;
        this.times = times;
        this.host = host;
        this.release = release;
        this.events = context.messageAdapter(WorkQueueEvent.class, Forward::new);
    }

    /**
     * Creates a node agent.
     *
     * @param release called for every tensor of a result that comes too late
     */
    public static Behavior<Command> create(NodeCard card, TimeLimits times, Host host, Consumer<TensorRef> release) {
        return Behaviors.setup(context -> Behaviors.withTimers(timers -> {
            timers.startTimerWithFixedDelay(new Tick(), times.limits().heartbeatEvery());
            return new NodeAgent(context, card, times, host, release);
        }));
    }

    @Override
    public Behavior<Command> onMessage(Command command) {
        if (command instanceof WireMessage) {
            silentTicks = 0;
        }
        return switch (command) {
            case RegistryAt(Optional<ActorRef<NodeRegistry.Command>> at) -> onRegistry(at.orElse(null));
            case Welcome welcome -> onWelcome(welcome);
            case Refused(String reason) -> end(new Ending.Refused(reason)); // NA-1
            case JoinAgain() -> {
                joined = false; // NA-2
                yield this;
            }
            case RosterIs(Roster now) -> onRoster(now);
            case StepsOver(long version, List<StepOver> runs) -> {
                if (version > stepsOver) {
                    stepsOver = version;
                    runs.forEach(run -> host.stepOver(run.run(), run.step()));
                }
                yield this;
            }
            case Dismissed(String why) -> end(new Ending.Left(reasonToLeave().orElse(why))); // NA-5
            case Leave(String why) -> onLeave(why);
            case Tick() -> onTick();
            case Drained() -> onDrained();
            case Forward(WorkQueueEvent event) -> {
                if (registry != null) {
                    registry.tell(new NodeRegistry.WorkerIssue(event));
                }
                yield this;
            }
        };
    }

    private Behavior<Command> onRegistry(@Nullable ActorRef<NodeRegistry.Command> at) {
        if (at != null && !at.equals(registry)) {
            joined = false; // NA-2
            roster = 0;
            stepsOver = 0;
        }
        registry = at;
        speak();
        return this;
    }

    private Behavior<Command> onWelcome(Welcome welcome) {
        joined = true;
        onRoster(welcome.roster());
        if (!(departure instanceof Departure.None) || welcome.queues().equals(queues)) {
            return this;
        }
        if (workerSupervisor != null) {
            context.stop(workerSupervisor);
        }
        queues = welcome.queues();
        workerSupervisor = null;
        stepsOver = 0; // a new device pool gets all of them again
        DevicePool devicePool;
        try {
            devicePool = host.devicePool(welcome.settings(), events);
        } catch (RuntimeException failure) { // NA-4
            context.getLog().error("node {} has no device pool for this run", card.name(), failure);
            String why = "its device pool could not be made: " + ErrorReason.of(failure);
            sayLeaving(NodeEvent.Departure.NO_DEVICES, why);
            return end(new Ending.Refused(why));
        }
        DevicePool named = devicePool.named(card.name());
        workerSupervisor = context.spawnAnonymous(Behaviors.setup(own -> WorkerSupervisor.create(
                ReportBatcher.posts(named, welcome.queues(), times.limits(), own), times.limits(), release, events)));
        return this;
    }

    private Behavior<Command> onRoster(Roster now) {
        if (now.version() > roster) {
            roster = now.version();
            host.peers(now);
        }
        return this;
    }

    private void speak() {
        ActorRef<NodeRegistry.Command> at = registry;
        if (at != null) {
            at.tell(
                    joined
                            ? new NodeRegistry.Present(card.name(), rosterKnown(), stepsOver, context.getSelf())
                            : new NodeRegistry.Join(card, context.getSelf())); // NA-1
        }
    }

    /** Returns the known roster version; after a silence 0, so that the node registry answers with the whole roster (NA-6). */
    private long rosterKnown() {
        return times.registrySilentAfter().isPresent() && silentTicks > 1 ? 0 : roster;
    }

    private void sayLeaving(NodeEvent.Departure departure, String why) {
        if (registry != null) {
            registry.tell(new NodeRegistry.Leaving(card.name(), departure, why));
        }
    }

    private Behavior<Command> onTick() {
        silentTicks++;
        speak();
        departure = departure.later();
        if (!(departure instanceof Departure.None)) {
            return leaveIfDone();
        }
        Optional<Duration> silence = workerSupervisor == null
                ? Optional.empty()
                : times.registrySilentAfter().filter(this::isSilentFor);
        return silence.isPresent()
                ? end(new Ending.RegistrySilent(
                        "the control node was silent for " + silence.get().toMillis() + " ms")) // NA-6
                : this;
    }

    private boolean isSilentFor(Duration time) {
        return silentTicks > times.ticks(time);
    }

    private Behavior<Command> onLeave(String why) {
        if (!(departure instanceof Departure.None)) {
            return this;
        }
        if (workerSupervisor == null) {
            departure = new Departure.HandingOver(why, 0);
        } else {
            departure = new Departure.FinishingLeases(why, 0);
            workerSupervisor.tell(new WorkerSupervisor.Drain());
            context.watchWith(workerSupervisor, new Drained());
        }
        return leaveIfDone();
    }

    private Behavior<Command> onDrained() {
        if (departure instanceof Departure.FinishingLeases(String why, long ticks)) {
            departure = new Departure.HandingOver(why, ticks);
        }
        return leaveIfDone();
    }

    private Behavior<Command> leaveIfDone() {
        return switch (departure) {
            case Departure.None() -> this;
            case Departure.FinishingLeases(String why, long ticks) -> isLate(ticks) ? leave(why) : this;
            case Departure.HandingOver(String why, long ticks) ->
                isLate(ticks) || host.bytesHeld() == 0 ? leave(why) : this;
        };
    }

    private boolean isLate(long ticks) {
        return ticks >= times.ticks(times.drainTime());
    }

    private Behavior<Command> leave(String why) {
        sayLeaving(NodeEvent.Departure.ASKED, why);
        return end(new Ending.Left(why));
    }

    /** Returns why the node leaves already, if it does. */
    private Optional<String> reasonToLeave() {
        return switch (departure) {
            case Departure.None() -> Optional.empty();
            case Departure.FinishingLeases(String why, long _) -> Optional.of(why);
            case Departure.HandingOver(String why, long _) -> Optional.of(why);
        };
    }

    private Behavior<Command> end(Ending ending) {
        host.ended(ending);
        return Behaviors.stopped();
    }
}
