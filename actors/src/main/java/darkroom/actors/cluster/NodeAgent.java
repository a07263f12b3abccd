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
    public record Tell(WorkQueueEvent event) implements Command {}

    private record Tick() implements Command {}

    private record Drained() implements Command {}

    /** The node, as used by its agent. */
    public interface Host {
        /** Creates the device pool for a run with these settings. May take a second: called on the agent's thread. */
        DevicePool devicePool(String settings);

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

    private final ActorContext<Command> context;
    private final NodeCard card;
    private final LimitSettings limits;
    private final Duration drainTime;
    private final Optional<Duration> registrySilentAfter;
    private final Host host;
    private final Consumer<TensorRef> release;
    private final ActorRef<WorkQueueEvent> events;
    private @Nullable ActorRef<NodeRegistry.Command> registry;
    private boolean joined;
    private @Nullable WorkQueues queues;
    private @Nullable ActorRef<WorkerSupervisor.Command> workerSupervisor;
    private long roster;
    private long stepsOver;
    private @Nullable String leaving;
    private boolean drained;
    private boolean dismissed;
    private int leavingTicks;
    private int silentTicks;

    private NodeAgent(
            ActorContext<Command> context,
            NodeCard card,
            LimitSettings limits,
            Duration drainTime,
            Optional<Duration> registrySilentAfter,
            Host host,
            Consumer<TensorRef> release) {
        this.context = context;
        this.card = card;
        this.limits = limits;
        this.drainTime = drainTime;
        this.registrySilentAfter = registrySilentAfter;
        this.host = host;
        this.release = release;
        this.events = context.messageAdapter(WorkQueueEvent.class, Tell::new);
    }

    /**
     * Creates a node agent.
     *
     * @param limits the node's own; they set the heartbeat interval
     * @param drainTime maximum wait for its results to be taken over when it leaves
     * @param registrySilentAfter silence of the node registry that admitted it after which it starts again; empty if no
     *     other node registry exists, to wait forever
     * @param release called for every tensor of a result that comes too late
     */
    public static Behavior<Command> create(
            NodeCard card,
            LimitSettings limits,
            Duration drainTime,
            Optional<Duration> registrySilentAfter,
            Host host,
            Consumer<TensorRef> release) {
        return Behaviors.setup(context -> Behaviors.withTimers(timers -> {
            timers.startTimerWithFixedDelay(new Tick(), limits.heartbeatEvery());
            return new NodeAgent(context, card, limits, drainTime, registrySilentAfter, host, release);
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
            case Dismissed(String why) -> onDismissed(why);
            case Leave(String why) -> onLeave(why);
            case Tick() -> onTick();
            case Drained() -> {
                drained = true;
                yield leaveIfDone();
            }
            case Tell(WorkQueueEvent event) -> {
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
        if (leaving != null || welcome.queues().equals(queues)) {
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
            devicePool = host.devicePool(welcome.settings());
        } catch (RuntimeException failure) { // NA-4
            context.getLog().error("node {} has no device pool for this run", card.name(), failure);
            String why = "its device pool could not be made: " + ErrorReason.of(failure);
            sayLeaving(NodeEvent.Departure.NO_DEVICES, why);
            return end(new Ending.Refused(why));
        }
        DevicePool named = devicePool.named(card.name());
        workerSupervisor = context.spawnAnonymous(Behaviors.setup(own -> WorkerSupervisor.create(
                ReportBatcher.posts(named, welcome.queues(), limits, own), limits, release, events)));
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
        return registrySilentAfter.isPresent() && silentTicks > 1 ? 0 : roster;
    }

    private void sayLeaving(NodeEvent.Departure departure, String why) {
        if (registry != null) {
            registry.tell(new NodeRegistry.Leaving(card.name(), departure, why));
        }
    }

    private Behavior<Command> onTick() {
        silentTicks++;
        speak();
        if (leaving == null) {
            return workerSupervisor != null
                            && registrySilentAfter.filter(this::isSilentFor).isPresent()
                    ? end(new Ending.RegistrySilent("the control node was silent for "
                            + registrySilentAfter.get().toMillis() + " ms")) // NA-6
                    : this;
        }
        leavingTicks++;
        return leaveIfDone();
    }

    private boolean isSilentFor(Duration time) {
        return silentTicks > time.dividedBy(limits.heartbeatEvery());
    }

    private Behavior<Command> onLeave(String why) {
        if (leaving != null) {
            return this;
        }
        leaving = why;
        if (workerSupervisor == null) {
            drained = true;
        } else {
            workerSupervisor.tell(new WorkerSupervisor.Drain());
            context.watchWith(workerSupervisor, new Drained());
        }
        return leaveIfDone();
    }

    /** Leaves at once, since nobody will take over the results that are here (NA-5). */
    private Behavior<Command> onDismissed(String why) {
        dismissed = true;
        return leaving == null ? onLeave(why) : leaveIfDone();
    }

    private Behavior<Command> leaveIfDone() {
        boolean late = leavingTicks >= drainTime.dividedBy(limits.heartbeatEvery());
        boolean done = dismissed || (drained && host.bytesHeld() == 0);
        if (leaving == null || !(late || done)) {
            return this;
        }
        if (!dismissed) {
            sayLeaving(NodeEvent.Departure.ASKED, leaving);
        }
        return end(new Ending.Left(leaving));
    }

    private Behavior<Command> end(Ending ending) {
        host.ended(ending);
        return Behaviors.stopped();
    }
}
