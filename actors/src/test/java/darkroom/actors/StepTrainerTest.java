package darkroom.actors;

import static java.util.Objects.requireNonNull;
import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Random;
import java.util.concurrent.atomic.AtomicBoolean;
import org.apache.pekko.actor.testkit.typed.javadsl.TestInbox;
import org.apache.pekko.actor.typed.ActorRef;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** A step trainer at a desk that answers what the test says, when it says so. */
class StepTrainerTest {
    private final SimulatedWorld world = new SimulatedWorld(1);
    private final OffHeapTensorStore store = new OffHeapTensorStore("here", 1 << 20);
    private final SimulatedDevices devices = new SimulatedDevices(store, 4, Runnable::run);
    private final TestInbox<WorkDesk.Command<TrainUnit, Trained>> desk = TestInbox.create();
    private final TestInbox<StepTrainer.Ending> parent = TestInbox.create();
    private final List<WorkDesk.Submit<TrainUnit, Trained>> asked = new ArrayList<>();
    private final List<StepTrainer.Ending> endings = new ArrayList<>();
    private @Nullable ActorRef<WorkDesk.Answer<TrainUnit, Trained>> withdrawn;

    private final LearnerState first = devices.learner(3);
    private final LessonPlan plan = plan();
    private final long bytesBefore = store.bytesHeld();
    private final ActorRef<StepTrainer.Command> trainer = world.spawn(
            StepTrainer.create(
                    "run", 7, 0, first, plan, desk.getRef(), new LocalTensorPlane(store), 4, parent.getRef()),
            "trainer");
    private final AtomicBoolean gone = world.gone(trainer);

    @AfterEach
    void endOfTheWorld() {
        world.close();
    }

    /** Three passes of several units each. */
    private LessonPlan plan() {
        Prompt prompt = devices.prompt("row");
        DrawUnit draw =
                new DrawUnit("run", 7, DrawUnit.Purpose.TRAINING, 0, 0, 10, new PolicyVersion(0), first.old(), prompt);
        Drawn drawn = devices.rollout().perform(draw).toCompletableFuture().join();
        List<Lesson> lessons = new ArrayList<>();
        for (int slot = 0; slot < draw.slots(); slot++) {
            lessons.add(new Lesson(0, slot, prompt, drawn.images().get(slot), 0.1 * slot, 0));
        }
        return LessonPlan.of(7, 0, lessons, Settings.rollout(0), Settings.training(2, 3, 2));
    }

    private void look() {
        world.settle();
        for (WorkDesk.Command<TrainUnit, Trained> command : desk.getAllReceived()) {
            switch (command) {
                case WorkDesk.Submit<TrainUnit, Trained> submit -> asked.add(submit);
                case WorkDesk.Withdraw<TrainUnit, Trained>(ActorRef<WorkDesk.Answer<TrainUnit, Trained>> who) ->
                    withdrawn = who;
                default -> throw new IllegalStateException("no trainer says " + command);
            }
        }
        endings.addAll(parent.getAllReceived());
    }

    private Trained done(WorkDesk.Submit<TrainUnit, Trained> submit) {
        Trained result = result(submit.unit());
        answer(submit, result);
        return result;
    }

    private Trained result(TrainUnit unit) {
        return devices.trainer().perform(unit).toCompletableFuture().join();
    }

    private void answer(WorkDesk.Submit<TrainUnit, Trained> submit, Trained result) {
        submit.requester().tell(new WorkDesk.Done<>(submit.unit(), result));
        look();
    }

    private List<WorkDesk.Submit<TrainUnit, Trained>> newlyAsked() {
        look();
        List<WorkDesk.Submit<TrainUnit, Trained>> now = new ArrayList<>(asked);
        asked.clear();
        return now;
    }

    private StepTrainer.StepLearned learned() {
        assertThat(endings).hasSize(1);
        return (StepTrainer.StepLearned) endings.getFirst();
    }

    private long bytesMade() {
        return store.bytesHeld() - bytesBefore;
    }

    /** ST-1, ST-2, ST-3, ST-4, and the bits are those of the units in order. */
    @ParameterizedTest
    @ValueSource(ints = {1, 2, 3, 4, 5})
    void passes_follow_each_other_and_gradients_are_applied_in_unit_order_whatever_order_they_come_in(int shuffle) {
        LearnerState state = first;
        for (int pass = 0; pass < 3; pass++) {
            List<WorkDesk.Submit<TrainUnit, Trained>> gradients = newlyAsked();
            assertThat(gradients)
                    .hasSize(plan.passes().get(pass).units().size())
                    .hasSizeGreaterThan(2);
            List<TensorRef> inUnitOrder = new ArrayList<>(Collections.nCopies(gradients.size(), first.old()));
            Collections.shuffle(gradients, new Random(shuffle));
            for (WorkDesk.Submit<TrainUnit, Trained> submit : gradients) {
                TrainUnit.GradientUnit unit = (TrainUnit.GradientUnit) submit.unit();
                assertThat(unit.pass()).isEqualTo(pass);
                assertThat(unit.state()).as("ST-3").isEqualTo(state);
                assertThat(unit.validSamples())
                        .isEqualTo(plan.passes().get(pass).samples());
                inUnitOrder.set(unit.index(), done(submit).tensors().getFirst());
            }
            List<WorkDesk.Submit<TrainUnit, Trained>> update = newlyAsked();
            assertThat(update).hasSize(1);
            TrainUnit.UpdateUnit unit = (TrainUnit.UpdateUnit) update.getFirst().unit();
            assertThat(unit.gradients()).as("ST-2").isEqualTo(inUnitOrder);
            assertThat(unit.lastPass()).isEqualTo(pass == 2);
            state = ((Trained.Updated) done(update.getFirst())).state();
        }
        assertThat(learned().state()).isEqualTo(state);
        assertThat(learned().passes()).hasSize(3);
        assertThat(gone).isTrue();
        assertThat(store.read(first.trained()))
                .as("ST-4: the first state stays")
                .isNotNull();
        state.tensors().forEach(store::release);
        assertThat(bytesMade()).as("ST-4").isZero();
    }

    /** ST-1, ST-5. */
    @ParameterizedTest
    @ValueSource(ints = {0, 1})
    void a_refused_unit_fails_the_step_once_and_nothing_is_left(int doneBefore) {
        List<WorkDesk.Submit<TrainUnit, Trained>> gradients = newlyAsked();
        gradients.subList(0, doneBefore).forEach(this::done);
        for (WorkDesk.Submit<TrainUnit, Trained> submit : gradients.subList(doneBefore, 2)) {
            submit.requester().tell(new WorkDesk.Refused<>(submit.unit(), new Fault.StopRun("no trainer can")));
        }
        look();
        assertThat(endings).containsExactly(new StepTrainer.StepFailed(0, new Fault.StopRun("no trainer can")));
        done(gradients.getLast());
        assertThat(gone).as("it waits for the desk").isFalse();
        requireNonNull(withdrawn).tell(new WorkDesk.Withdrawn<>());
        look();
        assertThat(gone).isTrue();
        assertThat(bytesMade()).isZero();
    }

    /** ST-1. */
    @Test
    void a_device_that_answers_with_the_wrong_kind_fails_the_step() {
        WorkDesk.Submit<TrainUnit, Trained> submit = newlyAsked().getFirst();
        Trained wrong = new Trained.Updated(devices.learner(9), 1);
        submit.requester().tell(new WorkDesk.Done<>(submit.unit(), wrong));
        look();
        assertThat(endings).hasSize(1);
        assertThat(((StepTrainer.StepFailed) endings.getFirst()).fault().message())
                .contains("broke its contract");
        assertThat(bytesMade()).isZero();
    }

    /** ST-5: abandoned in the first pass, before an update, and in the second pass. */
    @ParameterizedTest
    @ValueSource(ints = {0, 1, 2})
    void an_abandoned_step_says_nothing_and_leaves_no_tensor(int moment) {
        List<WorkDesk.Submit<TrainUnit, Trained>> open = newlyAsked();
        if (moment > 0) {
            open.forEach(this::done);
            open = newlyAsked();
        }
        if (moment > 1) {
            open.forEach(this::done);
            open = newlyAsked();
        }
        List<Trained> onTheirWay =
                open.stream().map(submit -> result(submit.unit())).toList();
        trainer.tell(new StepTrainer.Abandon());
        trainer.tell(new StepTrainer.Abandon());
        look();
        for (int i = 0; i < open.size(); i++) {
            answer(open.get(i), onTheirWay.get(i));
        }
        requireNonNull(withdrawn).tell(new WorkDesk.Withdrawn<>());
        look();
        assertThat(gone).isTrue();
        assertThat(endings).isEmpty();
        assertThat(newlyAsked()).isEmpty();
        assertThat(bytesMade()).isZero();
    }
}
