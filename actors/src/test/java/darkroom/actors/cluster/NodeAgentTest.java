package darkroom.actors.cluster;

import static org.assertj.core.api.Assertions.assertThat;

import darkroom.actors.device.HeldDevice;
import darkroom.actors.device.LeaseId;
import darkroom.actors.device.RolloutResult;
import darkroom.actors.device.RolloutUnit;
import darkroom.actors.device.ScoreOutcome;
import darkroom.actors.device.ScoreUnit;
import darkroom.actors.device.SimulatedDevices;
import darkroom.actors.device.TrainUnit;
import darkroom.actors.device.Trained;
import darkroom.actors.events.NodeCard;
import darkroom.actors.events.NodeEvent;
import darkroom.actors.events.WorkQueueEvent;
import darkroom.actors.run.SimulatedNetwork;
import darkroom.actors.run.SimulatedWorld;
import darkroom.actors.workqueue.DevicePool;
import darkroom.actors.workqueue.DeviceSlot;
import darkroom.actors.workqueue.LeasedWorker;
import darkroom.actors.workqueue.ReportBatcher;
import darkroom.actors.workqueue.WorkQueue;
import darkroom.actors.workqueue.WorkQueueBench;
import darkroom.actors.workqueue.WorkQueues;
import darkroom.tensors.OffHeapTensorStore;
import darkroom.tensors.TensorRef;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicBoolean;
import org.apache.pekko.actor.testkit.typed.javadsl.TestInbox;
import org.apache.pekko.actor.typed.ActorRef;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** Tests an agent at scripted node registries, with one trainer whose queue belongs to the test. */
class NodeAgentTest {
    private static final Duration BEAT = WorkQueueBench.LIMITS.heartbeatEvery();
    private static final int DRAIN_BEATS = 6;
    private static final NodeCard CARD = NodeRegistryTest.card("one");

    private final SimulatedWorld world = new SimulatedWorld(1);
    private final OffHeapTensorStore store = new OffHeapTensorStore("one", 1 << 20);
    private final SimulatedDevices devices = new SimulatedDevices(store, 4, Runnable::run);
    private final TestInbox<WorkQueue.Command<RolloutUnit, RolloutResult>> rolloutQueue = TestInbox.create();
    private final TestInbox<WorkQueue.Command<ScoreUnit, ScoreOutcome>> scoreQueue = TestInbox.create();
    private final Door first = new Door();
    private final Home home = new Home();
    private final ActorRef<NodeAgent.Command> agent = world.spawn(
            NodeAgent.create(
                    CARD,
                    WorkQueueBench.LIMITS,
                    BEAT.multipliedBy(DRAIN_BEATS),
                    Optional.empty(),
                    home,
                    store::release),
            "agent");
    private final AtomicBoolean gone = world.gone(agent);

    @AfterEach
    void endOfTheWorld() {
        world.close();
    }

    /** A node registry and the queue of its run. */
    private final class Door {
        final TestInbox<NodeRegistry.Command> registry = TestInbox.create();
        final TestInbox<WorkQueue.Command<TrainUnit, Trained>> trainQueue = TestInbox.create();

        void isThere() {
            agent.tell(new NodeAgent.RegistryAt(Optional.of(registry.getRef())));
        }

        void lets(Roster roster) {
            WorkQueues queues = new WorkQueues(rolloutQueue.getRef(), scoreQueue.getRef(), trainQueue.getRef());
            agent.tell(new NodeAgent.Welcome("the settings", queues, roster));
        }

        List<NodeRegistry.Command> heard() {
            world.settle();
            return registry.getAllReceived();
        }

        /** The worker that sends heartbeats to the queue. */
        List<ActorRef<LeasedWorker.Command<TrainUnit, Trained>>> workers() {
            world.pass(BEAT.dividedBy(ReportBatcher.BEAT_PARTS));
            List<ActorRef<LeasedWorker.Command<TrainUnit, Trained>>> workers = new ArrayList<>();
            for (WorkQueue.WorkerReport<TrainUnit, Trained> word : words()) {
                if (word instanceof WorkQueue.Heartbeat<TrainUnit, Trained> beat && !workers.contains(beat.worker())) {
                    workers.add(beat.worker());
                }
            }
            return workers;
        }

        List<WorkQueue.WorkerReport<TrainUnit, Trained>> words() {
            List<WorkQueue.WorkerReport<TrainUnit, Trained>> words = new ArrayList<>();
            for (WorkQueue.Command<TrainUnit, Trained> command : trainQueue.getAllReceived()) {
                switch (command) {
                    case WorkQueue.WorkerReports<TrainUnit, Trained>(
                            List<WorkQueue.WorkerReport<TrainUnit, Trained>> several) -> words.addAll(several);
                    case WorkQueue.WorkerReport<TrainUnit, Trained> one -> words.add(one);
                    default -> throw new AssertionError(command);
                }
            }
            return words;
        }
    }

    /** The agent's requests to its node. */
    private final class Home implements NodeAgent.Host {
        final List<String> devicePools = new ArrayList<>();
        final List<Long> rosters = new ArrayList<>();
        final List<String> over = new ArrayList<>();
        final List<NodeAgent.Ending> endings = new ArrayList<>();
        final HeldDevice<TrainUnit, Trained> device = new HeldDevice<>(devices.trainer(), 1);
        boolean broken;

        /** Bytes that units read, which are not results. */
        long bytesOfInputs;

        @Override
        public DevicePool devicePool(String settings) {
            if (broken) {
                throw new IllegalStateException("no such device");
            }
            devicePools.add(settings);
            return new DevicePool(List.of(), List.of(), List.of(new DeviceSlot<>("trainer-0", () -> device)));
        }

        @Override
        public void peers(Roster roster) {
            rosters.add(roster.version());
        }

        @Override
        public void stepOver(String run, int step) {
            over.add(run + " " + step);
        }

        @Override
        public long bytesHeld() {
            return store.bytesHeld() - bytesOfInputs;
        }

        @Override
        public void ended(NodeAgent.Ending ending) {
            endings.add(ending);
        }
    }

    private static Roster roster(long version) {
        return new Roster(version, SimulatedNetwork.peers("control", "one"));
    }

    private NodeRegistry.Join join() {
        return new NodeRegistry.Join(CARD, agent);
    }

    private NodeRegistry.Present present(long roster) {
        return new NodeRegistry.Present("one", roster, 0, agent);
    }

    private TensorRef tensor() {
        return store.put(TensorRef.ElementType.FLOAT32, List.of(4), _ -> {});
    }

    private TrainUnit unit() {
        return new TrainUnit.GradientBlock("run", 1, 0, 0, 0, devices.learner(1), List.of(List.of()), 1);
    }

    private void letIn() {
        first.isThere();
        first.lets(roster(2));
        world.settle();
    }

    /** NA-1. */
    @Test
    void it_asks_until_it_is_let_in_and_then_says_at_every_beat_that_it_is_there() {
        world.pass(BEAT);
        first.isThere();
        assertThat(first.heard()).containsExactly(join());
        world.pass(BEAT);
        world.pass(BEAT);
        assertThat(first.heard()).containsExactly(join(), join());
        assertThat(home.devicePools).isEmpty();
        first.lets(roster(2));
        world.settle();
        assertThat(home.devicePools).containsExactly("the settings");
        assertThat(home.rosters).containsExactly(2L);
        world.pass(BEAT);
        assertThat(first.heard()).containsExactly(present(2));
        assertThat(first.workers()).hasSize(1);
    }

    /** NA-1, NA-4. */
    @Test
    void it_ends_when_it_is_turned_away() {
        first.isThere();
        agent.tell(new NodeAgent.Refused("full"));
        world.settle();
        assertThat(home.endings).containsExactly(new NodeAgent.Ending.Refused("full"));
        assertThat(gone).isTrue();
    }

    /** NA-2. */
    @Test
    void a_registry_that_has_forgotten_it_is_asked_again_and_its_workers_stay() {
        letIn();
        List<ActorRef<LeasedWorker.Command<TrainUnit, Trained>>> workers = first.workers();
        first.heard();
        agent.tell(new NodeAgent.JoinAgain());
        world.pass(BEAT);
        assertThat(first.heard()).containsExactly(join());
        first.lets(roster(5));
        world.pass(BEAT);
        assertThat(first.heard()).containsExactly(present(5));
        assertThat(home.devicePools).hasSize(1);
        assertThat(first.workers()).isEqualTo(workers);
    }

    /** NA-2. */
    @Test
    void at_another_registry_it_asks_again_and_works_for_the_queues_of_that_one_only() {
        letIn();
        first.workers();
        Door second = new Door();
        second.isThere();
        assertThat(second.heard()).containsExactly(join());
        second.lets(roster(1));
        world.settle();
        first.workers();
        world.pass(BEAT);
        assertThat(second.heard()).containsExactly(present(1));
        assertThat(home.rosters).as("another registry counts for itself").containsExactly(2L, 1L);
        assertThat(home.devicePools).hasSize(2);
        assertThat(second.workers()).hasSize(1);
        assertThat(first.workers()).isEmpty();
    }

    /** NA-2: messages overtake each other. */
    @Test
    void of_one_registry_it_believes_the_newest_roster_only() {
        letIn();
        agent.tell(new NodeAgent.RosterIs(roster(4)));
        agent.tell(new NodeAgent.RosterIs(roster(3)));
        first.lets(roster(2));
        world.settle();
        assertThat(home.rosters).containsExactly(2L, 4L);
        first.heard();
        world.pass(BEAT);
        assertThat(first.heard()).containsExactly(present(4));
    }

    /** NA-2: while no node registry is known, no messages are sent, and the work continues. */
    @Test
    void without_a_registry_its_workers_go_on() {
        letIn();
        agent.tell(new NodeAgent.RegistryAt(Optional.empty()));
        first.heard();
        first.workers();
        world.pass(BEAT);
        assertThat(first.heard()).isEmpty();
        assertThat(first.workers()).hasSize(1);
        first.isThere();
        assertThat(first.heard()).containsExactly(join());
    }

    /** NA-3. */
    @Test
    void a_node_that_leaves_finishes_what_it_has_and_waits_until_its_results_are_taken_over() {
        letIn();
        TrainUnit unit = unit();
        home.bytesOfInputs = store.bytesHeld();
        first.workers().getFirst().tell(new LeasedWorker.Perform<>(new LeaseId(1), unit));
        agent.tell(new NodeAgent.Leave("told to"));
        world.pass(BEAT);
        assertThat(home.endings).as("it is at work").isEmpty();
        home.device.letOneGo();
        world.settle();
        TensorRef result = first.words().stream()
                .filter(WorkQueue.Finished.class::isInstance)
                .map(finished -> ((WorkQueue.Finished<?, ?>) finished)
                        .results()
                        .getFirst()
                        .result()
                        .tensors()
                        .getFirst())
                .toList()
                .getFirst();
        world.pass(BEAT);
        assertThat(home.endings).as("its result is here only").isEmpty();
        store.release(result);
        first.heard();
        world.pass(BEAT);
        assertThat(home.endings).containsExactly(new NodeAgent.Ending.Left("told to"));
        assertThat(first.heard()).contains(new NodeRegistry.Leaving("one", NodeEvent.Departure.ASKED, "told to"));
        assertThat(gone).isTrue();
    }

    /** NA-3: it waits for its results no longer than the limit, however often it learns of the node registry. */
    @Test
    void a_node_that_leaves_waits_for_its_drain_time_at_most_and_not_less() {
        letIn();
        tensor();
        agent.tell(new NodeAgent.Leave("told to"));
        agent.tell(new NodeAgent.Leave("told again"));
        for (int beat = 1; beat < DRAIN_BEATS; beat++) {
            first.isThere();
            world.pass(BEAT);
            assertThat(home.endings).as("after %d beats", beat).isEmpty();
        }
        world.pass(BEAT);
        assertThat(home.endings).containsExactly(new NodeAgent.Ending.Left("told to"));
    }

    /** NA-5: nobody will take over its results. */
    @Test
    void a_node_that_is_dismissed_goes_at_once_even_while_it_leaves() {
        letIn();
        tensor();
        agent.tell(new NodeAgent.Leave("told to"));
        world.pass(BEAT);
        assertThat(home.endings).isEmpty();
        agent.tell(new NodeAgent.Dismissed("the run has ended"));
        world.settle();
        assertThat(home.endings).containsExactly(new NodeAgent.Ending.Left("told to"));
    }

    /** NA-3. */
    @Test
    void a_node_that_was_never_let_in_leaves_at_once() {
        agent.tell(new NodeAgent.Leave("told to"));
        world.settle();
        assertThat(home.endings).containsExactly(new NodeAgent.Ending.Left("told to"));
    }

    /** NA-3: a node that leaves stays reachable, and takes no new work. */
    @Test
    void a_node_that_leaves_and_is_forgotten_joins_again_without_workers() {
        letIn();
        tensor();
        agent.tell(new NodeAgent.Leave("told to"));
        agent.tell(new NodeAgent.JoinAgain());
        first.heard();
        world.pass(BEAT);
        assertThat(first.heard()).containsExactly(join());
        new Door().lets(roster(9));
        world.settle();
        assertThat(home.devicePools).hasSize(1);
    }

    /** NA-4. */
    @Test
    void a_node_that_cannot_make_its_device_pool_says_so_and_ends() {
        home.broken = true;
        letIn();
        assertThat(home.endings)
                .containsExactly(new NodeAgent.Ending.Refused("its device pool could not be made: no such device"));
        assertThat(first.heard())
                .endsWith(new NodeRegistry.Leaving(
                        "one", NodeEvent.Departure.NO_DEVICES, "its device pool could not be made: no such device"));
        assertThat(gone).isTrue();
    }

    /** NR-6, SW-1. */
    @Test
    void the_node_is_told_which_steps_are_over() {
        letIn();
        agent.tell(new NodeAgent.StepsOver(1, List.of(new NodeAgent.StepOver("run", 3))));
        world.settle();
        assertThat(home.over).containsExactly("run 3");
    }

    @Test
    void the_registry_hears_what_a_scorer_of_the_node_measured() {
        letIn();
        first.heard();
        WorkQueueEvent measured = new WorkQueueEvent.NoiseMeasured("score", "10.0.0.2:8000", 16, .5, .01, .03);
        agent.tell(new NodeAgent.Tell(measured));
        world.settle();
        assertThat(first.heard()).containsExactly(new NodeRegistry.WorkerIssue(measured));
    }

    /** NA-6. */
    @Test
    void a_registry_that_is_silent_is_not_waited_for_where_there_may_be_another() {
        int beats = 8;
        Home elsewhere = new Home();
        ActorRef<NodeAgent.Command> other = world.spawn(
                NodeAgent.create(
                        CARD,
                        WorkQueueBench.LIMITS,
                        BEAT.multipliedBy(DRAIN_BEATS),
                        Optional.of(BEAT.multipliedBy(beats)),
                        elsewhere,
                        store::release),
                "other");
        other.tell(new NodeAgent.RegistryAt(Optional.of(first.registry.getRef())));
        other.tell(new NodeAgent.Welcome(
                "the settings",
                new WorkQueues(rolloutQueue.getRef(), scoreQueue.getRef(), first.trainQueue.getRef()),
                roster(2)));
        world.settle();
        for (int round = 0; round < 3; round++) {
            world.pass(BEAT.multipliedBy(beats - 1));
            assertThat(elsewhere.endings).isEmpty();
            assertThat(first.heard()).as("asks for an answer").contains(new NodeRegistry.Present("one", 0, 0, other));
            other.tell(new NodeAgent.RosterIs(roster(2)));
            world.settle();
        }
        world.pass(BEAT.multipliedBy(beats + 1));
        assertThat(elsewhere.endings)
                .singleElement()
                .isInstanceOfSatisfying(NodeAgent.Ending.RegistrySilent.class, silent -> assertThat(silent.why())
                        .contains("the control node was silent for"));
    }
}
