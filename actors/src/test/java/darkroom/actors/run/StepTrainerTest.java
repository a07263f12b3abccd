package darkroom.actors.run;

import static java.util.Objects.requireNonNull;
import static org.assertj.core.api.Assertions.assertThat;

import darkroom.actors.device.Fault;
import darkroom.actors.device.LearnerState;
import darkroom.actors.device.PolicyVersion;
import darkroom.actors.device.Prompt;
import darkroom.actors.device.RolloutResult;
import darkroom.actors.device.RolloutUnit;
import darkroom.actors.device.ScoreOutcome;
import darkroom.actors.device.ScoreUnit;
import darkroom.actors.device.SimulatedDevices;
import darkroom.actors.device.TrainUnit;
import darkroom.actors.device.Trained;
import darkroom.actors.device.TrainingPlan;
import darkroom.actors.device.TrainingSample;
import darkroom.actors.events.PassStatistics;
import darkroom.actors.workqueue.WorkQueue;
import darkroom.actors.workqueue.WorkQueues;
import darkroom.config.LimitSettings;
import darkroom.tensors.OffHeapTensorStore;
import darkroom.tensors.TensorRef;
import java.lang.foreign.ValueLayout;
import java.time.Duration;
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
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Tests a step trainer at a scripted queue. */
class StepTrainerTest {
    private static final int ATTEMPTS_MAX = 2;
    private static final LimitSettings LIMITS = new LimitSettings(
            1,
            Duration.ofMillis(100),
            Duration.ofMillis(5),
            ATTEMPTS_MAX,
            Duration.ofSeconds(20),
            1 << 20,
            Duration.ofSeconds(25));
    private static final int UNITS_PER_LEASE = 2;

    private final SimulatedWorld world = new SimulatedWorld(1);
    private final OffHeapTensorStore store = new OffHeapTensorStore("here", 1 << 20);
    private final HeldTensorPlane plane = new HeldTensorPlane(store);
    private final SimulatedDevices devices = new SimulatedDevices(store, 4, Runnable::run);
    private final TestInbox<WorkQueue.Command<TrainUnit, Trained>> queue = TestInbox.create();
    private final TestInbox<StepTrainer.Ending> parent = TestInbox.create();
    private final List<WorkQueue.Submit<TrainUnit, Trained>> asked = new ArrayList<>();
    private final List<StepTrainer.Ending> endings = new ArrayList<>();
    private @Nullable ActorRef<WorkQueue.Reply<TrainUnit, Trained>> withdrawn;

    private final LearnerState first = devices.learner(3);
    private final TrainingPlan plan = plan();
    private final long bytesBefore = store.bytesHeld();
    private final WorkPorts ports = new WorkPorts(
            new WorkQueues(
                    TestInbox.<WorkQueue.Command<RolloutUnit, RolloutResult>>create()
                            .getRef(),
                    TestInbox.<WorkQueue.Command<ScoreUnit, ScoreOutcome>>create()
                            .getRef(),
                    queue.getRef()),
            plane,
            world.clock(),
            LIMITS);
    private final ActorRef<StepTrainer.Command> trainer = spawned(UNITS_PER_LEASE);
    private final AtomicBoolean gone = world.gone(trainer);

    @AfterEach
    void endOfTheWorld() {
        world.close();
    }

    private ActorRef<StepTrainer.Command> spawned(int unitsPerLease) {
        return world.spawn(
                StepTrainer.create(new StepAssignment("run", 7, 0, first, plan), unitsPerLease, ports, parent.getRef()),
                "trainer-" + unitsPerLease);
    }

    /** Three passes of 6, 7 and 7 units: whole blocks, and a last one of one unit. */
    private TrainingPlan plan() {
        Prompt prompt = devices.prompt("row");
        RolloutUnit rollout = new RolloutUnit(
                "run", 7, RolloutUnit.Purpose.TRAINING, 0, 0, 10, new PolicyVersion(0), first.old(), prompt);
        RolloutResult generated =
                devices.rollout().perform(rollout).toCompletableFuture().join();
        List<TrainingSample> trainingSamples = new ArrayList<>();
        for (int slot = 0; slot < rollout.slots(); slot++) {
            trainingSamples.add(
                    new TrainingSample(0, slot, prompt, generated.images().get(slot), 0.1 * slot, 0));
        }
        return TrainingPlan.of(7, 0, trainingSamples, Settings.rollout(0), Settings.training(2, 3, 1));
    }

    private void look() {
        world.settle();
        for (WorkQueue.Command<TrainUnit, Trained> command : queue.getAllReceived()) {
            switch (command) {
                case WorkQueue.Submit<TrainUnit, Trained> submit -> asked.add(submit);
                case WorkQueue.Withdraw<TrainUnit, Trained>(ActorRef<WorkQueue.Reply<TrainUnit, Trained>> who) ->
                    withdrawn = who;
                default -> throw new IllegalStateException("no trainer says " + command);
            }
        }
        endings.addAll(parent.getAllReceived());
    }

    private Trained done(WorkQueue.Submit<TrainUnit, Trained> submit) {
        Trained result = result(submit.unit());
        answer(submit, result);
        return result;
    }

    private Trained result(TrainUnit unit) {
        return devices.trainer().perform(unit).toCompletableFuture().join();
    }

    private void answer(WorkQueue.Submit<TrainUnit, Trained> submit, Trained result) {
        submit.requester().tell(new WorkQueue.Done<>(submit.unit(), result));
        look();
    }

    private List<WorkQueue.Submit<TrainUnit, Trained>> newlyAsked() {
        look();
        List<WorkQueue.Submit<TrainUnit, Trained>> now = new ArrayList<>(asked);
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
            List<WorkQueue.Submit<TrainUnit, Trained>> gradients = newlyAsked();
            assertThat(gradients).hasSize(blocks(plan.passes().get(pass))).hasSizeGreaterThan(2);
            List<TensorRef> inOrder = new ArrayList<>(Collections.nCopies(gradients.size(), first.old()));
            Collections.shuffle(gradients, new Random(shuffle));
            for (WorkQueue.Submit<TrainUnit, Trained> submit : gradients) {
                TrainUnit.GradientBlock unit = (TrainUnit.GradientBlock) submit.unit();
                assertThat(unit.pass()).isEqualTo(pass);
                assertThat(unit.state()).as("ST-3").isEqualTo(state);
                assertThat(unit.validSamples())
                        .isEqualTo(plan.passes().get(pass).samples());
                inOrder.set(
                        unit.first() / UNITS_PER_LEASE, done(submit).tensors().getFirst());
            }
            List<WorkQueue.Submit<TrainUnit, Trained>> update = newlyAsked();
            assertThat(update).hasSize(1);
            TrainUnit.UpdateUnit unit = (TrainUnit.UpdateUnit) update.getFirst().unit();
            assertThat(unit.gradients()).as("ST-2").isEqualTo(inOrder);
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
        List<WorkQueue.Submit<TrainUnit, Trained>> gradients = newlyAsked();
        gradients.subList(0, doneBefore).forEach(this::done);
        for (WorkQueue.Submit<TrainUnit, Trained> submit : gradients.subList(doneBefore, 2)) {
            submit.requester().tell(new WorkQueue.Refused<>(submit.unit(), new Fault.StopRun("no trainer can")));
        }
        look();
        assertThat(endings).containsExactly(new StepTrainer.StepFailed(0, new Fault.StopRun("no trainer can")));
        done(gradients.getLast());
        assertThat(gone).as("it waits for the queue").isFalse();
        requireNonNull(withdrawn).tell(new WorkQueue.Withdrawn<>());
        look();
        assertThat(gone).isTrue();
        assertThat(bytesMade()).isZero();
    }

    /** ST-1. */
    @Test
    void a_device_that_answers_with_the_wrong_kind_fails_the_step() {
        WorkQueue.Submit<TrainUnit, Trained> submit = newlyAsked().getFirst();
        Trained wrong = new Trained.Updated(devices.learner(9), 1);
        submit.requester().tell(new WorkQueue.Done<>(submit.unit(), wrong));
        look();
        assertThat(endings).hasSize(1);
        assertThat(((StepTrainer.StepFailed) endings.getFirst()).fault().message())
                .contains("broke its contract");
        assertThat(bytesMade()).isZero();
    }

    private void refuse(WorkQueue.Submit<TrainUnit, Trained> submit, Fault fault) {
        submit.requester().tell(new WorkQueue.Refused<>(submit.unit(), fault));
        look();
    }

    private static Fault lost(TensorRef tensor) {
        return new Fault.InputLost(tensor, "its node died");
    }

    private void nothingFollows() {
        requireNonNull(withdrawn).tell(new WorkQueue.Withdrawn<>());
        look();
    }

    /** Answers the gradients of a pass, and then its update; returns the state that it produced. */
    private LearnerState passDone(List<WorkQueue.Submit<TrainUnit, Trained>> gradients) {
        gradients.forEach(this::done);
        return ((Trained.Updated) done(newlyAsked().getFirst())).state();
    }

    /** Answers all requests until the step ends. */
    private void toTheEnd() {
        List<WorkQueue.Submit<TrainUnit, Trained>> open = newlyAsked();
        while (!open.isEmpty()) {
            open.forEach(this::done);
            open = newlyAsked();
        }
    }

    /** The bits of a step in which nothing was lost, and every unit was leased singly. */
    private List<byte[]> undisturbed() {
        LearnerState state = first;
        List<TensorRef> made = new ArrayList<>();
        for (int pass = 0; pass < 3; pass++) {
            List<TensorRef> gradients = new ArrayList<>();
            TrainingPlan.Pass now = plan.passes().get(pass);
            for (int i = 0; i < now.units().size(); i++) {
                List<List<TrainUnit.Sample>> unit = List.of(now.units().get(i));
                gradients.addAll(result(new TrainUnit.GradientBlock("run", 7, 0, pass, i, state, unit, now.samples()))
                        .tensors());
            }
            state = ((Trained.Updated) result(new TrainUnit.UpdateUnit("run", 0, pass, state, gradients, pass == 2)))
                    .state();
            made.addAll(gradients);
            made.addAll(state.tensors());
        }
        List<byte[]> bits = bits(state);
        made.forEach(store::release);
        return bits;
    }

    private List<byte[]> bits(LearnerState state) {
        return state.tensors().stream()
                .map(ref -> store.read(ref).toArray(ValueLayout.JAVA_BYTE))
                .toList();
    }

    private void assertLearnedAsIfNothingHadHappened() {
        assertThat(learned().passes()).hasSize(3);
        assertThat(learned().state().optimizerSteps()).isEqualTo(3);
        assertThat(bits(learned().state())).usingRecursiveComparison().isEqualTo(undisturbed());
        assertThat(gone).isTrue();
        learned().state().tensors().forEach(store::release);
        assertThat(bytesMade()).as("ST-4").isZero();
    }

    /** ST-2. */
    @ParameterizedTest
    @ValueSource(ints = {1, 4, 8, 64})
    void blocks_of_any_size_change_neither_state_nor_statistics(int unitsPerLease) {
        toTheEnd();
        StepTrainer.StepLearned expected = learned();
        assertThat(expected.passes()).extracting(PassStatistics::units).containsExactly(6, 7, 7);
        endings.clear();
        spawned(unitsPerLease);
        toTheEnd();
        assertThat(bits(learned().state())).usingRecursiveComparison().isEqualTo(bits(expected.state()));
        assertThat(learned().passes()).isEqualTo(expected.passes());
    }

    /** ST-6. */
    @Test
    void the_last_state_is_this_nodes_own_before_it_is_told() {
        plane.hold();
        toTheEnd();
        assertThat(endings).as("it is where it was made").isEmpty();
        List<TensorRef> own = plane.letGo();
        look();
        assertThat(learned().state().tensors()).isEqualTo(own);
        assertLearnedAsIfNothingHadHappened();
    }

    /** ST-6, ST-7. */
    @Test
    void a_last_state_that_cannot_be_taken_over_is_made_again_from_the_first_pass_on() {
        plane.hold();
        toTheEnd();
        plane.fail();
        look();
        assertThat(bytesMade()).isZero();
        nothingFollows();
        toTheEnd();
        plane.letGo();
        look();
        assertLearnedAsIfNothingHadHappened();
    }

    /** ST-7. */
    @Test
    void a_gradient_that_is_lost_is_made_again_and_no_other() {
        newlyAsked().forEach(this::done);
        WorkQueue.Submit<TrainUnit, Trained> update = newlyAsked().getFirst();
        List<TensorRef> gradients = ((TrainUnit.UpdateUnit) update.unit()).gradients();
        refuse(update, lost(gradients.get(1)));
        List<WorkQueue.Submit<TrainUnit, Trained>> again = newlyAsked();
        assertThat(again.stream().map(asked -> asked.unit().name()))
                .containsExactly("gradient run step 0 pass 0 units 2 to 3");
        TensorRef other = done(again.getFirst()).tensors().getFirst();
        WorkQueue.Submit<TrainUnit, Trained> updateAgain = newlyAsked().getFirst();
        List<TensorRef> expected = new ArrayList<>(gradients);
        expected.set(1, other);
        assertThat(((TrainUnit.UpdateUnit) updateAgain.unit()).gradients())
                .as("ST-2")
                .isEqualTo(expected);
        done(updateAgain);
        toTheEnd();
        assertLearnedAsIfNothingHadHappened();
    }

    /** ST-7: a unit reads tensors of the run itself; only the network made them unavailable. */
    @Test
    void a_unit_that_could_not_have_the_first_state_is_asked_for_again() {
        WorkQueue.Submit<TrainUnit, Trained> unit = newlyAsked().getFirst();
        refuse(unit, lost(first.trained()));
        assertThat(newlyAsked()).extracting(WorkQueue.Submit::unit).containsExactly(unit.unit());
        assertThat(withdrawn).isNull();
    }

    /** ST-7: whether a gradient or the update misses it. */
    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void a_state_that_is_lost_between_passes_is_made_again_from_the_first_pass_on(boolean missedByUpdate) {
        LearnerState state = passDone(newlyAsked());
        List<WorkQueue.Submit<TrainUnit, Trained>> open = newlyAsked();
        if (missedByUpdate) {
            open.forEach(this::done);
            open = newlyAsked();
        }
        List<Trained> onTheirWay =
                open.stream().map(submit -> result(submit.unit())).toList();
        refuse(open.getFirst(), lost(state.firstMoment()));
        for (int i = 1; i < open.size(); i++) {
            answer(open.get(i), onTheirWay.get(i));
        }
        onTheirWay.getFirst().tensors().forEach(store::release);
        refuse(open.getLast(), lost(state.trained()));
        assertThat(newlyAsked())
                .as("before the queue says that nothing follows")
                .isEmpty();
        assertThat(bytesMade()).isZero();
        nothingFollows();
        List<WorkQueue.Submit<TrainUnit, Trained>> again = newlyAsked();
        assertThat(again).hasSize(blocks(plan.passes().getFirst()));
        assertThat(again).allMatch(asked -> asked.unit().inputs().contains(first.trained()));
        passDone(again);
        toTheEnd();
        assertLearnedAsIfNothingHadHappened();
    }

    private static int blocks(TrainingPlan.Pass pass) {
        return Math.ceilDiv(pass.units().size(), UNITS_PER_LEASE);
    }

    private int repairsMax() {
        return ATTEMPTS_MAX
                * plan.passes().stream().mapToInt(pass -> blocks(pass) + 1).sum();
    }

    /** ST-7, P-9. */
    @Test
    void units_that_miss_what_they_read_again_and_again_fail_the_step() {
        for (int repair = 0; repair <= repairsMax(); repair++) {
            assertThat(endings).as("after %d repairs", repair).isEmpty();
            refuse(newlyAsked().getFirst(), lost(first.trained()));
        }
        assertThat(endings).containsExactly(new StepTrainer.StepFailed(0, new Fault.StopRun("its node died")));
        nothingFollows();
        assertThat(gone).isTrue();
        assertThat(bytesMade()).isZero();
    }

    /** ST-7, P-9. */
    @Test
    void a_state_that_is_lost_again_and_again_fails_the_step() {
        for (int repair = 0; repair <= repairsMax(); repair++) {
            assertThat(endings).as("after %d repairs", repair).isEmpty();
            LearnerState state = passDone(newlyAsked());
            refuse(newlyAsked().getFirst(), lost(state.trained()));
            if (repair < repairsMax()) {
                nothingFollows();
            }
        }
        assertThat(endings)
                .containsExactly(new StepTrainer.StepFailed(0, new Fault.StopRun("step 0 of training: its node died")));
        nothingFollows();
        assertThat(gone).isTrue();
        assertThat(bytesMade()).isZero();
    }

    /** ST-5, ST-6: whether or not its state can then be taken over, and whichever answer comes last. */
    @ParameterizedTest
    @CsvSource({"true, true", "true, false", "false, true", "false, false"})
    void a_step_abandoned_while_its_state_is_taken_over_leaves_no_tensor(boolean taken, boolean queueFirst) {
        plane.hold();
        toTheEnd();
        trainer.tell(new StepTrainer.Abandon());
        look();
        if (queueFirst) {
            nothingFollows();
            assertThat(gone).as("it waits for the state").isFalse();
        }
        if (taken) {
            plane.letGo();
        } else {
            plane.fail();
        }
        look();
        if (!queueFirst) {
            assertThat(gone).as("it waits for the queue").isFalse();
            nothingFollows();
        }
        assertThat(gone).isTrue();
        assertThat(endings).isEmpty();
        assertThat(bytesMade()).isZero();
    }

    /** ST-5, ST-7: two withdrawals are answered twice. */
    @Test
    void a_step_abandoned_while_it_withdraws_waits_for_both_words_and_leaves_no_tensor() {
        LearnerState state = passDone(newlyAsked());
        List<WorkQueue.Submit<TrainUnit, Trained>> open = newlyAsked();
        Trained onItsWay = result(open.getLast().unit());
        refuse(open.getFirst(), lost(state.trained()));
        trainer.tell(new StepTrainer.Abandon());
        look();
        answer(open.getLast(), onItsWay);
        nothingFollows();
        assertThat(gone).as("the queue owes it a word").isFalse();
        nothingFollows();
        assertThat(gone).isTrue();
        assertThat(newlyAsked()).isEmpty();
        assertThat(endings).isEmpty();
        assertThat(bytesMade()).isZero();
    }

    /** ST-5: abandoned in the first pass, before an update, and in the second pass. */
    @ParameterizedTest
    @ValueSource(ints = {0, 1, 2})
    void an_abandoned_step_says_nothing_and_leaves_no_tensor(int moment) {
        List<WorkQueue.Submit<TrainUnit, Trained>> open = newlyAsked();
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
        requireNonNull(withdrawn).tell(new WorkQueue.Withdrawn<>());
        look();
        assertThat(gone).isTrue();
        assertThat(endings).isEmpty();
        assertThat(newlyAsked()).isEmpty();
        assertThat(bytesMade()).isZero();
    }
}
