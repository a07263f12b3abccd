package darkroom.gpuworkers;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import darkroom.actors.device.Device;
import darkroom.actors.device.LearnerState;
import darkroom.actors.device.TrainUnit;
import darkroom.actors.device.Trained;
import darkroom.actors.numeric.SumTree;
import darkroom.config.OptimizerSettings;
import darkroom.config.TrainingSettings;
import darkroom.gpuworkers.models.PolicyModel;
import darkroom.gpuworkers.models.TrainerModel;
import darkroom.gpuworkers.torchscript.DeviceThread;
import darkroom.gpuworkers.torchscript.TensorBuffer;
import darkroom.gpuworkers.torchscript.TorchModule;
import darkroom.tensors.TensorRef;
import darkroom.tensors.TensorRef.ElementType;
import darkroom.tensors.TensorStore;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletionStage;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * One core or GPU that computes gradients of fixed micro-batches and takes optimizer steps.
 *
 * <p>Gradients are added along {@link SumTree}: those of a block on its device, and the sums of the blocks on the device that
 * takes the optimizer step.
 */
public final class TorchTrainerDevice implements Device<TrainUnit, Trained> {
    private final PolicyModel policy;
    private final TrainingSettings training;
    private final double advantageClip;
    private final TensorStore store;
    private final DeviceThread thread;
    private @Nullable Gradients gradients;
    private @Nullable Optimizer optimizer;

    /**
     * Creates the device and its thread.
     *
     * @param training optimizer and averages of the run
     * @param advantageClip {@code groups.advantage-clip}, a factor of the adaptive loss
     */
    public TorchTrainerDevice(
            String name, PolicyModel policy, TrainingSettings training, double advantageClip, TensorStore store) {
        this.policy = policy;
        this.training = training;
        this.advantageClip = advantageClip;
        this.store = store;
        this.thread = new DeviceThread(name);
    }

    @Override
    public CompletionStage<Trained> perform(TrainUnit unit) {
        return thread.run(() -> switch (unit) {
            case TrainUnit.GradientBlock block -> {
                Gradients own = gradients == null ? new Gradients(policy.trainer(store, advantageClip)) : gradients;
                gradients = own;
                yield own.gradient(block);
            }
            case TrainUnit.UpdateUnit update -> {
                Optimizer own = optimizer == null ? new Optimizer() : optimizer;
                optimizer = own;
                yield own.update(update);
            }
        });
    }

    @Override
    public void close() {
        thread.closeAfter(() -> {
            if (gradients != null) {
                gradients.model.close();
            }
            if (optimizer != null) {
                optimizer.close();
            }
        });
    }

    private static NDArray added(NDArray left, NDArray right) {
        try (left;
                right) {
            return left.add(right);
        }
    }

    private TensorRef put(NDArray tensor) {
        MemorySegment bytes = TensorBuffer.of(tensor).bytes();
        return store.put(ElementType.FLOAT32, List.of(Math.toIntExact(tensor.size())), to -> to.copyFrom(bytes));
    }

    /** The model, and the versions of its parameters. Confined to the device's thread. */
    private final class Gradients {
        private final TrainerModel model;
        private final Held theta;
        private final Held old;

        Gradients(TrainerModel model) {
            this.model = model;
            this.theta = new Held(model::serveTrained);
            this.old = new Held(model::serveOld);
        }

        Trained gradient(TrainUnit.GradientBlock block) {
            theta.hold(block.state().trained());
            old.hold(block.state().old());
            SumTree<NDArray> sum = new SumTree<>(TorchTrainerDevice::added);
            SumTree<Double> policyLoss = new SumTree<>(Double::sum);
            SumTree<Double> klLoss = new SumTree<>(Double::sum);
            try (NDManager scope = model.scope()) {
                for (List<TrainUnit.Sample> unit : block.units()) {
                    TrainerModel.UnitGradient gradient = model.gradient(scope, block, unit);
                    sum.add(gradient.gradient());
                    policyLoss.add(gradient.policyLoss());
                    klLoss.add(gradient.klLoss());
                }
                return new Trained.Gradient(put(sum.sum()), policyLoss.sum(), klLoss.sum());
            }
        }
    }

    /** A tensor of the store that a model serves: copied when it differs from the last one. */
    private final class Held {
        private final Consumer<MemorySegment> serve;
        private @Nullable TensorRef held;

        Held(Consumer<MemorySegment> serve) {
            this.serve = serve;
        }

        void hold(TensorRef ref) {
            if (!ref.equals(held)) {
                held = null;
                serve.accept(store.read(ref));
                held = ref;
            }
        }
    }

    /** The optimizer and the averages: vectors whose meaning does not matter. Confined to the device's thread. */
    private final class Optimizer {
        private final TorchModule module = new TorchModule(ObjectiveScript.optimizer(training.optimizer()));

        Trained update(TrainUnit.UpdateUnit unit) {
            LearnerState state = unit.state();
            OptimizerSettings settings = training.optimizer();
            long taken = state.optimizerSteps() + 1;
            double warmup = settings.warmupSteps() == 0 ? 1 : Math.min(1, (double) taken / settings.warmupSteps());
            try (NDManager scope = module.scope()) {
                SumTree<NDArray> sum = new SumTree<>(TorchTrainerDevice::added);
                unit.gradients().forEach(ref -> sum.add(take(scope, ref)));
                NDList next = module.call(
                        scope,
                        "adamw",
                        scope.create(settings.learningRate() * warmup),
                        scope.create((float) state.optimizerSteps()),
                        sum.sum(),
                        take(scope, state.trained()),
                        take(scope, state.firstMoment()),
                        take(scope, state.secondMoment()));
                NDArray average = module.call(
                                scope,
                                "follow",
                                scope.create(EvaluationAverage.decay(taken, training.emaDecay())),
                                take(scope, state.average()),
                                next.get(0))
                        .get(0);
                NDArray follower = take(scope, state.old());
                if (unit.lastPass()) {
                    double decay = OldPolicySchedule.decay(training.oldPolicy(), training.oldPolicyDecay(), taken);
                    follower = decay == 0
                            ? next.get(0)
                            : module.call(scope, "follow", scope.create(decay), follower, next.get(0))
                                    .get(0);
                }
                List<TensorRef> made = new ArrayList<>();
                try {
                    for (NDArray tensor : List.of(next.get(0), next.get(1), next.get(2), follower, average)) {
                        made.add(put(tensor));
                    }
                } catch (RuntimeException e) {
                    made.forEach(store::release);
                    throw e;
                }
                return new Trained.Updated(
                        new LearnerState(taken, made.get(0), made.get(1), made.get(2), made.get(3), made.get(4)),
                        next.get(3).getFloat());
            }
        }

        private NDArray take(NDManager scope, TensorRef ref) {
            TensorBuffer buffer = TensorBuffer.floats(scope, ref.elements());
            buffer.copy(store.read(ref));
            return buffer.array();
        }

        void close() {
            module.close();
        }
    }
}
