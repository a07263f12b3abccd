package darkroom.actors;

import static java.util.Objects.requireNonNull;
import static org.assertj.core.api.Assertions.assertThat;

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

/** A keeper between two desks that answer what the test says, when it says so. */
class GroupKeeperTest {
    private static final int SLOTS = 4;

    private final SimulatedWorld world = new SimulatedWorld(1);
    private final OffHeapTensorStore store = new OffHeapTensorStore("here", 1 << 20);
    private final HeldTensorPlane plane = new HeldTensorPlane(store);
    private final SimulatedDevices devices = new SimulatedDevices(store, 4, Runnable::run);
    private final TestInbox<WorkDesk.Command<DrawUnit, Drawn>> drawDesk = TestInbox.create();
    private final TestInbox<WorkDesk.Command<ScoreUnit, ScoreOutcome>> scoreDesk = TestInbox.create();
    private final TestInbox<WorkDesk.Command<TrainUnit, Trained>> trainDesk = TestInbox.create();
    private final TestInbox<GroupKeeper.Ending> parent = TestInbox.create();
    private final List<WorkDesk.Submit<DrawUnit, Drawn>> draws = new ArrayList<>();
    private final List<WorkDesk.Submit<ScoreUnit, ScoreOutcome>> scores = new ArrayList<>();
    private final List<GroupKeeper.Ending> endings = new ArrayList<>();
    private @Nullable ActorRef<WorkDesk.Answer<DrawUnit, Drawn>> drawWithdrawn;
    private @Nullable ActorRef<WorkDesk.Answer<ScoreUnit, ScoreOutcome>> scoreWithdrawn;

    private final DrawUnit draw = new DrawUnit(
            "run",
            7,
            DrawUnit.Purpose.TRAINING,
            0,
            0,
            SLOTS,
            new PolicyVersion(0),
            devices.learner(1).old(),
            devices.prompt("row"));
    private final long bytesBefore = store.bytesHeld();
    private final ActorRef<GroupKeeper.Command> keeper = world.spawn(
            GroupKeeper.create(
                    draw,
                    new Desks(drawDesk.getRef(), scoreDesk.getRef(), trainDesk.getRef()),
                    DeskBench.LIMITS,
                    plane,
                    world.clock(),
                    null,
                    parent.getRef()),
            "keeper");
    private final AtomicBoolean gone = world.gone(keeper);

    @AfterEach
    void endOfTheWorld() {
        world.close();
    }

    private void look() {
        world.settle();
        for (WorkDesk.Command<DrawUnit, Drawn> command : drawDesk.getAllReceived()) {
            switch (command) {
                case WorkDesk.Submit<DrawUnit, Drawn> submit -> draws.add(submit);
                case WorkDesk.Withdraw<DrawUnit, Drawn>(ActorRef<WorkDesk.Answer<DrawUnit, Drawn>> who) ->
                    drawWithdrawn = who;
                default -> throw new IllegalStateException("no keeper says " + command);
            }
        }
        for (WorkDesk.Command<ScoreUnit, ScoreOutcome> command : scoreDesk.getAllReceived()) {
            switch (command) {
                case WorkDesk.Submit<ScoreUnit, ScoreOutcome> submit -> scores.add(submit);
                case WorkDesk.Withdraw<ScoreUnit, ScoreOutcome>(
                        ActorRef<WorkDesk.Answer<ScoreUnit, ScoreOutcome>> who) -> scoreWithdrawn = who;
                default -> throw new IllegalStateException("no keeper says " + command);
            }
        }
        endings.addAll(parent.getAllReceived());
    }

    private Drawn drawn() {
        look();
        WorkDesk.Submit<DrawUnit, Drawn> asked = draws.getLast();
        Drawn result =
                devices.rollout().perform(asked.unit()).toCompletableFuture().join();
        asked.requester().tell(new WorkDesk.Done<>(asked.unit(), result));
        look();
        return result;
    }

    private void scored(int ask, double score) {
        WorkDesk.Submit<ScoreUnit, ScoreOutcome> asked = scores.get(ask);
        asked.requester().tell(new WorkDesk.Done<>(asked.unit(), new ScoreOutcome.Scored(score, 1, 1, "test")));
        look();
    }

    private void notScored(int ask, Fault fault) {
        WorkDesk.Submit<ScoreUnit, ScoreOutcome> asked = scores.get(ask);
        asked.requester().tell(new WorkDesk.Refused<>(asked.unit(), fault));
        look();
    }

    /** Both desks say that nothing follows. */
    private void withdrawn() {
        requireNonNull(drawWithdrawn).tell(new WorkDesk.Withdrawn<>());
        requireNonNull(scoreWithdrawn).tell(new WorkDesk.Withdrawn<>());
        look();
    }

    private GroupKeeper.GroupEnded ended() {
        assertThat(endings).hasSize(1);
        return (GroupKeeper.GroupEnded) endings.getFirst();
    }

    private GroupKeeper.GroupLost lost() {
        assertThat(endings).hasSize(1);
        return (GroupKeeper.GroupLost) endings.getFirst();
    }

    private long bytesOfGroup() {
        return store.bytesHeld() - bytesBefore;
    }

    /** GK-1. */
    @Test
    void a_group_ends_once_with_its_last_score_and_is_gone() {
        drawn();
        for (int slot = 0; slot < SLOTS; slot++) {
            assertThat(endings).isEmpty();
            scored(slot, 0.25 * slot);
        }
        assertThat(ended().draw()).isEqualTo(draw);
        assertThat(gone).isTrue();
        scored(0, 1);
        assertThat(endings).hasSize(1);
    }

    /** GK-1. */
    @Test
    void a_group_that_cannot_be_drawn_is_lost_with_the_reason() {
        look();
        Fault fault = new Fault.DropGroup("no such picture");
        draws.getFirst().requester().tell(new WorkDesk.Refused<>(draw, fault));
        look();
        assertThat(lost()).isEqualTo(new GroupKeeper.GroupLost(draw, fault));
        assertThat(gone).isTrue();
        assertThat(scores).isEmpty();
    }

    /** GK-1: a device that breaks its contract does not make a group. */
    @Test
    void a_drawing_with_too_few_images_stops_the_run_and_leaves_no_tensor() {
        look();
        DrawUnit fewer = new DrawUnit("run", 7, draw.purpose(), 0, 0, 1, draw.policy(), draw.weights(), draw.prompt());
        Drawn result = devices.rollout().perform(fewer).toCompletableFuture().join();
        draws.getFirst().requester().tell(new WorkDesk.Done<>(draw, result));
        look();
        assertThat(lost().fault()).isInstanceOf(Fault.StopRun.class);
        assertThat(bytesOfGroup()).isZero();
    }

    /** GK-2. */
    @Test
    void a_second_drawing_and_a_second_score_change_nothing() {
        Drawn first = drawn();
        long bytes = bytesOfGroup();
        drawn();
        assertThat(bytesOfGroup()).isEqualTo(bytes);
        scored(0, 0.25);
        scored(0, 0.75);
        for (int slot = 1; slot < SLOTS; slot++) {
            scored(slot, 0);
        }
        assertThat(ended().drawn()).isEqualTo(first);
        assertThat(((ScoreOutcome.Scored) ended().outcomes().getFirst()).score())
                .isEqualTo(0.25);
        assertThat(scores).hasSize(SLOTS);
    }

    /** GK-3. */
    @Test
    void outcomes_are_in_slot_order_and_the_images_belong_to_the_parent() {
        Drawn images = drawn();
        for (int slot = SLOTS - 1; slot >= 0; slot--) {
            scored(slot, 0.25 * slot);
        }
        assertThat(ended().outcomes().stream().map(outcome -> ((ScoreOutcome.Scored) outcome).score()))
                .containsExactly(0.0, 0.25, 0.5, 0.75);
        assertThat(ended().drawn().images()).hasSize(SLOTS);
        assertThat(bytesOfGroup()).isPositive();
        images.tensors().forEach(store::release);
        assertThat(bytesOfGroup()).isZero();
    }

    /** GK-4, P-3. */
    @Test
    void a_slot_that_nobody_can_score_is_unscored_with_the_reason() {
        drawn();
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

    /** GK-5. */
    @Test
    void images_lost_before_they_are_scored_are_drawn_again_and_no_score_is_asked_for_twice() {
        drawn();
        scored(1, 0.5);
        notScored(2, new Fault.InputLost(draw.weights(), "gone"));
        assertThat(draws).hasSize(2);
        assertThat(bytesOfGroup()).isZero();
        notScored(3, new Fault.InputLost(draw.weights(), "gone too"));
        assertThat(draws).as("one drawing at a time").hasSize(2);
        Drawn again = drawn();
        scored(0, 0.25);
        List<Integer> askedAgain = scores.subList(SLOTS, scores.size()).stream()
                .map(submit -> submit.unit().address().slot())
                .toList();
        assertThat(askedAgain).containsExactly(2, 3);
        scored(SLOTS, 0.75);
        scored(SLOTS + 1, 1);
        assertThat(ended().drawn()).isEqualTo(again);
        assertThat(ended().outcomes().stream().map(outcome -> ((ScoreOutcome.Scored) outcome).score()))
                .containsExactly(0.25, 0.5, 0.75, 1.0);
    }

    /** GK-5, P-9. */
    @Test
    void images_that_are_lost_again_and_again_are_unscored_in_the_end() {
        drawn();
        for (int slot = 1; slot < SLOTS; slot++) {
            scored(slot, 0.5);
        }
        for (int drawing = 1; drawing < DeskBench.ATTEMPTS_MAX; drawing++) {
            notScored(scores.size() - (drawing == 1 ? SLOTS : 1), new Fault.InputLost(draw.weights(), "gone"));
            drawn();
        }
        notScored(scores.size() - 1, new Fault.InputLost(draw.weights(), "gone"));
        assertThat(draws).hasSize(DeskBench.ATTEMPTS_MAX);
        assertThat(ended().outcomes().getFirst()).isEqualTo(new ScoreOutcome.Unscored("gone", 0));
    }

    /** GK-1, GK-6: units that nobody waits for do not stay at the score desk. */
    @Test
    void a_group_that_cannot_be_drawn_again_takes_its_scores_back() {
        drawn();
        notScored(2, new Fault.InputLost(draw.weights(), "gone"));
        draws.getLast().requester().tell(new WorkDesk.Refused<>(draw, new Fault.DropGroup("not again")));
        look();
        assertThat(lost().fault()).isEqualTo(new Fault.DropGroup("not again"));
        assertThat(scoreWithdrawn).isNotNull();
        scored(0, 1);
        withdrawn();
        assertThat(gone).isTrue();
        assertThat(endings).hasSize(1);
        assertThat(bytesOfGroup()).isZero();
    }

    /** GK-1. */
    @Test
    void a_scorer_that_stops_the_run_loses_the_group_and_its_images() {
        drawn();
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

    /** GK-7. */
    @Test
    void images_are_scored_and_learned_from_once_this_node_owns_them() {
        plane.hold();
        drawn();
        assertThat(scores).as("they are where they were drawn").isEmpty();
        List<TensorRef> own = plane.letGo();
        look();
        assertThat(scores.stream().map(asked -> asked.unit().pixels())).containsExactlyElementsOf(pixels(own));
        for (int slot = 0; slot < SLOTS; slot++) {
            scored(slot, 0.25 * slot);
        }
        assertThat(ended().drawn().tensors()).isEqualTo(own);
        own.forEach(store::release);
        assertThat(bytesOfGroup()).as("the originals are released").isZero();
    }

    /** Of each image the latent comes first. */
    private static List<TensorRef> pixels(List<TensorRef> images) {
        return images.stream()
                .filter(ref -> ref.type() == TensorRef.ElementType.UINT8)
                .toList();
    }

    /** GK-5. */
    @Test
    void images_that_cannot_be_taken_over_are_drawn_again() {
        plane.hold();
        drawn();
        plane.fail();
        look();
        assertThat(draws).hasSize(2);
        assertThat(bytesOfGroup()).isZero();
        drawn();
        plane.letGo();
        look();
        for (int slot = 0; slot < SLOTS; slot++) {
            scored(slot, 1);
        }
        assertThat(ended().outcomes()).hasSize(SLOTS);
    }

    /** GK-5, P-9: one node's trouble with the weights is not the end of a run; that nobody can have them is. */
    @Test
    void a_drawing_whose_inputs_could_not_be_had_is_asked_for_again_up_to_the_limit() {
        for (int drawing = 1; drawing <= DeskBench.ATTEMPTS_MAX; drawing++) {
            look();
            assertThat(endings).isEmpty();
            assertThat(draws).hasSize(drawing);
            draws.getLast()
                    .requester()
                    .tell(new WorkDesk.Refused<>(draw, new Fault.InputLost(draw.weights(), "evicted")));
        }
        look();
        assertThat(draws).hasSize(DeskBench.ATTEMPTS_MAX);
        assertThat(lost().fault().message()).contains("limits.work-attempts-max=3", "evicted");
        assertThat(gone).isTrue();
    }

    /** GK-5, P-9. */
    @Test
    void images_that_can_never_be_taken_over_stop_the_run_with_the_limit() {
        plane.hold();
        for (int drawing = 1; drawing <= DeskBench.ATTEMPTS_MAX; drawing++) {
            assertThat(endings).isEmpty();
            drawn();
            plane.fail();
            look();
        }
        assertThat(draws).hasSize(DeskBench.ATTEMPTS_MAX);
        assertThat(lost().fault()).isInstanceOf(Fault.StopRun.class);
        assertThat(lost().fault().message()).contains("limits.work-attempts-max=3", "out of reach");
        assertThat(gone).isTrue();
        assertThat(bytesOfGroup()).isZero();
    }

    /** GK-5, GK-7: the images were lost when some had a score already. */
    @Test
    void a_second_drawing_is_taken_over_too_before_what_is_left_is_scored() {
        drawn();
        scored(1, 0.5);
        plane.hold();
        notScored(2, new Fault.InputLost(draw.weights(), "gone"));
        drawn();
        notScored(3, new Fault.InputLost(draw.weights(), "gone too"));
        assertThat(draws).as("one drawing at a time").hasSize(2);
        assertThat(scores).hasSize(SLOTS);
        List<TensorRef> own = plane.letGo();
        look();
        assertThat(scores.subList(SLOTS, scores.size()).stream()
                        .map(asked -> asked.unit().pixels()))
                .containsExactlyElementsOf(pixels(own).subList(2, 4));
    }

    /** GK-6, GK-7: whether its images can be taken over then or not, and whoever speaks last. */
    @ParameterizedTest
    @CsvSource({"true, true", "true, false", "false, true", "false, false"})
    void a_group_abandoned_while_its_images_are_taken_over_leaves_no_tensor(boolean taken, boolean desksFirst) {
        plane.hold();
        drawn();
        keeper.tell(new GroupKeeper.Abandon());
        look();
        if (desksFirst) {
            withdrawn();
            assertThat(gone).as("it waits for the images").isFalse();
        }
        if (taken) {
            plane.letGo();
        } else {
            plane.fail();
        }
        look();
        if (!desksFirst) {
            assertThat(gone).as("it waits for the desks").isFalse();
            withdrawn();
        }
        assertThat(gone).isTrue();
        assertThat(endings).isEmpty();
        assertThat(scores).isEmpty();
        assertThat(bytesOfGroup()).isZero();
    }

    /** GK-6: abandoned before it is drawn, after, and with some of its scores. */
    @ParameterizedTest
    @ValueSource(ints = {-1, 0, 1, 3})
    void an_abandoned_group_says_nothing_and_leaves_no_tensor(int scoresBefore) {
        look();
        if (scoresBefore >= 0) {
            drawn();
        }
        for (int slot = 0; slot < scoresBefore; slot++) {
            scored(slot, 1);
        }
        keeper.tell(new GroupKeeper.Abandon());
        keeper.tell(new GroupKeeper.Abandon());
        look();
        if (scoresBefore < 0) {
            drawn();
        }
        for (int slot = Math.max(0, scoresBefore); slot < scores.size(); slot++) {
            scored(slot, 1);
        }
        assertThat(gone).as("it waits for the desks").isFalse();
        withdrawn();
        assertThat(gone).isTrue();
        assertThat(endings).isEmpty();
        assertThat(bytesOfGroup()).isZero();
    }
}
