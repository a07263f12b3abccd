package darkroom.actors.run;

import static org.assertj.core.api.Assertions.assertThat;

import darkroom.actors.device.Device;
import darkroom.actors.device.Fault;
import darkroom.actors.device.FaultException;
import darkroom.actors.device.FaultyDevice;
import darkroom.actors.device.GroupOutcome;
import darkroom.actors.device.LearnerState;
import darkroom.actors.device.PolicyVersion;
import darkroom.actors.device.Prompt;
import darkroom.actors.device.RolloutResult;
import darkroom.actors.device.RolloutUnit;
import darkroom.actors.events.EvaluationRequest;
import darkroom.actors.events.RunEvent;
import darkroom.actors.events.StopWhen;
import darkroom.actors.events.WorkQueueEvent;
import darkroom.actors.workqueue.DevicePool;
import darkroom.actors.workqueue.DeviceSlot;
import darkroom.actors.workqueue.WorkQueues;
import darkroom.tensors.LocalTensorPlane;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.stream.IntStream;
import org.apache.pekko.actor.testkit.typed.javadsl.TestInbox;
import org.apache.pekko.actor.typed.ActorRef;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class EvaluationTest {
    private static final int PROMPTS = 9;
    private static final int IMAGES = 3;

    private final WorldRun guardian = new WorldRun(5, Settings.run(0), StopWhen.NEVER);
    private final LearnerState learner = guardian.devices.learner(1);
    private final List<Prompt> prompts = IntStream.range(0, PROMPTS)
            .mapToObj(row -> guardian.devices.prompt("held-" + row))
            .toList();
    private final long bytesBefore = guardian.store.bytesHeld();
    private final TestInbox<RunEvent.Evaluated> answers = TestInbox.create();

    @AfterEach
    void endOfTheWorld() {
        guardian.close();
    }

    private EvaluationRequest request(List<Prompt> asked) {
        return new EvaluationRequest("held-out", 7, 1, new PolicyVersion(0), learner.average(), asked, IMAGES);
    }

    private RunEvent.Evaluated evaluated() {
        guardian.guardian.tell(new RunGuardian.Evaluate(request(prompts), answers.getRef()));
        assertThat(guardian.world.runUntil(answers::hasMessages, Duration.ofHours(1)))
                .isTrue();
        RunEvent.Evaluated evaluated = answers.receiveMessage();
        guardian.world.pass(Duration.ofSeconds(1));
        assertThat(answers.hasMessages()).as("EV-1: it answers once").isFalse();
        return evaluated;
    }

    /** EV-1, EV-2. */
    @ParameterizedTest
    @ValueSource(ints = {1, 5})
    void it_answers_once_after_the_listener_with_one_ending_a_prompt_in_prompt_order(int devices) {
        guardian.with(devices, 1);
        RunEvent.Evaluated evaluated = evaluated();
        assertThat(evaluated.endings().stream().map(ending -> ending.rollout().prompt()))
                .isEqualTo(prompts);
        assertThat(evaluated.endings()).allMatch(ending -> ending instanceof GroupOutcome.Finished);
        assertThat(guardian.heard.getLast()).isEqualTo(evaluated);
        assertThat(guardian.heard(RunEvent.GroupFinished.class)).hasSize(PROMPTS);
        assertThat(guardian.store.bytesHeld()).isEqualTo(bytesBefore);
    }

    /** EV-3: the requester gets an answer without a result, and the listener gets no event. */
    @Test
    void an_evaluation_is_given_up_at_once_when_the_process_is_asked_to_end() {
        guardian.guardian.tell(new RunGuardian.Evaluate(request(prompts), answers.getRef()));
        guardian.world.pass(Duration.ofSeconds(1));
        assertThat(answers.hasMessages()).as("nobody rollouts").isFalse();
        guardian.guardian.tell(new RunGuardian.FinishStep());
        assertThat(guardian.world.runUntil(answers::hasMessages, Duration.ofMillis(100)))
                .isTrue();
        assertThat(answers.receiveMessage().endings())
                .hasSize(PROMPTS)
                .allMatch(ending -> ending instanceof GroupOutcome.Lost lost && lost.fault() instanceof Fault.StopRun);
        assertThat(guardian.heard(RunEvent.Evaluated.class)).isEmpty();
        assertThat(guardian.store.bytesHeld()).isEqualTo(bytesBefore);

        guardian.with(2, 1);
        guardian.guardian.tell(new RunGuardian.Evaluate(request(prompts), answers.getRef()));
        assertThat(guardian.world.runUntil(answers::hasMessages, Duration.ofMillis(100)))
                .as("a later one, too")
                .isTrue();
    }

    /** EV-1: a scorer's or a device's fault is a lost group in its place. */
    @Test
    void groups_that_cannot_be_drawn_are_lost_in_their_places() {
        DevicePool devicePool = new DevicePool(
                List.of(new DeviceSlot<>("rollout-0", () -> new FailingAt(guardian.devices.rollout(), 4))),
                guardian.devicePool(1, 1).reward(),
                List.of());
        guardian.guardian.tell(new RunGuardian.Offer("here", devicePool));
        RunEvent.Evaluated evaluated = evaluated();
        for (int group = 0; group < PROMPTS; group++) {
            assertThat(evaluated.endings().get(group) instanceof GroupOutcome.Lost)
                    .isEqualTo(group == 4);
        }
        assertThat(guardian.store.bytesHeld()).isEqualTo(bytesBefore);
    }

    /** EV-1, EV-2. */
    @ParameterizedTest
    @ValueSource(ints = {1, 3, 9, 10})
    void a_listener_that_fails_loses_all_groups_and_the_answer_says_why(int failing) {
        guardian.with(2, 1);
        int[] heard = {failing};
        guardian.listener = event -> {
            if (!(event instanceof WorkQueueEvent) && --heard[0] == 0) {
                throw new IllegalStateException("the disk is full");
            }
        };
        RunEvent.Evaluated evaluated = evaluated();
        assertThat(evaluated.endings()).hasSize(PROMPTS);
        assertThat(evaluated.endings())
                .allMatch(ending -> ending instanceof GroupOutcome.Lost lost
                        && lost.fault().message().contains("the disk is full"));
        assertThat(guardian.store.bytesHeld()).isEqualTo(bytesBefore);
    }

    /** EV-1. */
    @Test
    void without_prompts_it_answers_at_once() {
        guardian.guardian.tell(new RunGuardian.Evaluate(request(List.of()), answers.getRef()));
        guardian.world.settle();
        assertThat(answers.receiveMessage().endings()).isEmpty();
    }

    /** P-9. */
    @Test
    void no_more_groups_are_open_than_the_limit_says() {
        Set<String> begun = new HashSet<>();
        List<Integer> open = new ArrayList<>();
        guardian.guardian.tell(new RunGuardian.Offer("here", guardian.devicePool(9, 1, unit -> {
            if (unit instanceof RolloutUnit) {
                begun.add(unit.name());
                open.add(begun.size()
                        - guardian.heard(RunEvent.GroupFinished.class).size());
            }
            return FaultyDevice.Happening.WELL;
        })));
        evaluated();
        assertThat(open.stream().mapToInt(Integer::intValue).max()).hasValue(Settings.LIMITS.groupsInFlightMax());
    }

    /** EV-3, EV-2: abandoned at any moment. */
    @ParameterizedTest
    @ValueSource(ints = {0, 10, 25, 40, 80, 120})
    void abandoned_it_says_nothing_and_leaves_no_tensor(int milliseconds) {
        guardian.with(3, 1);
        TestInbox<WorkQueues> introduced = TestInbox.create();
        guardian.guardian.tell(new RunGuardian.Introduce(introduced.getRef()));
        guardian.world.settle();
        ActorRef<Evaluation.Command> evaluation = guardian.world.spawn(
                Evaluation.create(
                        request(prompts),
                        new WorkPorts(
                                introduced.receiveMessage(),
                                new LocalTensorPlane(guardian.store),
                                guardian.world.clock(),
                                Settings.LIMITS),
                        guardian.ports.listener(),
                        answers.getRef()),
                "evaluation");
        AtomicBoolean gone = guardian.world.gone(evaluation);
        guardian.world.pass(Duration.ofMillis(milliseconds));
        evaluation.tell(new Evaluation.Abandon());
        guardian.world.pass(Duration.ofSeconds(5));
        assertThat(gone).isTrue();
        assertThat(answers.hasMessages()).isFalse();
        assertThat(guardian.heard(RunEvent.Evaluated.class)).isEmpty();
        assertThat(guardian.store.bytesHeld()).isEqualTo(bytesBefore);
    }

    /** Fails to generate one group. */
    private record FailingAt(Device<RolloutUnit, RolloutResult> device, int group)
            implements Device<RolloutUnit, RolloutResult> {
        @Override
        public CompletionStage<RolloutResult> perform(RolloutUnit unit) {
            if (unit.group() == group) {
                throw new FaultException(new Fault.DropGroup("no such picture"));
            }
            return device.perform(unit);
        }

        @Override
        public void close() {
            device.close();
        }
    }
}
