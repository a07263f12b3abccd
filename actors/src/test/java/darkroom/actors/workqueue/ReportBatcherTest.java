package darkroom.actors.workqueue;

import static org.assertj.core.api.Assertions.assertThat;

import darkroom.actors.device.Fault;
import darkroom.actors.device.LeaseId;
import darkroom.actors.device.ScoreOutcome;
import darkroom.actors.device.ScoreUnit;
import darkroom.actors.run.SimulatedWorld;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import org.apache.pekko.actor.testkit.typed.javadsl.TestInbox;
import org.apache.pekko.actor.typed.ActorRef;
import org.apache.pekko.actor.typed.javadsl.Behaviors;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** Tests a report batcher between workers and a queue that only receives. */
class ReportBatcherTest {
    private static final Duration WAIT = WorkQueueBench.LIMITS.heartbeatEvery().dividedBy(ReportBatcher.BEAT_PARTS);

    private final SimulatedWorld world = new SimulatedWorld(1);
    private final TestInbox<WorkQueue.Command<ScoreUnit, ScoreOutcome>> queue = TestInbox.create();
    private final TestInbox<LeasedWorker.Command<ScoreUnit, ScoreOutcome>> worker = TestInbox.create();
    private final ActorRef<ReportBatcher.Command<ScoreUnit, ScoreOutcome>> batcher =
            world.spawn(ReportBatcher.create(queue.getRef(), WorkQueueBench.LIMITS), "report-batcher");
    private int words;

    @AfterEach
    void endOfTheWorld() {
        world.close();
    }

    private WorkQueue.WorkerReport<ScoreUnit, ScoreOutcome> beat() {
        return new WorkQueue.Heartbeat<>(worker.getRef(), "score-" + words++, 1, Set.of());
    }

    private WorkQueue.WorkerReport<ScoreUnit, ScoreOutcome> results(int count) {
        List<WorkQueue.Delivery<ScoreOutcome>> all = new ArrayList<>();
        for (int i = 0; i < count; i++) {
            all.add(new WorkQueue.Delivery<>(new LeaseId(words++), new ScoreOutcome.Scored(0.5, 1, 1, "judge")));
        }
        return new WorkQueue.Finished<>(worker.getRef(), all);
    }

    private WorkQueue.WorkerReport<ScoreUnit, ScoreOutcome> failure() {
        return new WorkQueue.Failed<>(worker.getRef(), new LeaseId(words++), new Fault.Retry("again"));
    }

    private void tell(List<WorkQueue.WorkerReport<ScoreUnit, ScoreOutcome>> all) {
        all.forEach(batcher::tell);
        world.settle();
    }

    private static List<WorkQueue.WorkerReport<ScoreUnit, ScoreOutcome>> wordsOf(
            WorkQueue.Command<ScoreUnit, ScoreOutcome> message) {
        return switch (message) {
            case WorkQueue.WorkerReports<ScoreUnit, ScoreOutcome>(
                    List<WorkQueue.WorkerReport<ScoreUnit, ScoreOutcome>> several) -> several;
            case WorkQueue.WorkerReport<ScoreUnit, ScoreOutcome> one -> List.of(one);
            default -> throw new AssertionError(message);
        };
    }

    /** RB-2: as many messages per interval as nodes, not as workers. */
    @Test
    void heartbeats_of_many_workers_wait_for_each_other_and_go_in_one_message() {
        List<WorkQueue.WorkerReport<ScoreUnit, ScoreOutcome>> beats = List.of(beat(), beat(), beat());
        tell(beats);
        assertThat(queue.hasMessages()).as("others may come").isFalse();
        world.pass(WAIT);
        assertThat(queue.getAllReceived()).containsExactly(new WorkQueue.WorkerReports<>(beats));
        world.pass(WAIT.multipliedBy(ReportBatcher.BEAT_PARTS));
        assertThat(queue.hasMessages()).as("all is brought").isFalse();
    }

    /** RB-2: no result waits because of a heartbeat; RB-1: which stays before it. */
    @Test
    void a_result_and_a_failure_go_at_once_with_what_waits_before_them() {
        List<WorkQueue.WorkerReport<ScoreUnit, ScoreOutcome>> all = List.of(beat(), results(1), beat(), failure());
        tell(all);
        assertThat(queue.getAllReceived()).containsExactly(new WorkQueue.WorkerReports<>(all));
    }

    /** RB-3. */
    @Test
    void a_single_word_goes_as_it_is() {
        WorkQueue.WorkerReport<ScoreUnit, ScoreOutcome> only = results(2);
        tell(List.of(only));
        assertThat(queue.getAllReceived()).containsExactly(only);
    }

    /** RB-1, RB-3. */
    @Test
    void no_message_has_more_words_or_results_than_fit_and_none_is_missing() {
        List<WorkQueue.WorkerReport<ScoreUnit, ScoreOutcome>> all = new ArrayList<>();
        for (int i = 0; i < 40; i++) {
            all.add(results(1 + i % WorkQueue.UNITS_PER_MESSAGE_MAX));
        }
        for (int i = 0; i < 2 * ReportBatcher.WORDS_MAX + 1; i++) {
            all.add(failure());
        }
        tell(all);
        List<WorkQueue.WorkerReport<ScoreUnit, ScoreOutcome>> brought = new ArrayList<>();
        for (WorkQueue.Command<ScoreUnit, ScoreOutcome> message : queue.getAllReceived()) {
            List<WorkQueue.WorkerReport<ScoreUnit, ScoreOutcome>> together = wordsOf(message);
            assertThat(together).hasSizeLessThanOrEqualTo(ReportBatcher.WORDS_MAX);
            assertThat(together.stream()
                            .filter(WorkQueue.Finished.class::isInstance)
                            .mapToInt(word ->
                                    ((WorkQueue.Finished<?, ?>) word).results().size())
                            .sum())
                    .isLessThanOrEqualTo(WorkQueue.UNITS_PER_MESSAGE_MAX);
            brought.addAll(together);
        }
        assertThat(brought).containsExactlyElementsOf(all);
    }

    /** RB-1: the end of an incarnation of the node loses no report of its workers. */
    @Test
    void a_courier_that_is_stopped_brings_what_it_has_taken() {
        List<ActorRef<ReportBatcher.Command<ScoreUnit, ScoreOutcome>>> spawned = new ArrayList<>();
        ActorRef<String> incarnation = world.spawn(
                Behaviors.setup(context -> {
                    spawned.add(context.spawnAnonymous(ReportBatcher.create(queue.getRef(), WorkQueueBench.LIMITS)));
                    return Behaviors.receiveMessage(_ -> Behaviors.stopped());
                }),
                "life");
        world.settle();
        List<WorkQueue.WorkerReport<ScoreUnit, ScoreOutcome>> beats = List.of(beat(), beat());
        beats.forEach(spawned.getFirst()::tell);
        world.settle();
        assertThat(queue.hasMessages()).as("they wait for others").isFalse();
        incarnation.tell("over");
        world.settle();
        assertThat(queue.getAllReceived()).containsExactly(new WorkQueue.WorkerReports<>(beats));
    }
}
