package darkroom.actors;

import darkroom.config.LimitSettings;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.SequencedMap;
import java.util.function.Consumer;
import org.apache.pekko.actor.typed.ActorRef;
import org.apache.pekko.actor.typed.Behavior;
import org.apache.pekko.actor.typed.javadsl.ActorContext;
import org.apache.pekko.actor.typed.javadsl.Behaviors;
import org.jspecify.annotations.Nullable;

/**
 * The door of a run, on its control node: lets nodes in, tells everyone who is there, and notices who falls silent.
 *
 * <p>It decides about nobody's work: that is what leases are for. It says whose tensors can still be had. Time is counted
 * in ticks of its own timer, like that of a {@link WorkDesk}.
 *
 * <ul>
 *   <li><b>GT-1</b> A node that asks is let in, or turned away with a reason; asking twice changes nothing. A node
 *       that asks is heard of.
 *   <li><b>GT-2</b> A node that was not heard of for {@code cluster.node-silent-after} is off the roster; its next word gets it
 *       asked to introduce itself again.
 *   <li><b>GT-3</b> Whoever has an old roster has the new one within a heartbeat of its own, whatever was lost on the way.
 *   <li><b>GT-4</b> At most {@value #NODES_MAX} nodes are let in.
 *   <li><b>GT-5</b> A closed gate tells every node that it may go, and says so again at its every word.
 *   <li><b>GT-6</b> Which steps are over has a version, and is one message. A node whose version is old has the newest within a
 *       heartbeat of its own; one that has the newest gets none. Of at most {@value #RUNS_MAX} runs; those that are over entirely
 *       are forgotten first.
 * </ul>
 */
public final class Gate extends SwitchBehavior<Gate.Command> {
    static final int NODES_MAX = 1024;
    static final int RUNS_MAX = 16;

    /** Its name below the studio, by which nodes find it. */
    public static final String NAME = "gate";

    /** What a gate is told. */
    public sealed interface Command {}

    /** A node wants in. Repeated until it is answered. */
    public record Join(NodeCard card, ActorRef<NodeAgent.Command> agent) implements Command, WireMessage {}

    /**
     * The node is there. Said every {@code limits.heartbeat-every}.
     *
     * @param roster version of the roster that it knows
     * @param over version of the {@link NodeAgent.StepsOver} that it knows; 0 for none
     */
    public record Present(String node, long roster, long over, ActorRef<NodeAgent.Command> agent)
            implements Command, WireMessage {}

    /** The node has handed back what it had, and goes. */
    public record Leaving(String node, String why) implements Command, WireMessage {}

    /** The units of {@code run} before {@code step} are over, everywhere. */
    public record StepOver(String run, int step) implements Command {}

    /** Something ails a worker of a node, which only its warden sees. */
    public record Ails(DeskEvent event) implements Command, WireMessage {}

    /** For {@code darkroom status}, from any node. */
    public record AskStatus(ActorRef<ClusterStatus> replyTo) implements Command, WireMessage {}

    /** What the run is doing. */
    public record Doing(String run, String stage, int step, int steps) implements Command {}

    /** Nothing more will be done here: GT-5. */
    public record Close(String why) implements Command {}

    private record Tick() implements Command {}

    private record Reported(DeskReport report) implements Command {}

    private final NodeCard own;
    private final String settings;
    private final Desks desks;
    private final LimitSettings limits;
    private final Duration silentAfter;
    private final Consumer<List<PlanePeer>> peers;
    private final ActorRef<RunEvent> events;
    private final ActorRef<DeskReport> reports;
    private final Map<String, Guest> guests = new LinkedHashMap<>();
    private final Map<String, DeskReport> desksNow = new LinkedHashMap<>();
    private final SequencedMap<String, Integer> over = new LinkedHashMap<>();
    private long overVersion;
    private Doing doing = new Doing("", "preparing", 0, 0);
    private long version;
    private long ticks;
    private @Nullable String closed;

    private static final class Guest {
        final NodeCard card;
        ActorRef<NodeAgent.Command> agent;
        int silentTicks;

        Guest(NodeCard card, ActorRef<NodeAgent.Command> agent) {
            this.card = card;
            this.agent = agent;
        }

        void hear(ActorRef<NodeAgent.Command> from) {
            agent = from;
            silentTicks = 0;
        }
    }

    private Gate(
            ActorContext<Command> context,
            NodeCard own,
            String settings,
            Desks desks,
            LimitSettings limits,
            Duration silentAfter,
            Consumer<List<PlanePeer>> peers,
            ActorRef<RunEvent> events) {
        this.own = own;
        this.settings = settings;
        this.desks = desks;
        this.limits = limits;
        this.silentAfter = silentAfter;
        this.peers = peers;
        this.events = events;
        this.reports = context.messageAdapter(DeskReport.class, Reported::new);
        changed();
    }

    /**
     * @param own the control node itself
     * @param settings of the run, resolved, as text: nodes bring none of their own
     * @param silentAfter {@code cluster.node-silent-after}
     * @param peers told the whole roster whenever it changes: the control node's tensor plane
     */
    public static Behavior<Command> create(
            NodeCard own,
            String settings,
            Desks desks,
            LimitSettings limits,
            Duration silentAfter,
            Consumer<List<PlanePeer>> peers,
            ActorRef<RunEvent> events) {
        return Behaviors.setup(context -> Behaviors.withTimers(timers -> {
            timers.startTimerWithFixedDelay(new Tick(), limits.heartbeatEvery());
            return new Gate(context, own, settings, desks, limits, silentAfter, peers, events);
        }));
    }

    @Override
    Behavior<Command> onMessage(Command command) {
        switch (command) {
            case Join(NodeCard card, ActorRef<NodeAgent.Command> agent) -> onJoin(card, agent);
            case Present present -> onPresent(present);
            case Leaving(String node, String why) -> onGone(node, why);
            case StepOver(String run, int step) -> onStepOver(run, step);
            case Ails(DeskEvent event) -> events.tell(event);
            case AskStatus(ActorRef<ClusterStatus> replyTo) -> replyTo.tell(status());
            case Doing now -> doing = now;
            case Close(String why) -> {
                closed = why;
                tellAll(new NodeAgent.Dismissed(why)); // GT-5
            }
            case Tick() -> onTick();
            case Reported(DeskReport report) -> desksNow.put(report.role(), report);
        }
        return this;
    }

    private void onStepOver(String run, int step) {
        Integer known = over.get(run);
        if (known != null && known >= step) {
            return;
        }
        over.putLast(run, step);
        if (over.size() > RUNS_MAX) {
            over.remove(forgettable());
        }
        overVersion++;
        tellAll(stepsOver());
    }

    /** One that is over entirely; where none is, the one that nothing was said of for longest. */
    private String forgettable() {
        return over.entrySet().stream()
                .filter(run -> run.getValue() == Integer.MAX_VALUE)
                .map(Map.Entry::getKey)
                .findFirst()
                .orElseGet(() -> over.firstEntry().getKey());
    }

    private NodeAgent.StepsOver stepsOver() {
        return new NodeAgent.StepsOver(
                overVersion,
                over.entrySet().stream()
                        .map(run -> new NodeAgent.StepOver(run.getKey(), run.getValue()))
                        .toList());
    }

    private void onJoin(NodeCard card, ActorRef<NodeAgent.Command> agent) {
        if (closed != null) {
            agent.tell(new NodeAgent.Dismissed(closed));
            return;
        }
        Guest known = guests.get(card.name());
        if (known == null) {
            if (guests.size() >= NODES_MAX) {
                agent.tell(new NodeAgent.TurnedAway(
                        "%s already has %d nodes, the most that it lets in".formatted(own.name(), NODES_MAX))); // GT-4
                return;
            }
            guests.put(card.name(), new Guest(card, agent));
            changed();
            events.tell(new NodeEvent.NodeJoined(card, guests.size() + 1));
            if (!card.processor().equals(own.processor())) {
                events.tell(new NodeEvent.MixedProcessors(card, own.processor()));
            }
        } else {
            known.hear(agent); // GT-1
        }
        agent.tell(new NodeAgent.Welcome(settings, desks, roster())); // GT-1
    }

    private void onPresent(Present present) {
        Guest guest = guests.get(present.node());
        ActorRef<NodeAgent.Command> agent = present.agent();
        if (guest == null) {
            agent.tell(closed == null ? new NodeAgent.JoinAgain() : new NodeAgent.Dismissed(closed)); // GT-2
            return;
        }
        guest.hear(agent);
        if (present.over() != overVersion) {
            agent.tell(stepsOver()); // GT-6
        }
        if (closed != null) {
            agent.tell(new NodeAgent.Dismissed(closed)); // GT-5
        }
        if (present.roster() != version) {
            agent.tell(new NodeAgent.RosterIs(roster())); // GT-3
        }
    }

    private void onGone(String node, String why) {
        Guest guest = guests.remove(node);
        if (guest != null) {
            changed();
            events.tell(new NodeEvent.NodeLeft(guest.card, why, guests.size() + 1));
        }
    }

    private void onTick() {
        ticks++;
        long silentMax = Math.max(1, silentAfter.dividedBy(limits.heartbeatEvery()));
        for (Guest guest : List.copyOf(guests.values())) {
            if (++guest.silentTicks >= silentMax) { // GT-2
                onGone(guest.card.name(), "not heard of for " + silentAfter.toMillis() + " ms");
            }
        }
        desks.draw().tell(new WorkDesk.Report<>(reports));
        desks.score().tell(new WorkDesk.Report<>(reports));
        desks.train().tell(new WorkDesk.Report<>(reports));
    }

    private void changed() {
        version++;
        Roster roster = roster();
        peers.accept(roster.peers());
        tellAll(new NodeAgent.RosterIs(roster));
    }

    private void tellAll(NodeAgent.Command word) {
        guests.values().forEach(guest -> guest.agent.tell(word));
    }

    private Roster roster() {
        List<PlanePeer> all = new ArrayList<>();
        all.add(own.plane());
        guests.values().forEach(guest -> all.add(guest.card.plane()));
        return new Roster(version, all);
    }

    private ClusterStatus status() {
        List<ClusterStatus.Guest> nodes = new ArrayList<>();
        nodes.add(new ClusterStatus.Guest(own, 0));
        guests.values().forEach(guest -> nodes.add(new ClusterStatus.Guest(guest.card, millis(guest.silentTicks))));
        return new ClusterStatus(
                doing.run(),
                Optional.ofNullable(closed).orElse(doing.stage()),
                doing.step(),
                doing.steps(),
                millis(ticks),
                nodes,
                List.copyOf(desksNow.values()));
    }

    private long millis(long count) {
        return limits.heartbeatEvery().multipliedBy(count).toMillis();
    }
}
