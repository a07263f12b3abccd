package darkroom.actors.events;

import static org.assertj.core.api.Assertions.assertThat;

import darkroom.actors.run.RunGuardian;
import darkroom.actors.run.Settings;
import darkroom.actors.run.SimulatedRun;
import darkroom.actors.workqueue.WorkQueues;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.stream.IntStream;
import org.apache.pekko.actor.testkit.typed.javadsl.ActorTestKit;
import org.apache.pekko.actor.testkit.typed.javadsl.TestInbox;
import org.apache.pekko.actor.testkit.typed.javadsl.TestProbe;
import org.apache.pekko.actor.typed.ActorRef;
import org.junit.jupiter.api.Test;

class ListenerQueueTest {
    private static final int WAITING_MAX = 3;

    private final TestInbox<RunEvent> teller = TestInbox.create();
    private final ListenerQueue queue = new ListenerQueue(teller.getRef(), WAITING_MAX);

    private static RunEvent event(int number) {
        return new WorkQueueEvent.NobodyThere("rollout", number);
    }

    private static List<RunEvent> events(int from, int to) {
        return IntStream.range(from, to).mapToObj(ListenerQueueTest::event).toList();
    }

    /** The guardian of a process answers while the listener is writing a checkpoint: style.md, nothing blocks a dispatcher. */
    @Test
    void a_guardian_answers_while_its_listener_waits_for_a_disk() throws InterruptedException {
        CountDownLatch disk = new CountDownLatch(1);
        CountDownLatch listening = new CountDownLatch(1);
        RunListener slow = _ -> {
            listening.countDown();
            try {
                disk.await();
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
            }
        };
        ActorTestKit kit = ActorTestKit.create();
        try (SimulatedRun run = new SimulatedRun(kit, Settings.run(0), StopWhen.NEVER)) {
            ActorRef<RunGuardian.Command> guardian =
                    kit.spawn(RunGuardian.create(Settings.run(0), run.ports.with(slow)));
            TestProbe<WorkQueues> answers = kit.createTestProbe();
            guardian.tell(new RunGuardian.Offer("here", run.devicePool(2, 1)));
            assertThat(listening.await(10, TimeUnit.SECONDS)).isTrue();
            guardian.tell(new RunGuardian.Introduce(answers.getRef()));
            answers.expectMessageClass(WorkQueues.class, Duration.ofSeconds(2));
        } finally {
            disk.countDown();
            kit.shutdownTestKit();
        }
    }

    /** LQ-1. */
    @Test
    void events_are_told_in_their_order() {
        events(0, 3).forEach(queue::add);
        assertThat(teller.getAllReceived()).isEqualTo(events(0, 3));
    }

    /** LQ-2, P-9. */
    @Test
    void events_that_do_not_fit_are_counted_and_the_count_is_told_next() {
        events(0, 8).forEach(queue::add);
        assertThat(teller.getAllReceived()).isEqualTo(events(0, WAITING_MAX));
        queue.delivered();
        assertThat(teller.getAllReceived()).containsExactly(new RunEvent.EventsDropped(5, WAITING_MAX));
        queue.delivered();
        queue.add(event(9));
        assertThat(teller.getAllReceived()).as("counted once").containsExactly(event(9));
    }

    /** LQ-3. */
    @Test
    void a_listener_that_fails_at_an_event_gets_the_next_one() {
        ActorTestKit kit = ActorTestKit.create();
        try (SimulatedRun run = new SimulatedRun(kit, Settings.run(0), StopWhen.NEVER)) {
            TestProbe<RunEvent> told = kit.createTestProbe();
            ActorRef<RunGuardian.Command> guardian =
                    kit.spawn(RunGuardian.create(Settings.run(0), run.ports.with(event -> {
                        told.ref().tell(event);
                        throw new IllegalStateException("a disk that is full");
                    })));
            guardian.tell(new RunGuardian.Offer("here", run.devicePool(2, 1)));
            told.expectMessageClass(WorkQueueEvent.WorkerJoined.class);
            told.expectMessageClass(WorkQueueEvent.WorkerJoined.class);
        } finally {
            kit.shutdownTestKit();
        }
    }
}
