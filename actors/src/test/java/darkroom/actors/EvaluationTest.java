package darkroom.actors;

import static org.assertj.core.api.Assertions.assertThat;

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

    private final WorldRun studio = new WorldRun(5, Settings.run(0), StopWhen.NEVER);
    private final LearnerState learner = studio.devices.learner(1);
    private final List<Prompt> prompts = IntStream.range(0, PROMPTS)
            .mapToObj(row -> studio.devices.prompt("held-" + row))
            .toList();
    private final long bytesBefore = studio.store.bytesHeld();
    private final TestInbox<RunEvent.Evaluated> answers = TestInbox.create();

    @AfterEach
    void endOfTheWorld() {
        studio.close();
    }

    private EvaluationRequest request(List<Prompt> asked) {
        return new EvaluationRequest("held-out", 7, 1, new PolicyVersion(0), learner.average(), asked, IMAGES);
    }

    private RunEvent.Evaluated evaluated() {
        studio.studio.tell(new Studio.Evaluate(request(prompts), answers.getRef()));
        assertThat(studio.world.runUntil(answers::hasMessages, Duration.ofHours(1)))
                .isTrue();
        RunEvent.Evaluated evaluated = answers.receiveMessage();
        studio.world.pass(Duration.ofSeconds(1));
        assertThat(answers.hasMessages()).as("EV-1: it answers once").isFalse();
        return evaluated;
    }

    /** EV-1, EV-2. */
    @ParameterizedTest
    @ValueSource(ints = {1, 5})
    void it_answers_once_after_the_listener_with_one_ending_a_prompt_in_prompt_order(int devices) {
        studio.with(devices, 1);
        RunEvent.Evaluated evaluated = evaluated();
        assertThat(evaluated.endings().stream().map(ending -> ending.draw().prompt()))
                .isEqualTo(prompts);
        assertThat(evaluated.endings()).allMatch(ending -> ending instanceof GroupKeeper.GroupEnded);
        assertThat(studio.heard.getLast()).isEqualTo(evaluated);
        assertThat(studio.heard(RunEvent.GroupFinished.class)).hasSize(PROMPTS);
        assertThat(studio.store.bytesHeld()).isEqualTo(bytesBefore);
    }

    /** EV-3: the one who asked gets an answer without a result, and the listener gets no event. */
    @Test
    void an_evaluation_is_given_up_at_once_when_the_process_is_asked_to_end() {
        studio.studio.tell(new Studio.Evaluate(request(prompts), answers.getRef()));
        studio.world.pass(Duration.ofSeconds(1));
        assertThat(answers.hasMessages()).as("nobody draws").isFalse();
        studio.studio.tell(new Studio.FinishStep());
        assertThat(studio.world.runUntil(answers::hasMessages, Duration.ofMillis(100)))
                .isTrue();
        assertThat(answers.receiveMessage().endings())
                .hasSize(PROMPTS)
                .allMatch(ending ->
                        ending instanceof GroupKeeper.GroupLost lost && lost.fault() instanceof Fault.StopRun);
        assertThat(studio.heard(RunEvent.Evaluated.class)).isEmpty();
        assertThat(studio.store.bytesHeld()).isEqualTo(bytesBefore);

        studio.with(2, 1);
        studio.studio.tell(new Studio.Evaluate(request(prompts), answers.getRef()));
        assertThat(studio.world.runUntil(answers::hasMessages, Duration.ofMillis(100)))
                .as("a later one, too")
                .isTrue();
    }

    /** EV-1: a scorer's or a device's fault is a lost group in its place. */
    @Test
    void groups_that_cannot_be_drawn_are_lost_in_their_places() {
        Crew crew = new Crew(
                List.of(new DeviceSeat<>("rollout-0", () -> new FailingAt(studio.devices.rollout(), 4))),
                studio.crew(1, 1).reward(),
                List.of());
        studio.studio.tell(new Studio.Offer("here", crew));
        RunEvent.Evaluated evaluated = evaluated();
        for (int group = 0; group < PROMPTS; group++) {
            assertThat(evaluated.endings().get(group) instanceof GroupKeeper.GroupLost)
                    .isEqualTo(group == 4);
        }
        assertThat(studio.store.bytesHeld()).isEqualTo(bytesBefore);
    }

    /** EV-1, EV-2. */
    @ParameterizedTest
    @ValueSource(ints = {1, 3, 9, 10})
    void a_listener_that_fails_loses_all_groups_and_the_answer_says_why(int failing) {
        studio.with(2, 1);
        int[] heard = {failing};
        studio.listener = event -> {
            if (!(event instanceof DeskEvent) && --heard[0] == 0) {
                throw new IllegalStateException("the disk is full");
            }
        };
        RunEvent.Evaluated evaluated = evaluated();
        assertThat(evaluated.endings()).hasSize(PROMPTS);
        assertThat(evaluated.endings())
                .allMatch(ending -> ending instanceof GroupKeeper.GroupLost lost
                        && lost.fault().message().contains("the disk is full"));
        assertThat(studio.store.bytesHeld()).isEqualTo(bytesBefore);
    }

    /** EV-1. */
    @Test
    void without_prompts_it_answers_at_once() {
        studio.studio.tell(new Studio.Evaluate(request(List.of()), answers.getRef()));
        studio.world.settle();
        assertThat(answers.receiveMessage().endings()).isEmpty();
    }

    /** P-9. */
    @Test
    void no_more_groups_are_open_than_the_limit_says() {
        Set<String> begun = new HashSet<>();
        List<Integer> open = new ArrayList<>();
        studio.studio.tell(new Studio.Offer("here", studio.crew(9, 1, unit -> {
            if (unit instanceof DrawUnit) {
                begun.add(unit.name());
                open.add(begun.size()
                        - studio.heard(RunEvent.GroupFinished.class).size());
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
        studio.with(3, 1);
        TestInbox<Desks> introduced = TestInbox.create();
        studio.studio.tell(new Studio.Introduce(introduced.getRef()));
        studio.world.settle();
        ActorRef<Evaluation.Command> evaluation = studio.world.spawn(
                Evaluation.create(
                        request(prompts),
                        introduced.receiveMessage(),
                        Settings.LIMITS,
                        new LocalTensorPlane(studio.store),
                        studio.world.clock(),
                        studio.ports.listener(),
                        answers.getRef()),
                "evaluation");
        AtomicBoolean gone = studio.world.gone(evaluation);
        studio.world.pass(Duration.ofMillis(milliseconds));
        evaluation.tell(new Evaluation.Abandon());
        studio.world.pass(Duration.ofSeconds(5));
        assertThat(gone).isTrue();
        assertThat(answers.hasMessages()).isFalse();
        assertThat(studio.heard(RunEvent.Evaluated.class)).isEmpty();
        assertThat(studio.store.bytesHeld()).isEqualTo(bytesBefore);
    }

    /** Cannot draw one group. */
    private record FailingAt(Device<DrawUnit, Drawn> device, int group) implements Device<DrawUnit, Drawn> {
        @Override
        public CompletionStage<Drawn> perform(DrawUnit unit) {
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
