package darkroom.actors;

import darkroom.config.ErrorReason;
import darkroom.config.LimitSettings;
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
 * Brings the devices of one node into a run and out of it again.
 *
 * <ul>
 *   <li><b>NA-1</b> It asks at the gate until it is let in, or turned away, which ends it.
 *   <li><b>NA-2</b> Its crew works for one gate: when another gate is there, or the gate does not know the node any more,
 *       it asks again. Workers stay as long as the desks they work for. Of one gate it believes the newest roster and
 *       the newest steps that are over only.
 *   <li><b>NA-3</b> A node that leaves takes no more leases, finishes those it has, and waits for its results to be taken over,
 *       at most {@code cluster.drain-time}; then it says so and ends.
 *   <li><b>NA-4</b> Its host hears once how it ended. A node that cannot make its crew says so at the gate, and ends.
 *   <li><b>NA-5</b> A node that is dismissed, because the run has ended, goes at once.
 *   <li><b>NA-6</b> A node that may be let in elsewhere does not wait for a gate that is silent: it ends, to begin again.
 * </ul>
 */
public final class NodeAgent extends SwitchBehavior<NodeAgent.Command> {

    /** What an agent is told. */
    public sealed interface Command {}

    /** Let in. */
    public record Welcome(String settings, Desks desks, Roster roster) implements Command, WireMessage {}

    /** Not let in, and why. */
    public record TurnedAway(String reason) implements Command, WireMessage {}

    /** The gate has forgotten this node. */
    public record JoinAgain() implements Command, WireMessage {}

    /** Who is there now. */
    public record RosterIs(Roster roster) implements Command, WireMessage {}

    /**
     * Results of these runs' units before these steps are wanted by nobody.
     *
     * @param version grows with each change at one gate, from 1
     */
    public record StepsOver(long version, List<StepOver> runs) implements Command, WireMessage {
        public StepsOver {
            runs = List.copyOf(runs);
        }
    }

    /** The units of {@code run} before {@code step} are over. */
    public record StepOver(String run, int step) {}

    /** The run has ended; the node may go. */
    public record Dismissed(String why) implements Command, WireMessage {}

    /** Where the gate is; absent while none is known. */
    public record GateAt(Optional<ActorRef<Gate.Command>> gate) implements Command {}

    /** Leave in good order: NA-3. */
    public record Leave(String why) implements Command {}

    /** What the control node should hear of this node's workers. Lost where there is no gate. */
    public record Tell(DeskEvent event) implements Command {}

    private record Tick() implements Command {}

    private record Drained() implements Command {}

    /** What the node does for its agent. */
    public interface Host {
        /** The crew for a run with these settings. May take a second: called on the agent's thread. */
        Crew crew(String settings);

        /** The tensor plane is told who is there. */
        void peers(Roster roster);

        /** Whatever the units of {@code run} before {@code step} left in the store may go. */
        void stepOver(String run, int step);

        /** Bytes of results that somebody may still take over. */
        long bytesHeld();

        /** The agent has ended. */
        void ended(Ending ending);
    }

    /** How an agent ends. */
    public sealed interface Ending {
        /** In good order: it was told to leave, or the run has ended. */
        record Left(String why) implements Ending {}

        /** The gate did not let the node in. */
        record Refused(String reason) implements Ending {}

        /** Nothing was heard of the gate any more. */
        record GateSilent(String why) implements Ending {}
    }

    private final ActorContext<Command> context;
    private final NodeCard card;
    private final LimitSettings limits;
    private final Duration drainTime;
    private final Optional<Duration> gateSilentAfter;
    private final Host host;
    private final Consumer<TensorRef> release;
    private final ActorRef<DeskEvent> events;
    private @Nullable ActorRef<Gate.Command> gate;
    private boolean joined;
    private @Nullable Desks desks;
    private @Nullable ActorRef<NodeWarden.Command> warden;
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
            Optional<Duration> gateSilentAfter,
            Host host,
            Consumer<TensorRef> release) {
        this.context = context;
        this.card = card;
        this.limits = limits;
        this.drainTime = drainTime;
        this.gateSilentAfter = gateSilentAfter;
        this.host = host;
        this.release = release;
        this.events = context.messageAdapter(DeskEvent.class, Tell::new);
    }

    /**
     * @param limits how often it speaks; the node's own
     * @param drainTime how long it waits for its results to be taken over when it leaves
     * @param gateSilentAfter how long it hears nothing of the gate that let it in before it begins again; empty for ever: there is
     *     no other
     * @param release called for every tensor of a result that comes too late
     */
    public static Behavior<Command> create(
            NodeCard card,
            LimitSettings limits,
            Duration drainTime,
            Optional<Duration> gateSilentAfter,
            Host host,
            Consumer<TensorRef> release) {
        return Behaviors.setup(context -> Behaviors.withTimers(timers -> {
            timers.startTimerWithFixedDelay(new Tick(), limits.heartbeatEvery());
            return new NodeAgent(context, card, limits, drainTime, gateSilentAfter, host, release);
        }));
    }

    @Override
    Behavior<Command> onMessage(Command command) {
        if (command instanceof WireMessage) {
            silentTicks = 0;
        }
        return switch (command) {
            case GateAt(Optional<ActorRef<Gate.Command>> at) -> onGate(at.orElse(null));
            case Welcome welcome -> onWelcome(welcome);
            case TurnedAway(String reason) -> end(new Ending.Refused(reason)); // NA-1
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
            case Tell(DeskEvent event) -> {
                if (gate != null) {
                    gate.tell(new Gate.Ails(event));
                }
                yield this;
            }
        };
    }

    private Behavior<Command> onGate(@Nullable ActorRef<Gate.Command> at) {
        if (at != null && !at.equals(gate)) {
            joined = false; // NA-2
            roster = 0;
            stepsOver = 0;
        }
        gate = at;
        speak();
        return this;
    }

    private Behavior<Command> onWelcome(Welcome welcome) {
        joined = true;
        onRoster(welcome.roster());
        if (leaving != null || welcome.desks().equals(desks)) {
            return this;
        }
        if (warden != null) {
            context.stop(warden);
        }
        desks = welcome.desks();
        warden = null;
        stepsOver = 0; // a new crew gets all of them again
        Crew crew;
        try {
            crew = host.crew(welcome.settings());
        } catch (RuntimeException failure) { // NA-4
            context.getLog().error("node {} has no crew for this run", card.name(), failure);
            String why = "its crew could not be made: " + ErrorReason.of(failure);
            sayLeaving(why);
            return end(new Ending.Refused(why));
        }
        Crew named = crew.named(card.name());
        warden = context.spawnAnonymous(Behaviors.setup(
                own -> NodeWarden.create(Courier.posts(named, welcome.desks(), limits, own), limits, release, events)));
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
        ActorRef<Gate.Command> at = gate;
        if (at != null) {
            at.tell(
                    joined
                            ? new Gate.Present(card.name(), rosterKnown(), stepsOver, context.getSelf())
                            : new Gate.Join(card, context.getSelf())); // NA-1
        }
    }

    /** One that has heard nothing asks for the whole roster, and so is answered: NA-6. */
    private long rosterKnown() {
        return gateSilentAfter.isPresent() && silentTicks > 1 ? 0 : roster;
    }

    private void sayLeaving(String why) {
        if (gate != null) {
            gate.tell(new Gate.Leaving(card.name(), why));
        }
    }

    private Behavior<Command> onTick() {
        silentTicks++;
        speak();
        if (leaving == null) {
            return warden != null && gateSilentAfter.filter(this::isSilentFor).isPresent()
                    ? end(new Ending.GateSilent("the control node was silent for "
                            + gateSilentAfter.get().toMillis() + " ms")) // NA-6
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
        if (warden == null) {
            drained = true;
        } else {
            warden.tell(new NodeWarden.Drain());
            context.watchWith(warden, new Drained());
        }
        return leaveIfDone();
    }

    /** Nobody will take over what is here: NA-5. */
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
            sayLeaving(leaving);
        }
        return end(new Ending.Left(leaving));
    }

    private Behavior<Command> end(Ending ending) {
        host.ended(ending);
        return Behaviors.stopped();
    }
}
