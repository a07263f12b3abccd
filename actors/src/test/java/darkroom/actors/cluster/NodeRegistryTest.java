package darkroom.actors.cluster;

import static java.util.Objects.requireNonNull;
import static org.assertj.core.api.Assertions.assertThat;

import darkroom.actors.device.RolloutResult;
import darkroom.actors.device.RolloutUnit;
import darkroom.actors.device.ScoreOutcome;
import darkroom.actors.device.ScoreUnit;
import darkroom.actors.device.TrainUnit;
import darkroom.actors.device.Trained;
import darkroom.actors.events.NodeCard;
import darkroom.actors.events.NodeEvent;
import darkroom.actors.events.RunEvent;
import darkroom.actors.events.WorkQueueEvent;
import darkroom.actors.run.SimulatedNetwork;
import darkroom.actors.run.SimulatedWorld;
import darkroom.actors.workqueue.WorkQueue;
import darkroom.actors.workqueue.WorkQueueBench;
import darkroom.actors.workqueue.WorkQueueReport;
import darkroom.actors.workqueue.WorkQueues;
import darkroom.tensors.PlanePeer;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.apache.pekko.actor.testkit.typed.javadsl.TestInbox;
import org.apache.pekko.actor.typed.ActorRef;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** Tests a node registry with scripted agents. */
class NodeRegistryTest {
    private static final Duration BEAT = WorkQueueBench.LIMITS.heartbeatEvery();
    private static final int SILENT_BEATS = 5;

    private final SimulatedWorld world = new SimulatedWorld(1);
    private final TestInbox<WorkQueue.Command<RolloutUnit, RolloutResult>> rolloutQueue = TestInbox.create();
    private final TestInbox<WorkQueue.Command<ScoreUnit, ScoreOutcome>> scoreQueue = TestInbox.create();
    private final TestInbox<WorkQueue.Command<TrainUnit, Trained>> trainQueue = TestInbox.create();
    private final WorkQueues queues = new WorkQueues(rolloutQueue.getRef(), scoreQueue.getRef(), trainQueue.getRef());
    private final TestInbox<RunEvent> events = TestInbox.create();
    private final List<List<PlanePeer>> told = new ArrayList<>();
    private final ActorRef<NodeRegistry.Command> registry = world.spawn(
            NodeRegistry.create(
                    card("control"),
                    "the settings",
                    queues,
                    WorkQueueBench.LIMITS,
                    BEAT.multipliedBy(SILENT_BEATS),
                    told::add,
                    events.getRef()),
            "gate");

    @AfterEach
    void endOfTheWorld() {
        world.close();
    }

    static NodeCard card(String name) {
        return new NodeCard(name, List.of("rollout"), "this processor", "build", SimulatedNetwork.peer(name), "");
    }

    /** A node, and the messages it received. */
    private final class Agent {
        final NodeCard card;
        final TestInbox<NodeAgent.Command> inbox = TestInbox.create();

        Agent(String name) {
            this(card(name));
        }

        Agent(NodeCard card) {
            this.card = card;
        }

        List<NodeAgent.Command> joins() {
            registry.tell(new NodeRegistry.Join(card, inbox.getRef()));
            return heard();
        }

        List<NodeAgent.Command> isPresent(long roster) {
            return isPresent(roster, 0);
        }

        List<NodeAgent.Command> isPresent(long roster, long over) {
            registry.tell(new NodeRegistry.Present(card.name(), roster, over, inbox.getRef()));
            return heard();
        }

        List<NodeAgent.Command> heard() {
            world.settle();
            return inbox.getAllReceived();
        }
    }

    private <E extends RunEvent> List<E> heard(Class<E> type) {
        world.settle();
        return events.getAllReceived().stream()
                .filter(type::isInstance)
                .map(type::cast)
                .toList();
    }

    private ClusterStatus status() {
        TestInbox<ClusterStatus> status = TestInbox.create();
        registry.tell(new NodeRegistry.GetStatus(status.getRef()));
        world.settle();
        return status.receiveMessage();
    }

    private static Roster roster(long version, String... nodes) {
        return new Roster(version, SimulatedNetwork.peers(nodes));
    }

    private static NodeAgent.RosterIs rosterIs(long version, String... nodes) {
        return new NodeAgent.RosterIs(roster(version, nodes));
    }

    private NodeAgent.Welcome welcome(long version, String... nodes) {
        return new NodeAgent.Welcome("the settings", queues, roster(version, nodes));
    }

    /** NR-1. */
    @Test
    void a_node_that_asks_is_let_in_and_asking_twice_changes_nothing() {
        Agent one = new Agent("one");
        assertThat(one.joins()).last().isEqualTo(welcome(2, "control", "one"));
        assertThat(one.joins()).containsExactly(welcome(2, "control", "one"));
        assertThat(heard(RunEvent.class)).containsExactly(new NodeEvent.NodeJoined(one.card, 2));
        assertThat(told).containsExactly(SimulatedNetwork.peers("control"), SimulatedNetwork.peers("control", "one"));
    }

    /** NR-1, NR-2: its answers are lost on the way. */
    @Test
    void a_node_that_goes_on_asking_is_heard_of() {
        Agent one = new Agent("one");
        for (int i = 0; i < 3 * SILENT_BEATS; i++) {
            one.joins();
            world.pass(BEAT);
        }
        assertThat(heard(NodeEvent.NodeLeft.class)).isEmpty();
    }

    /** P-1. */
    @Test
    void a_node_with_another_processor_is_let_in_and_reported() {
        NodeCard other = new NodeCard("one", List.of(), "other", "build", SimulatedNetwork.peer("one"), "");
        assertThat(new Agent(other).joins()).last().isInstanceOf(NodeAgent.Welcome.class);
        assertThat(heard(NodeEvent.MixedProcessors.class))
                .containsExactly(new NodeEvent.MixedProcessors(other, "this processor"));
    }

    /** NR-2. */
    @Test
    void a_node_that_is_not_heard_of_is_off_the_roster_and_is_asked_to_join_again() {
        Agent silent = new Agent("silent");
        Agent other = new Agent("other");
        silent.joins();
        other.joins();
        for (int i = 1; i < SILENT_BEATS; i++) {
            world.pass(BEAT);
            other.isPresent(3);
        }
        assertThat(heard(NodeEvent.NodeLeft.class)).isEmpty();
        assertThat(status().nodes().stream().map(ClusterStatus.Member::silentFor))
                .containsExactly(0L, BEAT.multipliedBy(SILENT_BEATS - 1).toMillis(), 0L);
        world.pass(BEAT);
        assertThat(heard(NodeEvent.NodeLeft.class))
                .containsExactly(
                        new NodeEvent.NodeLeft(silent.card, NodeEvent.Departure.SILENT, "silent for 50 ms", 2));
        assertThat(told.getLast()).isEqualTo(SimulatedNetwork.peers("control", "other"));
        assertThat(other.heard()).containsExactly(rosterIs(4, "control", "other"));
        silent.heard();
        assertThat(silent.isPresent(3)).containsExactly(new NodeAgent.JoinAgain());
        assertThat(silent.joins()).last().isEqualTo(welcome(5, "control", "other", "silent"));
    }

    /** NR-3. */
    @Test
    void whoever_has_an_old_roster_is_told_the_new_one_at_its_next_word() {
        Agent one = new Agent("one");
        one.joins();
        new Agent("two").joins();
        assertThat(one.heard()).containsExactly(rosterIs(3, "control", "one", "two"));
        assertThat(one.isPresent(2)).as("lost on the way").containsExactly(rosterIs(3, "control", "one", "two"));
        assertThat(one.isPresent(3)).isEmpty();
        registry.tell(new NodeRegistry.Leaving("two", NodeEvent.Departure.ASKED, "told to"));
        assertThat(one.heard()).containsExactly(rosterIs(4, "control", "one"));
        assertThat(heard(NodeEvent.NodeLeft.class))
                .containsExactly(new NodeEvent.NodeLeft(card("two"), NodeEvent.Departure.ASKED, "told to", 2));
    }

    /** NR-4, P-9. */
    @Test
    void the_node_that_is_one_too_many_is_turned_away_with_the_limit() {
        for (int i = 0; i < NodeRegistry.NODES_MAX; i++) {
            registry.tell(new NodeRegistry.Join(card("node-" + i), new Agent("any").inbox.getRef()));
        }
        world.settle();
        Agent tooMany = new Agent("too-many");
        assertThat(tooMany.joins())
                .containsExactly(new NodeAgent.Refused("control already has 1024 nodes, the most that it lets in"));
        assertThat(told.getLast()).hasSize(NodeRegistry.NODES_MAX + 1);
        registry.tell(new NodeRegistry.Leaving("node-3", NodeEvent.Departure.NO_DEVICES, "told to"));
        assertThat(tooMany.joins()).last().isInstanceOf(NodeAgent.Welcome.class);
    }

    /** NR-5: nodes that are present, that missed the message, that were forgotten, and that join. */
    @Test
    void a_closed_registry_tells_every_node_that_it_may_go_until_it_has_gone() {
        NodeAgent.Dismissed goHome = new NodeAgent.Dismissed("the run has ended");
        Agent one = new Agent("one");
        one.joins();
        registry.tell(new NodeRegistry.Close("the run has ended"));
        assertThat(one.heard()).containsExactly(goHome);
        assertThat(one.isPresent(2)).as("lost on the way").containsExactly(goHome);
        assertThat(new Agent("forgotten").isPresent(2)).containsExactly(goHome);
        assertThat(new Agent("late").joins()).containsExactly(goHome);
        assertThat(heard(NodeEvent.NodeJoined.class)).hasSize(1);
        assertThat(status().stage()).isEqualTo("the run has ended");
    }

    private static NodeAgent.StepOver over(String run, int step) {
        return new NodeAgent.StepOver(run, step);
    }

    /** NR-6. */
    @Test
    void which_steps_are_over_is_one_message_at_once_and_again_to_a_node_that_has_not_the_newest() {
        Agent one = new Agent("one");
        one.joins();
        registry.tell(new NodeRegistry.StepOver("run", 3));
        assertThat(one.heard()).containsExactly(new NodeAgent.StepsOver(1, List.of(over("run", 3))));
        registry.tell(new NodeRegistry.StepOver("evaluation", 7));
        registry.tell(new NodeRegistry.StepOver("run", 2));
        NodeAgent.StepsOver newest = new NodeAgent.StepsOver(2, List.of(over("run", 3), over("evaluation", 7)));
        assertThat(one.heard()).as("what changes nothing is sent to nobody").containsExactly(newest);
        assertThat(one.isPresent(2, 1)).as("lost on the way").containsExactly(newest);
        assertThat(one.isPresent(2, 2)).as("an idle node costs nothing").isEmpty();
    }

    /** NR-6, P-9. */
    @Test
    void of_many_evaluations_the_newest_are_told_of_and_the_run_is_not_forgotten() {
        Agent one = new Agent("one");
        one.joins();
        registry.tell(new NodeRegistry.StepOver("run", 3));
        for (int i = 0; i <= 2 * NodeRegistry.RUNS_MAX; i++) {
            registry.tell(new NodeRegistry.StepOver("evaluation-" + i, Integer.MAX_VALUE));
        }
        one.heard();
        assertThat(one.isPresent(2))
                .singleElement()
                .isInstanceOfSatisfying(NodeAgent.StepsOver.class, told -> assertThat(told.runs())
                        .hasSize(NodeRegistry.RUNS_MAX)
                        .contains(over("run", 3), over("evaluation-" + 2 * NodeRegistry.RUNS_MAX, Integer.MAX_VALUE))
                        .doesNotContain(over("evaluation-0", Integer.MAX_VALUE)));
    }

    @Test
    void the_status_says_what_the_run_does_who_is_there_and_what_the_queues_say() {
        Agent one = new Agent("one");
        one.joins();
        registry.tell(new NodeRegistry.Doing("run", "learning", 3, 9));
        world.pass(BEAT);
        WorkQueueReport report = new WorkQueueReport("train", 1, 2, 3, Optional.empty(), List.of());
        WorkQueue.Report<TrainUnit, Trained> asked = (WorkQueue.Report<TrainUnit, Trained>)
                requireNonNull(trainQueue.getAllReceived().getLast());
        asked.replyTo().tell(report);
        world.settle();
        assertThat(status())
                .isEqualTo(new ClusterStatus(
                        "run",
                        "learning",
                        3,
                        9,
                        10,
                        List.of(new ClusterStatus.Member(card("control"), 0), new ClusterStatus.Member(one.card, 10)),
                        List.of(report)));
    }

    @Test
    void what_troubles_a_worker_of_a_node_is_an_event_of_the_run() {
        WorkQueueEvent issue = new WorkQueueEvent.DeviceSlotFailing("one", "rollout-0", 10);
        registry.tell(new NodeRegistry.WorkerIssue(issue));
        assertThat(heard(WorkQueueEvent.class)).containsExactly(issue);
    }
}
