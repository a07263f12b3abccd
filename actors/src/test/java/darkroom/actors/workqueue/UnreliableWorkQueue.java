package darkroom.actors.workqueue;

import darkroom.actors.device.Result;
import darkroom.actors.device.Unit;
import darkroom.tensors.TensorRef;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.function.BooleanSupplier;
import java.util.function.Consumer;
import org.apache.pekko.actor.typed.ActorRef;
import org.apache.pekko.actor.typed.Behavior;
import org.apache.pekko.actor.typed.javadsl.ActorContext;
import org.apache.pekko.actor.typed.javadsl.Behaviors;

/**
 * A queue as its workers see it across a bad network: messages between the two are lost, repeated, late, and overtake each
 * other.
 */
public final class UnreliableWorkQueue<U extends Unit, R extends Result>
        extends SwitchBehavior<WorkQueue.Command<U, R>> {
    private final ActorContext<WorkQueue.Command<U, R>> context;
    private final ActorRef<WorkQueue.Command<U, R>> queue;
    private final NetworkFaults networkFaults;
    private final Consumer<TensorRef> release;
    private final Map<ActorRef<LeasedWorker.Command<U, R>>, ActorRef<LeasedWorker.Command<U, R>>> seen =
            new HashMap<>();

    /** Random faults of the network. */
    public record NetworkFaults(
            SplittableRandom chance, double lost, double repeated, Duration lateAtMost, BooleanSupplier silence) {
        public NetworkFaults(SplittableRandom chance, double lost, double repeated, Duration lateAtMost) {
            this(chance, lost, repeated, lateAtMost, () -> false);
        }

        public int copies() {
            if (silence.getAsBoolean()) {
                return 0;
            }
            double dice = chance.nextDouble();
            return dice < lost ? 0 : dice < lost + repeated ? 2 : 1;
        }

        public <T> void carry(ActorContext<?> context, ActorRef<T> to, T message, int copies) {
            for (int i = 0; i < copies; i++) {
                context.scheduleOnce(Duration.ofNanos(chance.nextLong(1 + lateAtMost.toNanos())), to, message);
            }
        }
    }

    private UnreliableWorkQueue(
            ActorContext<WorkQueue.Command<U, R>> context,
            ActorRef<WorkQueue.Command<U, R>> queue,
            NetworkFaults networkFaults,
            Consumer<TensorRef> release) {
        this.context = context;
        this.queue = queue;
        this.networkFaults = networkFaults;
        this.release = release;
    }

    public static <U extends Unit, R extends Result> Behavior<WorkQueue.Command<U, R>> create(
            ActorRef<WorkQueue.Command<U, R>> queue, NetworkFaults networkFaults, Consumer<TensorRef> release) {
        return Behaviors.setup(context -> new UnreliableWorkQueue<>(context, queue, networkFaults, release));
    }

    @Override
    public Behavior<WorkQueue.Command<U, R>> onMessage(WorkQueue.Command<U, R> command) {
        List<WorkQueue.WorkerReport<U, R>> words =
                switch (command) {
                    case WorkQueue.WorkerReports<U, R>(List<WorkQueue.WorkerReport<U, R>> several) -> several;
                    case WorkQueue.WorkerReport<U, R> one -> List.of(one);
                    default -> throw new IllegalStateException("no worker says " + command);
                };
        int copies = networkFaults.copies();
        List<WorkQueue.WorkerReport<U, R>> across =
                words.stream().map(this::across).toList();
        if (copies == 0) {
            words.forEach(this::lose);
        }
        carry(
                command instanceof WorkQueue.WorkerReport ? across.getFirst() : new WorkQueue.WorkerReports<>(across),
                copies);
        return this;
    }

    private WorkQueue.WorkerReport<U, R> across(WorkQueue.WorkerReport<U, R> word) {
        return switch (word) {
            case WorkQueue.Heartbeat<U, R> beat ->
                new WorkQueue.Heartbeat<>(across(beat.worker()), beat.name(), beat.capacity(), beat.leases());
            case WorkQueue.Failed<U, R> failed ->
                new WorkQueue.Failed<>(across(failed.worker()), failed.lease(), failed.fault());
            case WorkQueue.Finished<U, R> finished ->
                new WorkQueue.Finished<>(across(finished.worker()), finished.results());
        };
    }

    private void lose(WorkQueue.WorkerReport<U, R> word) {
        if (word instanceof WorkQueue.Finished<U, R> finished) {
            finished.results().forEach(delivery -> delivery.result().tensors().forEach(release));
        }
    }

    private void carry(WorkQueue.Command<U, R> message, int copies) {
        networkFaults.carry(context, queue, message, copies);
    }

    /** The worker as the queue sees it. */
    private ActorRef<LeasedWorker.Command<U, R>> across(ActorRef<LeasedWorker.Command<U, R>> worker) {
        return seen.computeIfAbsent(worker, near -> context.spawnAnonymous(far(near)));
    }

    private Behavior<LeasedWorker.Command<U, R>> far(ActorRef<LeasedWorker.Command<U, R>> worker) {
        return Behaviors.setup(far -> {
            far.watchWith(worker, new LeasedWorker.Stop<>());
            return Behaviors.receiveMessage(command -> {
                if (command instanceof LeasedWorker.Stop) {
                    worker.tell(command);
                    return Behaviors.stopped();
                }
                networkFaults.carry(far, worker, command, networkFaults.copies());
                return Behaviors.same();
            });
        });
    }
}
