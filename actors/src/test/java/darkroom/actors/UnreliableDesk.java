package darkroom.actors;

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
 * A desk as its workers see it across a bad network: messages between the two are lost, repeated, late, and overtake each
 * other.
 */
final class UnreliableDesk<U extends Unit, R extends Result> extends SwitchBehavior<WorkDesk.Command<U, R>> {
    private final ActorContext<WorkDesk.Command<U, R>> context;
    private final ActorRef<WorkDesk.Command<U, R>> desk;
    private final Weather weather;
    private final Consumer<TensorRef> release;
    private final Map<ActorRef<LeasedWorker.Command<U, R>>, ActorRef<LeasedWorker.Command<U, R>>> seen =
            new HashMap<>();

    /** How bad the network is, by chance. */
    record Weather(
            SplittableRandom chance, double lost, double repeated, Duration lateAtMost, BooleanSupplier silence) {
        Weather(SplittableRandom chance, double lost, double repeated, Duration lateAtMost) {
            this(chance, lost, repeated, lateAtMost, () -> false);
        }

        int copies() {
            if (silence.getAsBoolean()) {
                return 0;
            }
            double dice = chance.nextDouble();
            return dice < lost ? 0 : dice < lost + repeated ? 2 : 1;
        }

        <T> void carry(ActorContext<?> context, ActorRef<T> to, T message, int copies) {
            for (int i = 0; i < copies; i++) {
                context.scheduleOnce(Duration.ofNanos(chance.nextLong(1 + lateAtMost.toNanos())), to, message);
            }
        }
    }

    private UnreliableDesk(
            ActorContext<WorkDesk.Command<U, R>> context,
            ActorRef<WorkDesk.Command<U, R>> desk,
            Weather weather,
            Consumer<TensorRef> release) {
        this.context = context;
        this.desk = desk;
        this.weather = weather;
        this.release = release;
    }

    static <U extends Unit, R extends Result> Behavior<WorkDesk.Command<U, R>> create(
            ActorRef<WorkDesk.Command<U, R>> desk, Weather weather, Consumer<TensorRef> release) {
        return Behaviors.setup(context -> new UnreliableDesk<>(context, desk, weather, release));
    }

    @Override
    Behavior<WorkDesk.Command<U, R>> onMessage(WorkDesk.Command<U, R> command) {
        List<WorkDesk.Word<U, R>> words =
                switch (command) {
                    case WorkDesk.Words<U, R>(List<WorkDesk.Word<U, R>> several) -> several;
                    case WorkDesk.Word<U, R> one -> List.of(one);
                    default -> throw new IllegalStateException("no worker says " + command);
                };
        int copies = weather.copies();
        List<WorkDesk.Word<U, R>> across = words.stream().map(this::across).toList();
        if (copies == 0) {
            words.forEach(this::lose);
        }
        carry(command instanceof WorkDesk.Word ? across.getFirst() : new WorkDesk.Words<>(across), copies);
        return this;
    }

    private WorkDesk.Word<U, R> across(WorkDesk.Word<U, R> word) {
        return switch (word) {
            case WorkDesk.Heartbeat<U, R> beat ->
                new WorkDesk.Heartbeat<>(across(beat.worker()), beat.name(), beat.capacity(), beat.leases());
            case WorkDesk.Failed<U, R> failed ->
                new WorkDesk.Failed<>(across(failed.worker()), failed.lease(), failed.fault());
            case WorkDesk.Finished<U, R> finished ->
                new WorkDesk.Finished<>(across(finished.worker()), finished.results());
        };
    }

    private void lose(WorkDesk.Word<U, R> word) {
        if (word instanceof WorkDesk.Finished<U, R> finished) {
            finished.results().forEach(delivery -> delivery.result().tensors().forEach(release));
        }
    }

    private void carry(WorkDesk.Command<U, R> message, int copies) {
        weather.carry(context, desk, message, copies);
    }

    /** The worker as the desk sees it. */
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
                weather.carry(far, worker, command, weather.copies());
                return Behaviors.same();
            });
        });
    }
}
