package darkroom.actors.workqueue;

import static org.assertj.core.api.Assertions.assertThat;

import darkroom.actors.device.Fault;
import darkroom.actors.device.LeaseId;
import darkroom.actors.device.TrainUnit;
import darkroom.actors.device.Trained;
import darkroom.actors.events.WorkQueueEvent;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import net.jqwik.api.Arbitraries;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.Provide;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

class WorkQueueTest {
    private static final Fault RETRY = new Fault.Retry("this device cannot");

    private final WorkQueueBench bench = new WorkQueueBench();
    private final WorkQueueBench.Requester requester = bench.requester();

    /** The next event; {@code choice} selects its target. */
    record Happening(What what, int choice) {}

    enum What {
        SUBMIT,
        SUBMIT_AGAIN,
        WITHDRAW,
        JOIN,
        BEAT,
        FINISH,
        FINISH_MORE,
        REPEAT,
        FAIL,
        REFUSE,
        DIE,
        TICK,
        LONG_SILENCE
    }

    @Provide
    Arbitrary<List<Happening>> histories() {
        Arbitrary<Happening> happening = Arbitraries.integers()
                .between(0, 1 << 20)
                .flatMap(choice -> Arbitraries.of(What.values()).map(what -> new Happening(what, choice)));
        return happening.list().ofMinSize(10).ofMaxSize(150);
    }

    /**
     * WQ-1 to WQ-6, WQ-8, P-2, P-9: {@link WorkQueueBench} checks them at every message. After any history, once a working
     * worker exists, every open unit is answered.
     */
    @Property(tries = 300)
    void whatever_happens_the_laws_hold(@ForAll("histories") List<Happening> histories) {
        WorkQueueBench any = new WorkQueueBench();
        History history = new History(any);
        histories.forEach(history::next);
        assertThat(any.heard(WorkQueueEvent.WorkerJoined.class)).hasSize(history.workers.size());
        history.end();
        assertThat(any.open()).as("units without an answer").isZero();
    }

    @Test
    void units_submitted_together_are_leased_together() {
        WorkQueueBench.Worker one = bench.worker(3);
        WorkQueueBench.Worker other = bench.worker(2);
        requester.submitTogether(5);
        assertThat(one.messages()).containsExactly(3);
        assertThat(other.messages()).containsExactly(2);
    }

    /** The state of a queue as reported by {@code darkroom status}. */
    @Test
    void a_report_says_what_there_is_to_do_and_who_does_it() {
        assertThat(bench.report()).isEqualTo(new WorkQueueReport("train", 0, 0, 0, Optional.empty(), List.of()));
        WorkQueueBench.Worker one = bench.worker(1);
        bench.worker(2);
        for (int i = 0; i < 4; i++) {
            requester.submit();
        }
        one.finish(one.inHand().getFirst());
        one.beat();
        bench.ticks(2);
        one.beat();
        WorkQueueReport report = bench.report();
        assertThat(report.waiting()).as("nobody works on").isZero();
        assertThat(report.open()).isEqualTo(3);
        assertThat(report.quietFor()).isEqualTo(20);
        assertThat(report.blockedBy()).isEmpty();
        assertThat(report.stations())
                .containsExactly(
                        new WorkQueueReport.Station("worker-0", 1, 1, 1, Optional.empty(), 0),
                        new WorkQueueReport.Station("worker-1", 2, 2, 0, Optional.empty(), 20));
        requester.submit();
        assertThat(bench.report().waiting()).isOne();
    }

    /** P-4: the report names the blocking worker from the moment the stall is reported. */
    @Test
    void a_report_of_a_queue_that_stalls_names_who_blocks() {
        requester.submit();
        bench.ticks(WorkQueueBench.STALL_TICKS - 1);
        assertThat(bench.report().blockedBy()).isEmpty();
        bench.ticks(1);
        assertThat(bench.report().blockedBy()).contains("nobody");
        WorkQueueBench.Worker hanging = bench.worker(1);
        assertThat(bench.report().blockedBy()).contains("worker-0");
        hanging.finish(hanging.inHand().getFirst());
        assertThat(bench.report().blockedBy()).isEmpty();
        assertThat(bench.report().quietFor()).as("nothing is to do").isZero();
    }

    /** WQ-6, P-9. */
    @Test
    void a_unit_too_many_is_refused_at_once_and_the_refusal_names_the_limit() {
        for (int i = 0; i < WorkQueueBench.UNITS_MAX; i++) {
            requester.submit();
        }
        assertThat(requester.answers()).isEmpty();
        TrainUnit tooMany = requester.submit();
        assertThat(refusal(requester).unit()).isEqualTo(tooMany);
        assertThat(refusal(requester).fault()).isInstanceOf(Fault.StopRun.class);
        assertThat(refusal(requester).fault().message()).contains("8 units open", "limits.groups-in-flight-max");
    }

    /** WQ-4, P-9. */
    @Test
    void a_unit_that_fails_everywhere_is_refused_after_as_many_leases_as_the_limit_says() {
        requester.submit();
        WorkQueueBench.Worker worker = bench.worker(1);
        for (int i = 0; i < WorkQueueBench.ATTEMPTS_MAX; i++) {
            assertThat(requester.answers()).isEmpty();
            worker.fail(worker.inHand().getFirst(), RETRY);
        }
        assertThat(refusal(requester).fault()).isInstanceOf(Fault.StopRun.class);
        assertThat(refusal(requester).fault().message()).contains("limits.work-attempts-max=3", RETRY.message());
    }

    /** WQ-3. */
    @Test
    void a_lease_of_a_silent_worker_runs_out_and_another_worker_has_it() {
        WorkQueueBench.Worker silent = bench.worker(1);
        TrainUnit unit = requester.submit();
        WorkQueueBench.Worker other = bench.worker(1);
        for (int i = 1; i < WorkQueueBench.LEASE_TICKS; i++) {
            other.beat();
            bench.ticks(1);
        }
        assertThat(other.inHand()).isEmpty();
        bench.ticks(1);
        assertThat(other.inHand().stream().map(other::unit)).containsExactly(unit);
        assertThat(bench.heard(WorkQueueEvent.LeaseExpired.class))
                .containsExactly(new WorkQueueEvent.LeaseExpired("train", "worker-0", unit.name()));
        silent.finish(silent.inHand().getFirst());
        assertThat(requester.answers()).as("late, but the first").hasSize(1);
        other.finish(other.inHand().getFirst());
        assertThat(requester.answers()).hasSize(1);
    }

    /** WQ-3. */
    @Test
    void a_worker_that_is_heard_of_keeps_its_lease_however_long_it_takes() {
        requester.submit();
        WorkQueueBench.Worker slow = bench.worker(1);
        WorkQueueBench.Worker idle = bench.worker(1);
        for (int i = 0; i < 2 * WorkQueueBench.STALL_TICKS - 1; i++) {
            slow.beat();
            idle.beat();
            bench.ticks(1);
        }
        assertThat(idle.inHand()).isEmpty();
    }

    /** WQ-3. */
    @Test
    void a_unit_of_a_dead_worker_is_leased_again_at_once() {
        WorkQueueBench.Worker mortal = bench.worker(1);
        TrainUnit unit = requester.submit();
        WorkQueueBench.Worker other = bench.worker(1);
        mortal.die();
        assertThat(other.inHand().stream().map(other::unit)).containsExactly(unit);
        assertThat(bench.heard(WorkQueueEvent.WorkerLost.class))
                .containsExactly(new WorkQueueEvent.WorkerLost("train", "worker-0", 1));
    }

    /** WQ-3. */
    @Test
    void a_failed_unit_goes_to_a_worker_that_has_not_failed_it() {
        WorkQueueBench.Worker failing = bench.worker(1);
        WorkQueueBench.Worker other = bench.worker(1);
        requester.submit();
        requester.submit();
        LeaseId second = other.inHand().getFirst();
        TrainUnit failed = failing.unit(failing.inHand().getFirst());
        failing.fail(failing.inHand().getFirst(), RETRY);
        assertThat(failing.inHand()).isEmpty();
        other.finish(second);
        assertThat(other.inHand().stream().map(other::unit)).containsExactly(failed);
    }

    /** P-4: the only worker that has not failed the unit is silent. */
    @Test
    void a_failed_unit_does_not_wait_for_a_silent_worker() {
        WorkQueueBench.Worker failing = bench.worker(1);
        TrainUnit unit = requester.submit();
        bench.worker(1);
        beating(List.of(failing), WorkQueueBench.LEASE_TICKS + 1);
        failing.fail(failing.inHand().getFirst(), RETRY);
        assertThat(failing.inHand().stream().map(failing::unit)).containsExactly(unit);
    }

    /** P-4, WQ-7: the only worker that has not failed the unit sends heartbeats, and hangs. */
    @Test
    void a_failed_unit_does_not_wait_for_ever_for_a_worker_that_hangs() {
        WorkQueueBench.Worker failing = bench.worker(1);
        WorkQueueBench.Worker hanging = bench.worker(1);
        requester.submit();
        requester.submit();
        failing.fail(failing.inHand().getFirst(), RETRY);
        for (int i = 0; i < 6 * WorkQueueBench.STALL_TICKS && bench.open() > 0; i++) {
            failing.inHand().forEach(failing::finish);
            failing.beat();
            hanging.beat();
            bench.ticks(1);
        }
        assertThat(bench.open()).isZero();
    }

    /** P-4, WQ-7. */
    @Test
    void a_stall_is_reported_with_who_blocks_and_after_twice_the_time_the_unit_is_taken_away() {
        WorkQueueBench.Worker hanging = bench.worker(1);
        TrainUnit unit = requester.submit();
        WorkQueueBench.Worker idle = bench.worker(1);
        beating(List.of(hanging, idle), WorkQueueBench.STALL_TICKS - 1);
        assertThat(bench.heard(WorkQueueEvent.Stalled.class)).isEmpty();
        beating(List.of(hanging, idle), 1);
        assertThat(bench.heard(WorkQueueEvent.Stalled.class))
                .containsExactly(new WorkQueueEvent.Stalled(
                        "train", "worker-0", unit.name(), WorkQueueBench.LIMITS.stallAfter(), false));
        assertThat(idle.inHand()).isEmpty();
        beating(List.of(hanging, idle), WorkQueueBench.STALL_TICKS);
        assertThat(bench.heard(WorkQueueEvent.Stalled.class).getLast())
                .isEqualTo(new WorkQueueEvent.Stalled(
                        "train",
                        "worker-0",
                        unit.name(),
                        WorkQueueBench.LIMITS.stallAfter().multipliedBy(2),
                        true));
        assertThat(idle.inHand().stream().map(idle::unit)).containsExactly(unit);
        assertThat(hanging.stopped()).as("who hangs is replaced").isTrue();
        assertThat(idle.stopped()).isFalse();
    }

    /** P-4, WQ-7. */
    @Test
    void where_nobody_works_the_report_says_nobody() {
        TrainUnit unit = requester.submit();
        bench.ticks(WorkQueueBench.STALL_TICKS);
        assertThat(bench.heard(WorkQueueEvent.Stalled.class))
                .containsExactly(new WorkQueueEvent.Stalled(
                        "train", "nobody", unit.name(), WorkQueueBench.LIMITS.stallAfter(), false));
    }

    /** P-4, WQ-9. */
    @Test
    void a_queue_without_workers_says_once_that_nobody_is_there_and_again_when_they_have_gone() {
        requester.submit();
        bench.ticks(WorkQueue.EMPTY_LEASES * WorkQueueBench.LEASE_TICKS - 1);
        assertThat(bench.heard(WorkQueueEvent.NobodyThere.class)).isEmpty();
        bench.ticks(5);
        assertThat(bench.heard(WorkQueueEvent.NobodyThere.class))
                .containsExactly(new WorkQueueEvent.NobodyThere("train", 1));
        bench.worker(1);
        bench.ticks(2 * WorkQueue.EMPTY_LEASES * WorkQueueBench.LEASE_TICKS);
        assertThat(bench.heard(WorkQueueEvent.NobodyThere.class))
                .as("the worker fell silent")
                .hasSize(2);
    }

    /** P-4: a lack of work is not a stall. */
    @Test
    void an_idle_queue_never_stalls() {
        bench.worker(1);
        bench.ticks(5 * WorkQueueBench.STALL_TICKS);
        requester.submit();
        bench.ticks(1);
        assertThat(bench.heard(WorkQueueEvent.Stalled.class)).isEmpty();
    }

    /** WQ-2. */
    @Test
    void a_lease_that_is_done_twice_gives_up_the_second_result() {
        requester.submit();
        WorkQueueBench.Worker one = bench.worker(1);
        one.finish(one.inHand().getFirst());
        one.repeat();
        assertThat(requester.answers()).hasSize(1);
    }

    /** WQ-8. */
    @Test
    void a_requester_that_withdraws_hears_that_and_then_nothing() {
        requester.submit();
        WorkQueueBench.Worker worker = bench.worker(1);
        requester.submit();
        requester.withdraw();
        worker.finish(worker.inHand().getFirst());
        assertThat(worker.inHand()).isEmpty();
        assertThat(requester.answers()).hasSize(1);
    }

    private void beating(List<WorkQueueBench.Worker> workers, int ticks) {
        for (int i = 0; i < ticks; i++) {
            workers.forEach(WorkQueueBench.Worker::beat);
            bench.ticks(1);
        }
    }

    private static WorkQueue.Refused<TrainUnit, Trained> refusal(WorkQueueBench.Requester requester) {
        assertThat(requester.answers()).hasSize(1);
        return (WorkQueue.Refused<TrainUnit, Trained>) requester.answers().getFirst();
    }

    /** Turns happenings into calls. */
    private static final class History {
        private final WorkQueueBench bench;
        private final List<WorkQueueBench.Requester> requesters;
        private final List<WorkQueueBench.Worker> workers = new ArrayList<>();
        private final List<WorkQueueBench.Worker> alive = new ArrayList<>();

        History(WorkQueueBench bench) {
            this.bench = bench;
            this.requesters = new ArrayList<>(List.of(bench.requester(), bench.requester()));
        }

        void next(Happening happening) {
            int choice = happening.choice();
            switch (happening.what()) {
                case SUBMIT, SUBMIT_AGAIN -> requesters.get(choice % 2).submit();
                case WITHDRAW -> {
                    if (choice % 3 == 0) {
                        requesters.get(choice % 2).withdraw();
                        requesters.set(choice % 2, bench.requester());
                    }
                }
                case JOIN -> {
                    if (alive.size() < 4) {
                        join(1 + choice % 3);
                    }
                }
                case BEAT -> alive.forEach(WorkQueueBench.Worker::beat);
                case FINISH, FINISH_MORE -> {
                    WorkQueueBench.Worker worker = busy(choice);
                    if (worker != null) {
                        worker.finish(lease(worker, choice));
                    }
                }
                case REPEAT -> workers.forEach(WorkQueueBench.Worker::repeat);
                case FAIL -> {
                    WorkQueueBench.Worker worker = busy(choice);
                    if (worker != null) {
                        worker.fail(lease(worker, choice), RETRY);
                    }
                }
                case REFUSE -> {
                    WorkQueueBench.Worker worker = busy(choice);
                    if (worker != null && choice % 3 == 0) {
                        worker.fail(lease(worker, choice), new Fault.DropGroup("this unit cannot be done"));
                    }
                }
                case DIE -> {
                    if (!alive.isEmpty() && choice % 2 == 0) {
                        alive.remove(choice % alive.size()).die();
                    }
                }
                case TICK -> {
                    alive.forEach(WorkQueueBench.Worker::beat);
                    bench.ticks(1);
                }
                case LONG_SILENCE -> bench.ticks(1 + choice % (3 * WorkQueueBench.STALL_TICKS));
            }
        }

        private WorkQueueBench.Worker join(int capacity) {
            WorkQueueBench.Worker worker = bench.worker(capacity);
            workers.add(worker);
            alive.add(worker);
            return worker;
        }

        private WorkQueueBench.@Nullable Worker busy(int choice) {
            List<WorkQueueBench.Worker> busy =
                    alive.stream().filter(worker -> !worker.inHand().isEmpty()).toList();
            return busy.isEmpty() ? null : busy.get(choice % busy.size());
        }

        private static LeaseId lease(WorkQueueBench.Worker worker, int choice) {
            return worker.inHand().get(choice % worker.inHand().size());
        }

        /** Hanging workers keep hanging, and one worker processes what it is given. */
        void end() {
            WorkQueueBench.Worker last = join(2);
            for (int i = 0; i < 20 * WorkQueueBench.STALL_TICKS && bench.open() > 0; i++) {
                alive.forEach(WorkQueueBench.Worker::beat);
                last.inHand().forEach(last::finish);
                bench.ticks(1);
            }
        }
    }
}
