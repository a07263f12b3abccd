package darkroom.actors.workqueue;

import static java.util.Objects.requireNonNull;
import static org.assertj.core.api.Assertions.assertThat;

import darkroom.actors.device.Fault;
import darkroom.actors.device.LearnerState;
import darkroom.actors.device.LeaseId;
import darkroom.actors.device.TrainUnit;
import darkroom.actors.device.Trained;
import darkroom.actors.events.WorkQueueEvent;
import darkroom.config.LimitSettings;
import darkroom.tensors.TensorRef;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.SortedSet;
import java.util.TreeSet;
import org.apache.pekko.actor.testkit.typed.Effect;
import org.apache.pekko.actor.testkit.typed.javadsl.BehaviorTestKit;
import org.apache.pekko.actor.testkit.typed.javadsl.TestInbox;
import org.apache.pekko.actor.typed.ActorRef;
import org.apache.pekko.actor.typed.Terminated;
import org.jspecify.annotations.Nullable;
import scala.runtime.Nothing$;

/**
 * A queue among scripted requesters and workers, with the laws checked at every message that it sends. Its ticks come on
 * request.
 */
public final class WorkQueueBench {
    static final int LEASE_TICKS = 4;
    static final int STALL_TICKS = 10;
    public static final int ATTEMPTS_MAX = 3;
    static final int UNITS_MAX = 8;
    private static final Duration TICK = Duration.ofMillis(10);
    public static final LimitSettings LIMITS = new LimitSettings(
            1,
            TICK.multipliedBy(LEASE_TICKS),
            TICK,
            ATTEMPTS_MAX,
            TICK.multipliedBy(STALL_TICKS),
            1 << 20,
            TICK.multipliedBy(100));
    private static final LearnerState NO_STATE =
            new LearnerState(0, tensor(-1), tensor(-2), tensor(-3), tensor(-4), tensor(-5));

    private final Set<TensorRef> released = new HashSet<>();
    private final TestInbox<WorkQueueEvent> events = TestInbox.create();
    private final BehaviorTestKit<WorkQueue.Command<TrainUnit, Trained>> queue = BehaviorTestKit.create(
            WorkQueue.<TrainUnit, Trained>create("train", LIMITS, UNITS_MAX, released::add, events.getRef()));
    private final WorkQueue.Command<TrainUnit, Trained> tick = tickOf(queue);

    private final Map<TrainUnit, Asked> asked = new LinkedHashMap<>();
    private final Map<LeaseId, Granted> granted = new LinkedHashMap<>();
    private final Set<TensorRef> delivered = new HashSet<>();
    private final List<Requester> requesters = new ArrayList<>();
    private final List<Worker> workers = new ArrayList<>();
    private final List<WorkQueueEvent> heard = new ArrayList<>();
    private int unitsMade;
    private int tensorsMade;
    private final SortedSet<Integer> firstLeased = new TreeSet<>(Set.of(-1));

    /** One unit, and its outcome. */
    private static final class Asked {
        final int number;
        final Requester requester;
        int leases;
        boolean open = true;

        Asked(int number, Requester requester) {
            this.number = number;
            this.requester = requester;
        }
    }

    /** One lease; {@code live} until it is answered, its worker dies, or the queue takes it away. */
    private static final class Granted {
        final TrainUnit unit;
        int silentTicks;
        boolean live = true;

        Granted(TrainUnit unit) {
            this.unit = unit;
        }
    }

    final class Requester {
        private final TestInbox<WorkQueue.Reply<TrainUnit, Trained>> inbox = TestInbox.create();
        private final List<WorkQueue.Reply<TrainUnit, Trained>> answers = new ArrayList<>();
        private boolean withdrawn;

        TrainUnit submit() {
            TrainUnit unit = sent();
            settle();
            return unit;
        }

        /** Submits several units, one behind the other in the queue's mailbox. */
        void submitTogether(int count) {
            for (int i = 0; i < count; i++) {
                sent();
            }
            settle();
        }

        private TrainUnit sent() {
            TrainUnit unit = new TrainUnit.GradientBlock("run", 1, 0, 0, unitsMade, NO_STATE, List.of(List.of()), 1);
            asked.put(unit, new Asked(unitsMade++, this));
            queue.run(new WorkQueue.Submit<>(unit, inbox.getRef()));
            return unit;
        }

        void withdraw() {
            asked.values().stream().filter(one -> one.requester == this).forEach(one -> one.open = false);
            granted.values().stream()
                    .filter(lease -> requireNonNull(asked.get(lease.unit)).requester == this)
                    .forEach(lease -> lease.live = false);
            run(new WorkQueue.Withdraw<>(inbox.getRef()));
            assertThat(withdrawn)
                    .as("WQ-8: a requester that withdraws is notified")
                    .isTrue();
        }

        List<WorkQueue.Reply<TrainUnit, Trained>> answers() {
            return answers;
        }

        private void hear(WorkQueue.Reply<TrainUnit, Trained> answer) {
            assertThat(withdrawn)
                    .as("WQ-8: nothing follows Withdrawn, but %s came", answer)
                    .isFalse();
            answers.add(answer);
            switch (answer) {
                case WorkQueue.Done<TrainUnit, Trained>(TrainUnit unit, Trained result) -> {
                    close(unit);
                    delivered.addAll(result.tensors());
                }
                case WorkQueue.Refused<TrainUnit, Trained>(TrainUnit unit, Fault fault) -> close(unit);
                case WorkQueue.Withdrawn<TrainUnit, Trained>() -> withdrawn = true;
            }
        }

        private void close(TrainUnit unit) {
            Asked one = requireNonNull(asked.get(unit));
            assertThat(one.requester).isSameAs(this);
            assertThat(one.open).as("WQ-1: %s is answered once", unit.name()).isTrue();
            one.open = false;
            granted.values().stream().filter(lease -> lease.unit.equals(unit)).forEach(lease -> lease.live = false);
        }
    }

    final class Worker {
        private final TestInbox<LeasedWorker.Command<TrainUnit, Trained>> inbox = TestInbox.create();
        private final Set<LeaseId> inHand = new LinkedHashSet<>();
        private final List<Integer> messages = new ArrayList<>();
        private final String name = "worker-" + workers.size();
        private final int capacity;
        private boolean alive = true;
        private boolean stopped;
        private WorkQueue.@Nullable Finished<TrainUnit, Trained> last;

        Worker(int capacity) {
            this.capacity = capacity;
        }

        List<LeaseId> inHand() {
            return List.copyOf(inHand);
        }

        /** Whether the queue has asked it to end. */
        boolean stopped() {
            return stopped;
        }

        TrainUnit unit(LeaseId lease) {
            return requireNonNull(granted.get(lease)).unit;
        }

        void beat() {
            beat(capacity);
        }

        void beat(int capacityNow) {
            inHand.forEach(id -> requireNonNull(granted.get(id)).silentTicks = 0);
            run(new WorkQueue.Heartbeat<>(inbox.getRef(), name, capacityNow, inHand));
        }

        void finish(LeaseId id) {
            Granted lease = requireNonNull(granted.get(id));
            boolean open = requireNonNull(asked.get(lease.unit)).open;
            TensorRef made = tensor(tensorsMade++);
            inHand.remove(id);
            lease.live = false;
            last = new WorkQueue.Finished<>(inbox.getRef(), id, new Trained.Gradient(made, 0, 0));
            run(last);
            assertThat(delivered.contains(made))
                    .as("WQ-2: the first result of %s stands", lease.unit.name())
                    .isEqualTo(open);
            assertThat(released.contains(made))
                    .as("WQ-2: a further result is released")
                    .isEqualTo(!open);
        }

        /** Delivers the last result again. */
        void repeat() {
            if (last != null) {
                run(last);
            }
        }

        void fail(LeaseId id, Fault fault) {
            inHand.remove(id);
            requireNonNull(granted.get(id)).live = false;
            run(new WorkQueue.Failed<>(inbox.getRef(), id, fault));
        }

        void die() {
            alive = false;
            inHand.forEach(id -> requireNonNull(granted.get(id)).live = false);
            inHand.clear();
            ActorRef<Nothing$> gone = inbox.getRef().unsafeUpcast();
            queue.signal(new Terminated(gone));
            settle();
        }

        /** Returns the number of units in each message that leased some. */
        List<Integer> messages() {
            return messages;
        }

        private void perform(List<LeasedWorker.Leased<TrainUnit>> leases) {
            messages.add(leases.size());
            leases.forEach(leased -> perform(leased.lease(), leased.unit()));
        }

        private void perform(LeaseId id, TrainUnit unit) {
            Asked one = requireNonNull(asked.get(unit));
            assertThat(alive).as("WQ-3: nothing is leased to the dead").isTrue();
            assertThat(granted).as("every lease has a unique name").doesNotContainKey(id);
            assertThat(one.open).as("%s is not open, but leased", unit.name()).isTrue();
            assertThat(granted.values().stream().filter(lease -> lease.live && lease.unit.equals(unit)))
                    .as("%s is leased twice at one time", unit.name())
                    .isEmpty();
            assertThat(++one.leases).as("WQ-4: leases of %s", unit.name()).isLessThanOrEqualTo(ATTEMPTS_MAX);
            if (one.leases == 1) {
                firstLeased.add(one.number);
            }
            granted.put(id, new Granted(unit));
            inHand.add(id);
            assertThat(inHand).as("WQ-5: leases of %s", name).hasSizeLessThanOrEqualTo(capacity);
        }
    }

    Requester requester() {
        Requester requester = new Requester();
        requesters.add(requester);
        return requester;
    }

    /** Creates a worker that has sent a heartbeat. */
    Worker worker(int capacity) {
        Worker worker = new Worker(capacity);
        workers.add(worker);
        worker.beat();
        return worker;
    }

    void ticks(int count) {
        for (int i = 0; i < count; i++) {
            granted.values().forEach(lease -> lease.silentTicks++);
            run(tick);
        }
    }

    WorkQueueReport report() {
        TestInbox<WorkQueueReport> reports = TestInbox.create();
        run(new WorkQueue.Report<>(reports.getRef()));
        return reports.receiveMessage();
    }

    long open() {
        return asked.values().stream().filter(one -> one.open).count();
    }

    <E extends WorkQueueEvent> List<E> heard(Class<E> type) {
        return heard.stream().filter(type::isInstance).map(type::cast).toList();
    }

    private void run(WorkQueue.Command<TrainUnit, Trained> command) {
        queue.run(command);
        settle();
    }

    private void settle() {
        while (queue.selfInbox().hasMessages()) {
            queue.runOne();
        }
        look();
    }

    private void look() {
        int last = firstLeased.last();
        firstLeased.clear();
        firstLeased.add(last);
        events.getAllReceived().forEach(this::hear);
        for (Requester requester : requesters) {
            requester.inbox.getAllReceived().forEach(requester::hear);
        }
        for (Worker worker : workers) {
            for (LeasedWorker.Command<TrainUnit, Trained> command : worker.inbox.getAllReceived()) {
                switch (command) {
                    case LeasedWorker.Perform<TrainUnit, Trained>(List<LeasedWorker.Leased<TrainUnit>> leases) ->
                        worker.perform(leases);
                    case LeasedWorker.Stop<TrainUnit, Trained> _ -> worker.stopped = true;
                    default -> throw new IllegalStateException("no queue says " + command);
                }
            }
        }
        assertThat(firstLeased.first()).as("first come, first leased").isEqualTo(last);
        assertThat(released).as("WQ-2: tensors that a requester owns").noneMatch(delivered::contains);
        assertThat(open()).as("WQ-6: open units").isLessThanOrEqualTo(UNITS_MAX);
    }

    private void hear(WorkQueueEvent event) {
        heard.add(event);
        switch (event) {
            case WorkQueueEvent.LeaseExpired(String role, String worker, String unit) ->
                granted.values().stream()
                        .filter(lease -> lease.live && lease.unit.name().equals(unit))
                        .forEach(lease -> {
                            assertThat(lease.silentTicks).as("WQ-3: %s", unit).isGreaterThanOrEqualTo(LEASE_TICKS);
                            lease.live = false;
                        });
            case WorkQueueEvent.Stalled stalled
            when stalled.acted() -> {
                assertThat(stalled.waited())
                        .isGreaterThanOrEqualTo(LIMITS.stallAfter().multipliedBy(2));
                granted.values().forEach(lease -> lease.live = false);
            }
            default -> {}
        }
    }

    private static WorkQueue.Command<TrainUnit, Trained> tickOf(
            BehaviorTestKit<WorkQueue.Command<TrainUnit, Trained>> queue) {
        @SuppressWarnings("unchecked") // the queue's only timer
        Effect.TimerScheduled<WorkQueue.Command<TrainUnit, Trained>> timer =
                queue.expectEffectClass(Effect.TimerScheduled.class);
        return timer.msg();
    }

    private static TensorRef tensor(int id) {
        return new TensorRef(id, "here", TensorRef.ElementType.FLOAT32, List.of(1), 0);
    }
}
