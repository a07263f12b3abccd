package darkroom.actors.cluster;

import darkroom.actors.device.WireMessage;
import darkroom.actors.events.NodeCard;
import darkroom.actors.events.NodeEvent;
import darkroom.actors.events.RunEvent;
import darkroom.actors.events.WorkQueueEvent;
import darkroom.actors.workqueue.SwitchBehavior;
import darkroom.actors.workqueue.WorkQueue;
import darkroom.actors.workqueue.WorkQueueReport;
import darkroom.actors.workqueue.WorkQueues;
import darkroom.config.LimitSettings;
import darkroom.tensors.PlanePeer;
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
 * The node registry of a run, on its control node: admits nodes, announces the roster, and detects silent nodes.
 *
 * <p>It assigns no work, which is done by leases; it announces whose tensors are still available. Time is counted in ticks
 * of its own timer, like that of a {@link WorkQueue}.
 *
 * <ul>
 *   <li><b>NR-1</b> A node that asks is admitted, or refused with a reason; asking twice changes nothing. Asking counts as
 *       a sign that the node is alive.
 *   <li><b>NR-2</b> A node that was silent for {@code cluster.node-silent-after} is removed from the roster; at its next
 *       message it is asked to join again.
 *   <li><b>NR-3</b> A node with an old roster gets the new one within one of its own heartbeats, whatever messages were
 *       lost.
 *   <li><b>NR-4</b> At most {@value #NODES_MAX} nodes are admitted.
 *   <li><b>NR-5</b> A closed node registry dismisses every node, and again at each of its messages.
 *   <li><b>NR-6</b> The completed steps have a version and are one message. A node with an old version gets the newest one
 *       within one of its own heartbeats; a node with the newest gets none. At most {@value #RUNS_MAX} runs are kept;
 *       completed runs are forgotten first.
 * </ul>
 */
public final class NodeRegistry extends SwitchBehavior<NodeRegistry.Command> {
    static final int NODES_MAX = 1024;
    static final int RUNS_MAX = 16;

    /** Actor name below the guardian, by which nodes find the node registry. */
    public static final String NAME = "gate";

    /** Messages to a node registry. */
    public sealed interface Command {}

    /** Asks for admission. Repeated until it is answered. */
    public record Join(NodeCard card, ActorRef<NodeAgent.Command> agent) implements Command, WireMessage {}

    /**
     * Heartbeat of a node, sent every {@code limits.heartbeat-every}.
     *
     * @param roster version of the roster that it knows
     * @param over version of the {@link NodeAgent.StepsOver} that it knows; 0 for none
     */
    public record Present(String node, long roster, long over, ActorRef<NodeAgent.Command> agent)
            implements Command, WireMessage {}

    /**
     * Announces that the node leaves. One that was asked to has handed over its results.
     *
     * @param why for people
     */
    public record Leaving(String node, NodeEvent.Departure departure, String why) implements Command, WireMessage {}

    /** Marks the units of {@code run} before {@code step} as completed, on all nodes. */
    public record StepOver(String run, int step) implements Command {}

    /** Reports a problem of a node's worker that only its worker supervisor sees. */
    public record WorkerIssue(WorkQueueEvent event) implements Command, WireMessage {}

    /** Requests the status for {@code darkroom status}, from any node. */
    public record GetStatus(ActorRef<ClusterStatus> replyTo) implements Command, WireMessage {}

    /** Updates the run's current activity. */
    public record Doing(String run, String stage, int step, int steps) implements Command {}

    /** Closes the node registry; nothing more will be done here (NR-5). */
    public record Close(String why) implements Command {}

    private record Tick() implements Command {}

    private record Reported(WorkQueueReport report) implements Command {}

    private final NodeCard own;
    private final String settings;
    private final WorkQueues queues;
    private final LimitSettings limits;
    private final Duration silentAfter;
    private final Consumer<List<PlanePeer>> peers;
    private final ActorRef<RunEvent> events;
    private final ActorRef<WorkQueueReport> reports;
    private final Map<String, Member> members = new LinkedHashMap<>();
    private final Map<String, WorkQueueReport> queuesNow = new LinkedHashMap<>();
    private final SequencedMap<String, Integer> over = new LinkedHashMap<>();
    private long overVersion;
    private Doing doing = new Doing("", "preparing", 0, 0);
    private long version;
    private long ticks;
    private @Nullable String closed;

    private static final class Member {
        final NodeCard card;
        ActorRef<NodeAgent.Command> agent;
        int silentTicks;

        Member(NodeCard card, ActorRef<NodeAgent.Command> agent) {
            this.card = card;
            this.agent = agent;
        }

        void hear(ActorRef<NodeAgent.Command> from) {
            agent = from;
            silentTicks = 0;
        }
    }

    private NodeRegistry(
            ActorContext<Command> context,
            NodeCard own,
            String settings,
            WorkQueues queues,
            LimitSettings limits,
            Duration silentAfter,
            Consumer<List<PlanePeer>> peers,
            ActorRef<RunEvent> events) {
        this.own = own;
        this.settings = settings;
        this.queues = queues;
        this.limits = limits;
        this.silentAfter = silentAfter;
        this.peers = peers;
        this.events = events;
        this.reports = context.messageAdapter(WorkQueueReport.class, Reported::new);
        changed();
    }

    /**
     * Creates a node registry.
     *
     * @param own the control node itself
     * @param settings of the run, resolved, as text: nodes bring none of their own
     * @param silentAfter {@code cluster.node-silent-after}
     * @param peers receives the whole roster whenever it changes: the control node's tensor plane
     */
    public static Behavior<Command> create(
            NodeCard own,
            String settings,
            WorkQueues queues,
            LimitSettings limits,
            Duration silentAfter,
            Consumer<List<PlanePeer>> peers,
            ActorRef<RunEvent> events) {
        return Behaviors.setup(context -> Behaviors.withTimers(timers -> {
            timers.startTimerWithFixedDelay(new Tick(), limits.heartbeatEvery());
            return new NodeRegistry(context, own, settings, queues, limits, silentAfter, peers, events);
        }));
    }

    @Override
    public Behavior<Command> onMessage(Command command) {
        switch (command) {
            case Join(NodeCard card, ActorRef<NodeAgent.Command> agent) -> onJoin(card, agent);
            case Present present -> onPresent(present);
            case Leaving(String node, NodeEvent.Departure departure, String why) -> onGone(node, departure, why);
            case StepOver(String run, int step) -> onStepOver(run, step);
            case WorkerIssue(WorkQueueEvent event) -> events.tell(event);
            case GetStatus(ActorRef<ClusterStatus> replyTo) -> replyTo.tell(status());
            case Doing now -> doing = now;
            case Close(String why) -> {
                closed = why;
                tellAll(new NodeAgent.Dismissed(why)); // NR-5
            }
            case Tick() -> onTick();
            case Reported(WorkQueueReport report) -> queuesNow.put(report.role(), report);
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

    /** Returns the run to forget: a completed one, or else the least recently updated. */
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
        Member known = members.get(card.name());
        if (known == null) {
            if (members.size() >= NODES_MAX) {
                agent.tell(new NodeAgent.Refused(
                        "%s already has %d nodes, the most that it lets in".formatted(own.name(), NODES_MAX))); // NR-4
                return;
            }
            members.put(card.name(), new Member(card, agent));
            changed();
            events.tell(new NodeEvent.NodeJoined(card, members.size() + 1));
            if (!card.processor().equals(own.processor())) {
                events.tell(new NodeEvent.MixedProcessors(card, own.processor()));
            }
        } else {
            known.hear(agent); // NR-1
        }
        agent.tell(new NodeAgent.Welcome(settings, queues, roster())); // NR-1
    }

    private void onPresent(Present present) {
        Member member = members.get(present.node());
        ActorRef<NodeAgent.Command> agent = present.agent();
        if (member == null) {
            agent.tell(closed == null ? new NodeAgent.JoinAgain() : new NodeAgent.Dismissed(closed)); // NR-2
            return;
        }
        member.hear(agent);
        if (present.over() != overVersion) {
            agent.tell(stepsOver()); // NR-6
        }
        if (closed != null) {
            agent.tell(new NodeAgent.Dismissed(closed)); // NR-5
        }
        if (present.roster() != version) {
            agent.tell(new NodeAgent.RosterIs(roster())); // NR-3
        }
    }

    private void onGone(String node, NodeEvent.Departure departure, String why) {
        Member member = members.remove(node);
        if (member != null) {
            changed();
            events.tell(new NodeEvent.NodeLeft(member.card, departure, why, members.size() + 1));
        }
    }

    private void onTick() {
        ticks++;
        long silentMax = Math.max(1, silentAfter.dividedBy(limits.heartbeatEvery()));
        for (Member member : List.copyOf(members.values())) {
            if (++member.silentTicks >= silentMax) { // NR-2
                onGone(member.card.name(), NodeEvent.Departure.SILENT, "silent for " + silentAfter.toMillis() + " ms");
            }
        }
        queues.rollout().tell(new WorkQueue.Report<>(reports));
        queues.score().tell(new WorkQueue.Report<>(reports));
        queues.train().tell(new WorkQueue.Report<>(reports));
    }

    private void changed() {
        version++;
        Roster roster = roster();
        peers.accept(roster.peers());
        tellAll(new NodeAgent.RosterIs(roster));
    }

    private void tellAll(NodeAgent.Command word) {
        members.values().forEach(member -> member.agent.tell(word));
    }

    private Roster roster() {
        List<PlanePeer> all = new ArrayList<>();
        all.add(own.plane());
        members.values().forEach(member -> all.add(member.card.plane()));
        return new Roster(version, all);
    }

    private ClusterStatus status() {
        List<ClusterStatus.Member> nodes = new ArrayList<>();
        nodes.add(new ClusterStatus.Member(own, 0));
        members.values()
                .forEach(member -> nodes.add(new ClusterStatus.Member(member.card, millis(member.silentTicks))));
        return new ClusterStatus(
                doing.run(),
                Optional.ofNullable(closed).orElse(doing.stage()),
                doing.step(),
                doing.steps(),
                millis(ticks),
                nodes,
                List.copyOf(queuesNow.values()));
    }

    private long millis(long count) {
        return limits.heartbeatEvery().multipliedBy(count).toMillis();
    }
}
