package darkroom.actors.workqueue;

import static org.assertj.core.api.Assertions.assertThat;

import darkroom.actors.device.Device;
import darkroom.actors.device.Fault;
import darkroom.actors.device.FaultException;
import darkroom.actors.device.LearnerState;
import darkroom.actors.device.LeaseId;
import darkroom.actors.device.TrainUnit;
import darkroom.actors.device.Trained;
import darkroom.actors.events.WorkQueueEvent;
import darkroom.actors.run.SimulatedWorld;
import darkroom.tensors.TensorLostException;
import darkroom.tensors.TensorRef;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.atomic.AtomicBoolean;
import org.apache.pekko.actor.testkit.typed.javadsl.TestInbox;
import org.apache.pekko.actor.typed.ActorRef;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Tests a worker and its worker supervisor, at a scripted queue. */
class LeasedWorkerTest {
    private static final Duration BEAT = WorkQueueBench.LIMITS.heartbeatEvery();

    private final SimulatedWorld world = new SimulatedWorld(1);
    private final List<TensorRef> released = new ArrayList<>();
    private final TestInbox<WorkQueue.Command<TrainUnit, Trained>> queue = TestInbox.create();
    private final List<ByHand> devices = new ArrayList<>();
    private int tensors;

    @AfterEach
    void endOfTheWorld() {
        world.close();
    }

    /** Completes units on request of the test. */
    private static final class ByHand implements Device<TrainUnit, Trained> {
        private final List<CompletableFuture<Trained>> begun = new ArrayList<>();
        private boolean closed;

        @Override
        public CompletionStage<Trained> perform(TrainUnit unit) {
            CompletableFuture<Trained> result = new CompletableFuture<>();
            begun.add(result);
            return result;
        }

        @Override
        public int capacity() {
            return 2;
        }

        @Override
        public void close() {
            closed = true;
        }
    }

    private ByHand device() {
        ByHand device = new ByHand();
        devices.add(device);
        return device;
    }

    private ActorRef<LeasedWorker.Command<TrainUnit, Trained>> worker() {
        ActorRef<LeasedWorker.Command<TrainUnit, Trained>> worker = world.spawn(
                LeasedWorker.create("trainer-0", this::device, queue.getRef(), WorkQueueBench.LIMITS, released::add),
                "worker");
        world.settle();
        return worker;
    }

    private void lease(ActorRef<LeasedWorker.Command<TrainUnit, Trained>> worker, long id) {
        LearnerState none = new LearnerState(0, tensor(), tensor(), tensor(), tensor(), tensor());
        TrainUnit unit = new TrainUnit.GradientBlock("run", 1, 0, 0, (int) id, none, List.of(List.of()), 1);
        worker.tell(new LeasedWorker.Perform<>(new LeaseId(id), unit));
        world.settle();
    }

    private TensorRef tensor() {
        return new TensorRef(tensors++, "here", TensorRef.ElementType.FLOAT32, List.of(1), 0);
    }

    private <C> List<C> said(Class<C> what) {
        world.settle();
        return queue.getAllReceived().stream()
                .filter(what::isInstance)
                .map(what::cast)
                .toList();
    }

    /** LW-2. */
    @Test
    void the_queue_hears_of_a_worker_at_every_beat_with_its_leases() {
        ActorRef<LeasedWorker.Command<TrainUnit, Trained>> worker = worker();
        assertThat(said(WorkQueue.Heartbeat.class)).hasSize(1);
        lease(worker, 5);
        for (int i = 0; i < 20; i++) {
            world.pass(BEAT);
            assertThat(said(WorkQueue.Heartbeat.class))
                    .containsExactly(new WorkQueue.Heartbeat<>(worker, "trainer-0", 2, Set.of(new LeaseId(5))));
        }
    }

    /** LW-1. */
    @Test
    void every_lease_is_answered_once() {
        ActorRef<LeasedWorker.Command<TrainUnit, Trained>> worker = worker();
        lease(worker, 1);
        lease(worker, 1);
        lease(worker, 2);
        assertThat(devices.getFirst().begun)
                .as("a lease that is received twice is one lease")
                .hasSize(2);
        Trained result = new Trained.Gradient(tensor(), 0, 0);
        devices.getFirst().begun.get(0).complete(result);
        devices.getFirst().begun.get(1).completeExceptionally(new CompletionException(new IllegalStateException("no")));
        List<Object> answers = new ArrayList<>(said(Object.class));
        answers.removeIf(WorkQueue.Heartbeat.class::isInstance);
        assertThat(answers)
                .containsExactlyInAnyOrder(
                        new WorkQueue.Finished<>(worker, new LeaseId(1), result),
                        new WorkQueue.Failed<>(
                                worker, new LeaseId(2), new Fault.Retry("trainer-0: IllegalStateException: no")));
        assertThat(released).isEmpty();
    }

    /** LW-1. */
    @Test
    void results_that_are_there_together_are_delivered_together_up_to_what_a_message_holds() {
        ActorRef<LeasedWorker.Command<TrainUnit, Trained>> worker = worker();
        int count = WorkQueue.UNITS_PER_MESSAGE_MAX + 1;
        for (int i = 0; i < count; i++) {
            lease(worker, i);
        }
        devices.getFirst().begun.forEach(one -> one.complete(new Trained.Gradient(tensor(), 0, 0)));
        List<WorkQueue.Finished<?, ?>> finished = new ArrayList<>();
        said(WorkQueue.Finished.class).forEach(finished::add);
        assertThat(finished.stream().map(one -> one.results().size()))
                .containsExactly(WorkQueue.UNITS_PER_MESSAGE_MAX, 1);
        assertThat(finished.stream().flatMap(one -> one.results().stream()).map(delivery -> delivery.lease()))
                .doesNotHaveDuplicates()
                .hasSize(count);
    }

    /** LW-1. */
    @Test
    void a_device_says_by_its_exception_what_happens_next() {
        ActorRef<LeasedWorker.Command<TrainUnit, Trained>> worker = worker();
        TensorRef gone = tensor();
        lease(worker, 1);
        devices.getFirst().begun.getFirst().completeExceptionally(new TensorLostException(gone, "tensor 7 is gone"));
        lease(worker, 2);
        devices.getFirst().begun.getLast().completeExceptionally(new FaultException(new Fault.StopRun("no key")));
        assertThat(said(WorkQueue.Failed.class).stream().map(failed -> failed.fault()))
                .containsExactly(
                        new Fault.InputLost(gone, "trainer-0: TensorLostException: tensor 7 is gone"),
                        new Fault.StopRun("no key"));
    }

    /** LW-3: one result is on its way to the worker when it stops, one comes later. */
    @Test
    void a_worker_that_stops_releases_what_its_device_still_finishes_and_closes_it() {
        ActorRef<LeasedWorker.Command<TrainUnit, Trained>> worker = worker();
        AtomicBoolean gone = world.gone(worker);
        lease(worker, 1);
        lease(worker, 2);
        TensorRef early = tensor();
        TensorRef late = tensor();
        worker.tell(new LeasedWorker.Stop<>());
        devices.getFirst().begun.get(0).complete(new Trained.Gradient(early, 0, 0));
        world.settle();
        assertThat(gone).isTrue();
        assertThat(devices.getFirst().closed).isTrue();
        devices.getFirst().begun.get(1).complete(new Trained.Gradient(late, 0, 0));
        world.settle();
        assertThat(released).containsExactly(early, late);
        assertThat(said(WorkQueue.Finished.class)).isEmpty();
    }

    /** LW-4. */
    @Test
    void after_a_failure_it_takes_nothing_until_its_next_beat_and_after_three_it_stops() {
        ActorRef<LeasedWorker.Command<TrainUnit, Trained>> worker = worker();
        AtomicBoolean gone = world.gone(worker);
        for (int failure = 1; failure <= LeasedWorker.FAILURES_IN_A_ROW_MAX; failure++) {
            assertThat(gone).isFalse();
            lease(worker, failure);
            assertThat(said(WorkQueue.Heartbeat.class)).isNotNull();
            devices.getFirst().begun.getLast().completeExceptionally(new IllegalStateException("no"));
            assertThat(said(WorkQueue.Heartbeat.class)).allMatch(beat -> beat.capacity() == 0);
            if (failure < LeasedWorker.FAILURES_IN_A_ROW_MAX) {
                world.pass(BEAT);
                assertThat(said(WorkQueue.Heartbeat.class)).allMatch(beat -> beat.capacity() == 2);
            }
        }
        assertThat(gone).isTrue();
        assertThat(devices.getFirst().closed).isTrue();
    }

    /** LW-4: failures count in a row. */
    @Test
    void a_success_forgives_failures() {
        ActorRef<LeasedWorker.Command<TrainUnit, Trained>> worker = worker();
        AtomicBoolean gone = world.gone(worker);
        for (int i = 0; i < 4 * LeasedWorker.FAILURES_IN_A_ROW_MAX; i++) {
            lease(worker, i);
            if (i % LeasedWorker.FAILURES_IN_A_ROW_MAX == 0) {
                devices.getFirst().begun.getLast().complete(new Trained.Gradient(tensor(), 0, 0));
            } else {
                devices.getFirst().begun.getLast().completeExceptionally(new IllegalStateException("no"));
            }
            world.settle();
        }
        assertThat(gone).isFalse();
    }

    /** LW-5. */
    @Test
    void a_worker_told_to_drain_takes_no_more_leases_answers_those_it_has_and_stops() {
        ActorRef<LeasedWorker.Command<TrainUnit, Trained>> worker = worker();
        AtomicBoolean gone = world.gone(worker);
        lease(worker, 1);
        said(WorkQueue.Heartbeat.class);
        worker.tell(new LeasedWorker.Drain<>());
        world.pass(BEAT);
        assertThat(said(WorkQueue.Heartbeat.class))
                .hasSizeGreaterThan(1)
                .allMatch(beat -> beat.capacity() == 0 && beat.leases().equals(Set.of(new LeaseId(1))));
        lease(worker, 2);
        assertThat(said(WorkQueue.Failed.class))
                .as("a lease that was on its way is handed back")
                .containsExactly(
                        new WorkQueue.Failed<>(worker, new LeaseId(2), new Fault.Retry("trainer-0 is leaving")));
        assertThat(devices.getFirst().begun).hasSize(1);
        assertThat(gone).as("it has a lease").isFalse();
        world.pass(BEAT);
        Trained result = new Trained.Gradient(tensor(), 0, 0);
        devices.getFirst().begun.getFirst().complete(result);
        assertThat(said(WorkQueue.Finished.class))
                .containsExactly(new WorkQueue.Finished<>(worker, new LeaseId(1), result));
        world.pass(BEAT);
        assertThat(gone).as("its answer may not have left the node").isFalse();
        world.pass(BEAT);
        assertThat(gone).isTrue();
        assertThat(devices.getFirst().closed).isTrue();
        assertThat(released).isEmpty();
    }

    /** LW-5. */
    @Test
    void a_draining_worker_that_fails_its_last_lease_says_so_and_stops() {
        ActorRef<LeasedWorker.Command<TrainUnit, Trained>> worker = worker();
        AtomicBoolean gone = world.gone(worker);
        lease(worker, 1);
        worker.tell(new LeasedWorker.Drain<>());
        devices.getFirst().begun.getFirst().completeExceptionally(new IllegalStateException("no"));
        assertThat(said(WorkQueue.Failed.class)).hasSize(1);
        world.pass(BEAT.multipliedBy(2));
        assertThat(gone).isTrue();
    }

    /** LW-5. */
    @Test
    void an_idle_worker_told_to_drain_hands_back_what_was_on_its_way_and_stops_at_its_second_beat() {
        ActorRef<LeasedWorker.Command<TrainUnit, Trained>> worker = worker();
        AtomicBoolean gone = world.gone(worker);
        worker.tell(new LeasedWorker.Drain<>());
        world.pass(BEAT);
        lease(worker, 1);
        assertThat(said(WorkQueue.Failed.class)).hasSize(1);
        assertThat(gone).isFalse();
        world.pass(BEAT);
        assertThat(gone).isTrue();
    }

    /** WS-3. */
    @Test
    void a_worker_supervisor_told_to_drain_ends_with_its_last_worker_and_has_no_other_one_follow() {
        ActorRef<WorkerSupervisor.Command> workerSupervisor = workerSupervisor(TestInbox.<WorkQueueEvent>create());
        AtomicBoolean gone = world.gone(workerSupervisor);
        lease(itsWorker(), 1);
        workerSupervisor.tell(new WorkerSupervisor.Drain());
        world.pass(WorkQueueBench.LIMITS.leaseTime().multipliedBy(3));
        assertThat(gone).as("its worker is at work").isFalse();
        devices.getFirst().begun.getFirst().complete(new Trained.Gradient(tensor(), 0, 0));
        world.settle();
        assertThat(said(WorkQueue.Finished.class)).hasSize(1);
        world.pass(BEAT.multipliedBy(2));
        assertThat(gone).isTrue();
        world.pass(WorkQueueBench.LIMITS.leaseTime().multipliedBy(3));
        assertThat(devices).hasSize(1);
    }

    /** WS-3: one worker has crashed, one is idle, and one is busy. */
    @Test
    void while_a_worker_supervisor_drains_no_device_slot_has_another_worker() {
        List<WorkerSupervisor.Post<?, ?>> posts = new ArrayList<>();
        for (String name : List.of("crashed", "idle", "at-work")) {
            posts.add(new WorkerSupervisor.Post<>(name, this::device, queue.getRef()));
        }
        ActorRef<WorkerSupervisor.Command> workerSupervisor = world.spawn(
                WorkerSupervisor.create(
                        posts,
                        WorkQueueBench.LIMITS,
                        released::add,
                        TestInbox.<WorkQueueEvent>create().getRef()),
                "worker-supervisor");
        AtomicBoolean gone = world.gone(workerSupervisor);
        world.settle();
        for (WorkQueue.Command<TrainUnit, Trained> command : queue.getAllReceived()) {
            if (command instanceof WorkQueue.Heartbeat<TrainUnit, Trained> beat
                    && beat.name().equals("at-work")) {
                lease(beat.worker(), 1);
            }
        }
        workerSupervisor.tell(new WorkerSupervisor.Crash("crashed"));
        world.settle();
        workerSupervisor.tell(new WorkerSupervisor.Drain());
        world.pass(WorkQueueBench.LIMITS.leaseTime().multipliedBy(3));
        assertThat(devices).hasSize(3);
        assertThat(devices.stream().filter(device -> device.closed)).hasSize(2);
        assertThat(gone).isFalse();
    }

    /** WS-3: its worker has crashed, and the next one does not exist yet. */
    @Test
    void a_worker_supervisor_told_to_drain_between_two_workers_ends_at_once() {
        ActorRef<WorkerSupervisor.Command> workerSupervisor = workerSupervisor(TestInbox.<WorkQueueEvent>create());
        AtomicBoolean gone = world.gone(workerSupervisor);
        workerSupervisor.tell(new WorkerSupervisor.Crash("trainer-0"));
        world.settle();
        workerSupervisor.tell(new WorkerSupervisor.Drain());
        world.settle();
        assertThat(gone).isTrue();
        world.pass(WorkQueueBench.LIMITS.leaseTime());
        assertThat(devices).hasSize(1);
    }

    /** WS-1: the pause doubles from one heartbeat to the lease time, and a worker that lives for that long resets it. */
    @Test
    void a_worker_that_ends_is_followed_by_another_after_a_pause_that_doubles() {
        ActorRef<WorkerSupervisor.Command> workerSupervisor = workerSupervisor(TestInbox.<WorkQueueEvent>create());
        assertThat(devices).hasSize(1);
        for (int ends = 0; ends < 6; ends++) {
            Duration pause = Duration.ofMillis(
                    Math.min(10L << ends, WorkQueueBench.LIMITS.leaseTime().toMillis()));
            int made = devices.size();
            workerSupervisor.tell(new WorkerSupervisor.Crash("trainer-0"));
            world.pass(pause.minusMillis(1));
            assertThat(devices)
                    .as("%s after end %d", pause.minusMillis(1), ends)
                    .hasSize(made);
            assertThat(devices.getLast().closed).isTrue();
            world.pass(Duration.ofMillis(1));
            assertThat(devices).hasSize(made + 1);
        }
        world.pass(WorkQueueBench.LIMITS.leaseTime());
        workerSupervisor.tell(new WorkerSupervisor.Crash("trainer-0"));
        int made = devices.size();
        world.pass(BEAT);
        assertThat(devices).hasSize(made + 1);
    }

    /** WS-2. */
    @ParameterizedTest
    @ValueSource(ints = {1, 2})
    void a_device_slot_whose_workers_keep_ending_is_reported_and_goes_on(int reports) {
        TestInbox<WorkQueueEvent> events = TestInbox.create();
        ActorRef<WorkerSupervisor.Command> workerSupervisor = workerSupervisor(events);
        for (int ends = 0; ends < reports * WorkerSupervisor.ENDS_REPORTED; ends++) {
            workerSupervisor.tell(new WorkerSupervisor.Crash("trainer-0"));
            world.settle();
            world.runUntil(() -> !devices.getLast().closed, WorkQueueBench.LIMITS.leaseTime());
        }
        assertThat(events.getAllReceived())
                .hasSize(reports)
                .allMatch(WorkQueueEvent.DeviceSlotFailing.class::isInstance);
        assertThat(devices).hasSize(reports * WorkerSupervisor.ENDS_REPORTED + 1);
    }

    /** The worker that sends heartbeats. */
    private ActorRef<LeasedWorker.Command<TrainUnit, Trained>> itsWorker() {
        for (WorkQueue.Command<TrainUnit, Trained> command : queue.getAllReceived()) {
            if (command instanceof WorkQueue.Heartbeat<TrainUnit, Trained> beat) {
                return beat.worker();
            }
        }
        throw new IllegalStateException("nobody beats");
    }

    private ActorRef<WorkerSupervisor.Command> workerSupervisor(TestInbox<WorkQueueEvent> events) {
        WorkerSupervisor.Post<TrainUnit, Trained> post =
                new WorkerSupervisor.Post<>("trainer-0", this::device, queue.getRef());
        ActorRef<WorkerSupervisor.Command> workerSupervisor = world.spawn(
                WorkerSupervisor.create(List.of(post), WorkQueueBench.LIMITS, released::add, events.getRef()),
                "worker-supervisor");
        world.settle();
        return workerSupervisor;
    }
}
