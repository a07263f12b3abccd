package darkroom.actors.run;

import static java.util.Objects.requireNonNull;
import static org.assertj.core.api.Assertions.assertThat;

import darkroom.actors.device.Fault;
import darkroom.actors.device.GroupOutcome;
import darkroom.actors.device.PolicyVersion;
import darkroom.actors.device.RolloutResult;
import darkroom.actors.device.RolloutUnit;
import darkroom.actors.device.ScoreOutcome;
import darkroom.actors.device.ScoreUnit;
import darkroom.actors.device.SimulatedDevices;
import darkroom.actors.device.TrainUnit;
import darkroom.actors.device.Trained;
import darkroom.actors.workqueue.WorkQueue;
import darkroom.actors.workqueue.WorkQueueBench;
import darkroom.actors.workqueue.WorkQueues;
import darkroom.tensors.OffHeapTensorStore;
import darkroom.tensors.TensorRef;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicBoolean;
import org.apache.pekko.actor.testkit.typed.javadsl.TestInbox;
import org.apache.pekko.actor.typed.ActorRef;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Tests a coordinator between two scripted queues. */
class GroupCoordinatorTest {
    private static final int SLOTS = 4;

    private final SimulatedWorld world = new SimulatedWorld(1);
    private final OffHeapTensorStore store = new OffHeapTensorStore("here", 1 << 20);
    private final HeldTensorPlane plane = new HeldTensorPlane(store);
    private final SimulatedDevices devices = new SimulatedDevices(store, 4, Runnable::run);
    private final TestInbox<WorkQueue.Command<RolloutUnit, RolloutResult>> rolloutQueue = TestInbox.create();
    private final TestInbox<WorkQueue.Command<ScoreUnit, ScoreOutcome>> scoreQueue = TestInbox.create();
    private final TestInbox<WorkQueue.Command<TrainUnit, Trained>> trainQueue = TestInbox.create();
    private final TestInbox<GroupOutcome> parent = TestInbox.create();
    private final List<WorkQueue.Submit<RolloutUnit, RolloutResult>> rollouts = new ArrayList<>();
    private final List<WorkQueue.Submit<ScoreUnit, ScoreOutcome>> scores = new ArrayList<>();
    private final List<GroupOutcome> endings = new ArrayList<>();
    private @Nullable ActorRef<WorkQueue.Reply<RolloutUnit, RolloutResult>> rolloutWithdrawn;
    private @Nullable ActorRef<WorkQueue.Reply<ScoreUnit, ScoreOutcome>> scoreWithdrawn;

    private final RolloutUnit rollout = new RolloutUnit(
            "run",
            7,
            RolloutUnit.Purpose.TRAINING,
            0,
            0,
            SLOTS,
            new PolicyVersion(0),
            devices.learner(1).old(),
            devices.prompt("row"));
    private final long bytesBefore = store.bytesHeld();
    private final ActorRef<GroupCoordinator.Command> coordinator = world.spawn(
            GroupCoordinator.create(
                    rollout,
                    new WorkPorts(
                            new WorkQueues(rolloutQueue.getRef(), scoreQueue.getRef(), trainQueue.getRef()),
                            plane,
                            world.clock(),
                            WorkQueueBench.LIMITS),
                    null,
                    parent.getRef()),
            "coordinator");
    private final AtomicBoolean gone = world.gone(coordinator);

    @AfterEach
    void endOfTheWorld() {
        world.close();
    }

    private void look() {
        world.settle();
        for (WorkQueue.Command<RolloutUnit, RolloutResult> command : rolloutQueue.getAllReceived()) {
            switch (command) {
                case WorkQueue.Submit<RolloutUnit, RolloutResult> submit -> rollouts.add(submit);
                case WorkQueue.Withdraw<RolloutUnit, RolloutResult>(
                        ActorRef<WorkQueue.Reply<RolloutUnit, RolloutResult>> who) -> rolloutWithdrawn = who;
                default -> throw new IllegalStateException("no coordinator says " + command);
            }
        }
        for (WorkQueue.Command<ScoreUnit, ScoreOutcome> command : scoreQueue.getAllReceived()) {
            switch (command) {
                case WorkQueue.Submit<ScoreUnit, ScoreOutcome> submit -> scores.add(submit);
                case WorkQueue.Withdraw<ScoreUnit, ScoreOutcome>(
                        ActorRef<WorkQueue.Reply<ScoreUnit, ScoreOutcome>> who) -> scoreWithdrawn = who;
                default -> throw new IllegalStateException("no coordinator says " + command);
            }
        }
        endings.addAll(parent.getAllReceived());
    }

    private RolloutResult generated() {
        look();
        WorkQueue.Submit<RolloutUnit, RolloutResult> asked = rollouts.getLast();
        RolloutResult result =
                devices.rollout().perform(asked.unit()).toCompletableFuture().join();
        asked.requester().tell(new WorkQueue.Done<>(asked.unit(), result));
        look();
        return result;
    }

    private void scored(int ask, double score) {
        WorkQueue.Submit<ScoreUnit, ScoreOutcome> asked = scores.get(ask);
        asked.requester().tell(new WorkQueue.Done<>(asked.unit(), new ScoreOutcome.Scored(score, 1, 1, "test")));
        look();
    }

    private void notScored(int ask, Fault fault) {
        WorkQueue.Submit<ScoreUnit, ScoreOutcome> asked = scores.get(ask);
        asked.requester().tell(new WorkQueue.Refused<>(asked.unit(), fault));
        look();
    }

    /** Both queues confirm the withdrawal. */
    private void withdrawn() {
        requireNonNull(rolloutWithdrawn).tell(new WorkQueue.Withdrawn<>());
        requireNonNull(scoreWithdrawn).tell(new WorkQueue.Withdrawn<>());
        look();
    }

    private GroupOutcome.Finished ended() {
        assertThat(endings).hasSize(1);
        return (GroupOutcome.Finished) endings.getFirst();
    }

    private GroupOutcome.Lost lost() {
        assertThat(endings).hasSize(1);
        return (GroupOutcome.Lost) endings.getFirst();
    }

    private long bytesOfGroup() {
        return store.bytesHeld() - bytesBefore;
    }

    /** GC-1. */
    @Test
    void a_group_ends_once_with_its_last_score_and_is_gone() {
        generated();
        for (int slot = 0; slot < SLOTS; slot++) {
            assertThat(endings).isEmpty();
            scored(slot, 0.25 * slot);
        }
        assertThat(ended().rollout()).isEqualTo(rollout);
        assertThat(gone).isTrue();
        scored(0, 1);
        assertThat(endings).hasSize(1);
    }

    /** GC-1. */
    @Test
    void a_group_that_cannot_be_drawn_is_lost_with_the_reason() {
        look();
        Fault fault = new Fault.DropGroup("no such picture");
        rollouts.getFirst().requester().tell(new WorkQueue.Refused<>(rollout, fault));
        look();
        assertThat(lost()).isEqualTo(new GroupOutcome.Lost(rollout, fault));
        assertThat(gone).isTrue();
        assertThat(scores).isEmpty();
    }

    /** GC-1: a device that breaks its contract does not complete a group. */
    @Test
    void a_drawing_with_too_few_images_stops_the_run_and_leaves_no_tensor() {
        look();
        RolloutUnit fewer = new RolloutUnit(
                "run", 7, rollout.purpose(), 0, 0, 1, rollout.policy(), rollout.weights(), rollout.prompt());
        RolloutResult result =
                devices.rollout().perform(fewer).toCompletableFuture().join();
        rollouts.getFirst().requester().tell(new WorkQueue.Done<>(rollout, result));
        look();
        assertThat(lost().fault()).isInstanceOf(Fault.StopRun.class);
        assertThat(bytesOfGroup()).isZero();
    }

    /** GC-2. */
    @Test
    void a_second_drawing_and_a_second_score_change_nothing() {
        RolloutResult first = generated();
        long bytes = bytesOfGroup();
        generated();
        assertThat(bytesOfGroup()).isEqualTo(bytes);
        scored(0, 0.25);
        scored(0, 0.75);
        for (int slot = 1; slot < SLOTS; slot++) {
            scored(slot, 0);
        }
        assertThat(ended().generated()).isEqualTo(first);
        assertThat(((ScoreOutcome.Scored) ended().outcomes().getFirst()).score())
                .isEqualTo(0.25);
        assertThat(scores).hasSize(SLOTS);
    }

    /** GC-3. */
    @Test
    void outcomes_are_in_slot_order_and_the_images_belong_to_the_parent() {
        RolloutResult images = generated();
        for (int slot = SLOTS - 1; slot >= 0; slot--) {
            scored(slot, 0.25 * slot);
        }
        assertThat(ended().outcomes().stream().map(outcome -> ((ScoreOutcome.Scored) outcome).score()))
                .containsExactly(0.0, 0.25, 0.5, 0.75);
        assertThat(ended().generated().images()).hasSize(SLOTS);
        assertThat(bytesOfGroup()).isPositive();
        images.tensors().forEach(store::release);
        assertThat(bytesOfGroup()).isZero();
    }

    /** GC-4, P-3. */
    @Test
    void a_slot_that_nobody_can_score_is_unscored_with_the_reason() {
        generated();
        List<Fault> faults =
                List.of(new Fault.Exhausted("asked often"), new Fault.DropGroup("dropped"), new Fault.Retry("again"));
        for (int slot = 0; slot < faults.size(); slot++) {
            notScored(slot, faults.get(slot));
        }
        scored(3, 1);
        assertThat(ended().outcomes().subList(0, 3))
                .containsExactly(
                        new ScoreOutcome.Unscored("asked often", 0),
                        new ScoreOutcome.Unscored("dropped", 0),
                        new ScoreOutcome.Unscored("again", 0));
    }

    /** GC-5. */
    @Test
    void images_lost_before_they_are_scored_are_drawn_again_and_no_score_is_asked_for_twice() {
        generated();
        scored(1, 0.5);
        notScored(2, new Fault.InputLost(rollout.weights(), "gone"));
        assertThat(rollouts).hasSize(2);
        assertThat(bytesOfGroup()).isZero();
        notScored(3, new Fault.InputLost(rollout.weights(), "gone too"));
        assertThat(rollouts).as("one generating at a time").hasSize(2);
        RolloutResult again = generated();
        scored(0, 0.25);
        List<Integer> askedAgain = scores.subList(SLOTS, scores.size()).stream()
                .map(submit -> submit.unit().address().slot())
                .toList();
        assertThat(askedAgain).containsExactly(2, 3);
        scored(SLOTS, 0.75);
        scored(SLOTS + 1, 1);
        assertThat(ended().generated()).isEqualTo(again);
        assertThat(ended().outcomes().stream().map(outcome -> ((ScoreOutcome.Scored) outcome).score()))
                .containsExactly(0.25, 0.5, 0.75, 1.0);
    }

    /** GC-5, P-9. */
    @Test
    void images_that_are_lost_again_and_again_are_unscored_in_the_end() {
        generated();
        for (int slot = 1; slot < SLOTS; slot++) {
            scored(slot, 0.5);
        }
        for (int generating = 1; generating < WorkQueueBench.ATTEMPTS_MAX; generating++) {
            notScored(scores.size() - (generating == 1 ? SLOTS : 1), new Fault.InputLost(rollout.weights(), "gone"));
            generated();
        }
        notScored(scores.size() - 1, new Fault.InputLost(rollout.weights(), "gone"));
        assertThat(rollouts).hasSize(WorkQueueBench.ATTEMPTS_MAX);
        assertThat(ended().outcomes().getFirst()).isEqualTo(new ScoreOutcome.Unscored("gone", 0));
    }

    /** GC-1, GC-6: units that nobody waits for do not stay in the score queue. */
    @Test
    void a_group_that_cannot_be_drawn_again_takes_its_scores_back() {
        generated();
        notScored(2, new Fault.InputLost(rollout.weights(), "gone"));
        rollouts.getLast().requester().tell(new WorkQueue.Refused<>(rollout, new Fault.DropGroup("not again")));
        look();
        assertThat(lost().fault()).isEqualTo(new Fault.DropGroup("not again"));
        assertThat(scoreWithdrawn).isNotNull();
        scored(0, 1);
        withdrawn();
        assertThat(gone).isTrue();
        assertThat(endings).hasSize(1);
        assertThat(bytesOfGroup()).isZero();
    }

    /** GC-1. */
    @Test
    void a_scorer_that_stops_the_run_loses_the_group_and_its_images() {
        generated();
        notScored(0, new Fault.StopRun("the key is wrong"));
        assertThat(lost().fault()).isEqualTo(new Fault.StopRun("the key is wrong"));
        assertThat(bytesOfGroup()).isZero();
        for (int slot = 1; slot < SLOTS; slot++) {
            scored(slot, 1);
        }
        withdrawn();
        assertThat(gone).isTrue();
        assertThat(endings).hasSize(1);
    }

    /** GC-7. */
    @Test
    void images_are_scored_and_learned_from_once_this_node_owns_them() {
        plane.hold();
        generated();
        assertThat(scores).as("they are where they were generated").isEmpty();
        List<TensorRef> own = plane.letGo();
        look();
        assertThat(scores.stream().map(asked -> asked.unit().pixels())).containsExactlyElementsOf(pixels(own));
        for (int slot = 0; slot < SLOTS; slot++) {
            scored(slot, 0.25 * slot);
        }
        assertThat(ended().generated().tensors()).isEqualTo(own);
        own.forEach(store::release);
        assertThat(bytesOfGroup()).as("the originals are released").isZero();
    }

    /** Returns the pixel tensors; each image has its latent first. */
    private static List<TensorRef> pixels(List<TensorRef> images) {
        return images.stream()
                .filter(ref -> ref.type() == TensorRef.ElementType.UINT8)
                .toList();
    }

    /** GC-5. */
    @Test
    void images_that_cannot_be_taken_over_are_drawn_again() {
        plane.hold();
        generated();
        plane.fail();
        look();
        assertThat(rollouts).hasSize(2);
        assertThat(bytesOfGroup()).isZero();
        generated();
        plane.letGo();
        look();
        for (int slot = 0; slot < SLOTS; slot++) {
            scored(slot, 1);
        }
        assertThat(ended().outcomes()).hasSize(SLOTS);
    }

    /** GC-5, P-9: one node's failure to get the weights does not end a run; the failure of all nodes does. */
    @Test
    void a_drawing_whose_inputs_could_not_be_had_is_asked_for_again_up_to_the_limit() {
        for (int generating = 1; generating <= WorkQueueBench.ATTEMPTS_MAX; generating++) {
            look();
            assertThat(endings).isEmpty();
            assertThat(rollouts).hasSize(generating);
            rollouts.getLast()
                    .requester()
                    .tell(new WorkQueue.Refused<>(rollout, new Fault.InputLost(rollout.weights(), "evicted")));
        }
        look();
        assertThat(rollouts).hasSize(WorkQueueBench.ATTEMPTS_MAX);
        assertThat(lost().fault().message()).contains("limits.work-attempts-max=3", "evicted");
        assertThat(gone).isTrue();
    }

    /** GC-5, P-9. */
    @Test
    void images_that_can_never_be_taken_over_stop_the_run_with_the_limit() {
        plane.hold();
        for (int generating = 1; generating <= WorkQueueBench.ATTEMPTS_MAX; generating++) {
            assertThat(endings).isEmpty();
            generated();
            plane.fail();
            look();
        }
        assertThat(rollouts).hasSize(WorkQueueBench.ATTEMPTS_MAX);
        assertThat(lost().fault()).isInstanceOf(Fault.StopRun.class);
        assertThat(lost().fault().message()).contains("limits.work-attempts-max=3", "out of reach");
        assertThat(gone).isTrue();
        assertThat(bytesOfGroup()).isZero();
    }

    /** GC-5, GC-7: the images were lost when some already had a score. */
    @Test
    void a_second_drawing_is_taken_over_too_before_what_is_left_is_scored() {
        generated();
        scored(1, 0.5);
        plane.hold();
        notScored(2, new Fault.InputLost(rollout.weights(), "gone"));
        generated();
        notScored(3, new Fault.InputLost(rollout.weights(), "gone too"));
        assertThat(rollouts).as("one generating at a time").hasSize(2);
        assertThat(scores).hasSize(SLOTS);
        List<TensorRef> own = plane.letGo();
        look();
        assertThat(scores.subList(SLOTS, scores.size()).stream()
                        .map(asked -> asked.unit().pixels()))
                .containsExactlyElementsOf(pixels(own).subList(2, 4));
    }

    /** GC-6, GC-7: whether or not its images can then be taken over, and whichever answer comes last. */
    @ParameterizedTest
    @CsvSource({"true, true", "true, false", "false, true", "false, false"})
    void a_group_abandoned_while_its_images_are_taken_over_leaves_no_tensor(boolean taken, boolean queuesFirst) {
        plane.hold();
        generated();
        coordinator.tell(new GroupCoordinator.Abandon());
        look();
        if (queuesFirst) {
            withdrawn();
            assertThat(gone).as("it waits for the images").isFalse();
        }
        if (taken) {
            plane.letGo();
        } else {
            plane.fail();
        }
        look();
        if (!queuesFirst) {
            assertThat(gone).as("it waits for the queues").isFalse();
            withdrawn();
        }
        assertThat(gone).isTrue();
        assertThat(endings).isEmpty();
        assertThat(scores).isEmpty();
        assertThat(bytesOfGroup()).isZero();
    }

    /** GC-6: abandoned before it is generated, after, and with some of its scores. */
    @ParameterizedTest
    @ValueSource(ints = {-1, 0, 1, 3})
    void an_abandoned_group_says_nothing_and_leaves_no_tensor(int scoresBefore) {
        look();
        if (scoresBefore >= 0) {
            generated();
        }
        for (int slot = 0; slot < scoresBefore; slot++) {
            scored(slot, 1);
        }
        coordinator.tell(new GroupCoordinator.Abandon());
        coordinator.tell(new GroupCoordinator.Abandon());
        look();
        if (scoresBefore < 0) {
            generated();
        }
        for (int slot = Math.max(0, scoresBefore); slot < scores.size(); slot++) {
            scored(slot, 1);
        }
        assertThat(gone).as("it waits for the queues").isFalse();
        withdrawn();
        assertThat(gone).isTrue();
        assertThat(endings).isEmpty();
        assertThat(bytesOfGroup()).isZero();
    }
}
