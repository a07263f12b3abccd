package darkroom.actors;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicBoolean;
import org.apache.pekko.actor.testkit.typed.javadsl.TestInbox;
import org.apache.pekko.actor.typed.ActorRef;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** An agent at gates that answer what the test says, with one trainer whose desk is the test's. */
class NodeAgentTest {
    private static final Duration BEAT = DeskBench.LIMITS.heartbeatEvery();
    private static final int DRAIN_BEATS = 6;
    private static final NodeCard CARD = GateTest.card("one");

    private final SimulatedWorld world = new SimulatedWorld(1);
    private final OffHeapTensorStore store = new OffHeapTensorStore("one", 1 << 20);
    private final SimulatedDevices devices = new SimulatedDevices(store, 4, Runnable::run);
    private final TestInbox<WorkDesk.Command<DrawUnit, Drawn>> drawDesk = TestInbox.create();
    private final TestInbox<WorkDesk.Command<ScoreUnit, ScoreOutcome>> scoreDesk = TestInbox.create();
    private final Door first = new Door();
    private final Home home = new Home();
    private final ActorRef<NodeAgent.Command> agent = world.spawn(
            NodeAgent.create(
                    CARD, DeskBench.LIMITS, BEAT.multipliedBy(DRAIN_BEATS), Optional.empty(), home, store::release),
            "agent");
    private final AtomicBoolean gone = world.gone(agent);

    @AfterEach
    void endOfTheWorld() {
        world.close();
    }

    /** A gate and the desk of its run. */
    private final class Door {
        final TestInbox<Gate.Command> gate = TestInbox.create();
        final TestInbox<WorkDesk.Command<TrainUnit, Trained>> trainDesk = TestInbox.create();

        void isThere() {
            agent.tell(new NodeAgent.GateAt(Optional.of(gate.getRef())));
        }

        void lets(Roster roster) {
            Desks desks = new Desks(drawDesk.getRef(), scoreDesk.getRef(), trainDesk.getRef());
            agent.tell(new NodeAgent.Welcome("the settings", desks, roster));
        }

        List<Gate.Command> heard() {
            world.settle();
            return gate.getAllReceived();
        }

        /** The worker that beats at the desk. */
        List<ActorRef<LeasedWorker.Command<TrainUnit, Trained>>> workers() {
            world.pass(BEAT.dividedBy(Courier.BEAT_PARTS));
            List<ActorRef<LeasedWorker.Command<TrainUnit, Trained>>> workers = new ArrayList<>();
            for (WorkDesk.Word<TrainUnit, Trained> word : words()) {
                if (word instanceof WorkDesk.Heartbeat<TrainUnit, Trained> beat && !workers.contains(beat.worker())) {
                    workers.add(beat.worker());
                }
            }
            return workers;
        }

        List<WorkDesk.Word<TrainUnit, Trained>> words() {
            List<WorkDesk.Word<TrainUnit, Trained>> words = new ArrayList<>();
            for (WorkDesk.Command<TrainUnit, Trained> command : trainDesk.getAllReceived()) {
                switch (command) {
                    case WorkDesk.Words<TrainUnit, Trained>(List<WorkDesk.Word<TrainUnit, Trained>> several) ->
                        words.addAll(several);
                    case WorkDesk.Word<TrainUnit, Trained> one -> words.add(one);
                    default -> throw new AssertionError(command);
                }
            }
            return words;
        }
    }

    /** What the agent asked of its node. */
    private final class Home implements NodeAgent.Host {
        final List<String> crews = new ArrayList<>();
        final List<Long> rosters = new ArrayList<>();
        final List<String> over = new ArrayList<>();
        final List<NodeAgent.Ending> endings = new ArrayList<>();
        final HeldDevice<TrainUnit, Trained> device = new HeldDevice<>(devices.trainer(), 1);
        boolean broken;

        /** Of what units read: no results. */
        long bytesOfInputs;

        @Override
        public Crew crew(String settings) {
            if (broken) {
                throw new IllegalStateException("no such device");
            }
            crews.add(settings);
            return new Crew(List.of(), List.of(), List.of(new DeviceSeat<>("trainer-0", () -> device)));
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

    private Gate.Join join() {
        return new Gate.Join(CARD, agent);
    }

    private Gate.Present present(long roster) {
        return new Gate.Present("one", roster, 0, agent);
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
        assertThat(home.crews).isEmpty();
        first.lets(roster(2));
        world.settle();
        assertThat(home.crews).containsExactly("the settings");
        assertThat(home.rosters).containsExactly(2L);
        world.pass(BEAT);
        assertThat(first.heard()).containsExactly(present(2));
        assertThat(first.workers()).hasSize(1);
    }

    /** NA-1, NA-4. */
    @Test
    void it_ends_when_it_is_turned_away() {
        first.isThere();
        agent.tell(new NodeAgent.TurnedAway("full"));
        world.settle();
        assertThat(home.endings).containsExactly(new NodeAgent.Ending.Refused("full"));
        assertThat(gone).isTrue();
    }

    /** NA-2. */
    @Test
    void a_gate_that_has_forgotten_it_is_asked_again_and_its_workers_stay() {
        letIn();
        List<ActorRef<LeasedWorker.Command<TrainUnit, Trained>>> workers = first.workers();
        first.heard();
        agent.tell(new NodeAgent.JoinAgain());
        world.pass(BEAT);
        assertThat(first.heard()).containsExactly(join());
        first.lets(roster(5));
        world.pass(BEAT);
        assertThat(first.heard()).containsExactly(present(5));
        assertThat(home.crews).hasSize(1);
        assertThat(first.workers()).isEqualTo(workers);
    }

    /** NA-2. */
    @Test
    void at_another_gate_it_asks_again_and_works_for_the_desks_of_that_one_only() {
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
        assertThat(home.rosters).as("another gate counts for itself").containsExactly(2L, 1L);
        assertThat(home.crews).hasSize(2);
        assertThat(second.workers()).hasSize(1);
        assertThat(first.workers()).isEmpty();
    }

    /** NA-2: messages overtake each other. */
    @Test
    void of_one_gate_it_believes_the_newest_roster_only() {
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

    /** NA-2: where no gate is known, nobody is spoken to, and the work goes on. */
    @Test
    void without_a_gate_its_workers_go_on() {
        letIn();
        agent.tell(new NodeAgent.GateAt(Optional.empty()));
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
                .filter(WorkDesk.Finished.class::isInstance)
                .map(finished -> ((WorkDesk.Finished<?, ?>) finished)
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
        assertThat(first.heard()).contains(new Gate.Leaving("one", "told to"));
        assertThat(gone).isTrue();
    }

    /** NA-3: for its results it waits no longer than the limit, however often it is told where the gate is. */
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

    /** NA-5: nobody will take over what it has. */
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
        assertThat(home.crews).hasSize(1);
    }

    /** NA-4. */
    @Test
    void a_node_that_cannot_make_its_crew_says_so_and_ends() {
        home.broken = true;
        letIn();
        assertThat(home.endings)
                .containsExactly(new NodeAgent.Ending.Refused("its crew could not be made: no such device"));
        assertThat(first.heard()).endsWith(new Gate.Leaving("one", "its crew could not be made: no such device"));
        assertThat(gone).isTrue();
    }

    /** GT-6, SW-1. */
    @Test
    void the_node_is_told_which_steps_are_over() {
        letIn();
        agent.tell(new NodeAgent.StepsOver(1, List.of(new NodeAgent.StepOver("run", 3))));
        world.settle();
        assertThat(home.over).containsExactly("run 3");
    }

    @Test
    void the_gate_hears_what_a_scorer_of_the_node_measured() {
        letIn();
        first.heard();
        DeskEvent measured = new DeskEvent.NoiseMeasured("score", "10.0.0.2:8000", 16, .5, .01, .03);
        agent.tell(new NodeAgent.Tell(measured));
        world.settle();
        assertThat(first.heard()).containsExactly(new Gate.Ails(measured));
    }

    /** NA-6. */
    @Test
    void a_gate_that_is_silent_is_not_waited_for_where_there_may_be_another() {
        int beats = 8;
        Home elsewhere = new Home();
        ActorRef<NodeAgent.Command> other = world.spawn(
                NodeAgent.create(
                        CARD,
                        DeskBench.LIMITS,
                        BEAT.multipliedBy(DRAIN_BEATS),
                        Optional.of(BEAT.multipliedBy(beats)),
                        elsewhere,
                        store::release),
                "other");
        other.tell(new NodeAgent.GateAt(Optional.of(first.gate.getRef())));
        other.tell(new NodeAgent.Welcome(
                "the settings", new Desks(drawDesk.getRef(), scoreDesk.getRef(), first.trainDesk.getRef()), roster(2)));
        world.settle();
        for (int round = 0; round < 3; round++) {
            world.pass(BEAT.multipliedBy(beats - 1));
            assertThat(elsewhere.endings).isEmpty();
            assertThat(first.heard()).as("asks for an answer").contains(new Gate.Present("one", 0, 0, other));
            other.tell(new NodeAgent.RosterIs(roster(2)));
            world.settle();
        }
        world.pass(BEAT.multipliedBy(beats + 1));
        assertThat(elsewhere.endings)
                .singleElement()
                .isInstanceOfSatisfying(NodeAgent.Ending.GateSilent.class, silent -> assertThat(silent.why())
                        .contains("the control node was silent for"));
    }
}
