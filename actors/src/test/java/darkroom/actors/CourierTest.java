package darkroom.actors;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import org.apache.pekko.actor.testkit.typed.javadsl.TestInbox;
import org.apache.pekko.actor.typed.ActorRef;
import org.apache.pekko.actor.typed.javadsl.Behaviors;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** A courier between workers and a desk that only listens. */
class CourierTest {
    private static final Duration WAIT = DeskBench.LIMITS.heartbeatEvery().dividedBy(Courier.BEAT_PARTS);

    private final SimulatedWorld world = new SimulatedWorld(1);
    private final TestInbox<WorkDesk.Command<ScoreUnit, ScoreOutcome>> desk = TestInbox.create();
    private final TestInbox<LeasedWorker.Command<ScoreUnit, ScoreOutcome>> worker = TestInbox.create();
    private final ActorRef<Courier.Command<ScoreUnit, ScoreOutcome>> courier =
            world.spawn(Courier.create(desk.getRef(), DeskBench.LIMITS), "courier");
    private int words;

    @AfterEach
    void endOfTheWorld() {
        world.close();
    }

    private WorkDesk.Word<ScoreUnit, ScoreOutcome> beat() {
        return new WorkDesk.Heartbeat<>(worker.getRef(), "score-" + words++, 1, Set.of());
    }

    private WorkDesk.Word<ScoreUnit, ScoreOutcome> results(int count) {
        List<WorkDesk.Delivery<ScoreOutcome>> all = new ArrayList<>();
        for (int i = 0; i < count; i++) {
            all.add(new WorkDesk.Delivery<>(new LeaseId(words++), new ScoreOutcome.Scored(0.5, 1, 1, "judge")));
        }
        return new WorkDesk.Finished<>(worker.getRef(), all);
    }

    private WorkDesk.Word<ScoreUnit, ScoreOutcome> failure() {
        return new WorkDesk.Failed<>(worker.getRef(), new LeaseId(words++), new Fault.Retry("again"));
    }

    private void tell(List<WorkDesk.Word<ScoreUnit, ScoreOutcome>> all) {
        all.forEach(courier::tell);
        world.settle();
    }

    private static List<WorkDesk.Word<ScoreUnit, ScoreOutcome>> wordsOf(
            WorkDesk.Command<ScoreUnit, ScoreOutcome> message) {
        return switch (message) {
            case WorkDesk.Words<ScoreUnit, ScoreOutcome>(List<WorkDesk.Word<ScoreUnit, ScoreOutcome>> several) ->
                several;
            case WorkDesk.Word<ScoreUnit, ScoreOutcome> one -> List.of(one);
            default -> throw new AssertionError(message);
        };
    }

    /** CO-2: as many messages an interval as nodes, not as workers. */
    @Test
    void heartbeats_of_many_workers_wait_for_each_other_and_go_in_one_message() {
        List<WorkDesk.Word<ScoreUnit, ScoreOutcome>> beats = List.of(beat(), beat(), beat());
        tell(beats);
        assertThat(desk.hasMessages()).as("others may come").isFalse();
        world.pass(WAIT);
        assertThat(desk.getAllReceived()).containsExactly(new WorkDesk.Words<>(beats));
        world.pass(WAIT.multipliedBy(Courier.BEAT_PARTS));
        assertThat(desk.hasMessages()).as("all is brought").isFalse();
    }

    /** CO-2: nobody waits for a result because of a heartbeat; CO-1: which stays before it. */
    @Test
    void a_result_and_a_failure_go_at_once_with_what_waits_before_them() {
        List<WorkDesk.Word<ScoreUnit, ScoreOutcome>> all = List.of(beat(), results(1), beat(), failure());
        tell(all);
        assertThat(desk.getAllReceived()).containsExactly(new WorkDesk.Words<>(all));
    }

    /** CO-3. */
    @Test
    void a_single_word_goes_as_it_is() {
        WorkDesk.Word<ScoreUnit, ScoreOutcome> only = results(2);
        tell(List.of(only));
        assertThat(desk.getAllReceived()).containsExactly(only);
    }

    /** CO-1, CO-3. */
    @Test
    void no_message_has_more_words_or_results_than_fit_and_none_is_missing() {
        List<WorkDesk.Word<ScoreUnit, ScoreOutcome>> all = new ArrayList<>();
        for (int i = 0; i < 40; i++) {
            all.add(results(1 + i % WorkDesk.UNITS_PER_MESSAGE_MAX));
        }
        for (int i = 0; i < 2 * Courier.WORDS_MAX + 1; i++) {
            all.add(failure());
        }
        tell(all);
        List<WorkDesk.Word<ScoreUnit, ScoreOutcome>> brought = new ArrayList<>();
        for (WorkDesk.Command<ScoreUnit, ScoreOutcome> message : desk.getAllReceived()) {
            List<WorkDesk.Word<ScoreUnit, ScoreOutcome>> together = wordsOf(message);
            assertThat(together).hasSizeLessThanOrEqualTo(Courier.WORDS_MAX);
            assertThat(together.stream()
                            .filter(WorkDesk.Finished.class::isInstance)
                            .mapToInt(word ->
                                    ((WorkDesk.Finished<?, ?>) word).results().size())
                            .sum())
                    .isLessThanOrEqualTo(WorkDesk.UNITS_PER_MESSAGE_MAX);
            brought.addAll(together);
        }
        assertThat(brought).containsExactlyElementsOf(all);
    }

    /** CO-1: the end of a life of the node loses nothing that its workers had said. */
    @Test
    void a_courier_that_is_stopped_brings_what_it_has_taken() {
        List<ActorRef<Courier.Command<ScoreUnit, ScoreOutcome>>> spawned = new ArrayList<>();
        ActorRef<String> life = world.spawn(
                Behaviors.setup(context -> {
                    spawned.add(context.spawnAnonymous(Courier.create(desk.getRef(), DeskBench.LIMITS)));
                    return Behaviors.receiveMessage(_ -> Behaviors.stopped());
                }),
                "life");
        world.settle();
        List<WorkDesk.Word<ScoreUnit, ScoreOutcome>> beats = List.of(beat(), beat());
        beats.forEach(spawned.getFirst()::tell);
        world.settle();
        assertThat(desk.hasMessages()).as("they wait for others").isFalse();
        life.tell("over");
        world.settle();
        assertThat(desk.getAllReceived()).containsExactly(new WorkDesk.Words<>(beats));
    }
}
