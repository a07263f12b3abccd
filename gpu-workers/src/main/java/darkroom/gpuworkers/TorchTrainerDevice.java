package darkroom.gpuworkers;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import darkroom.actors.device.Device;
import darkroom.actors.device.LearnerState;
import darkroom.actors.device.RolloutUnit;
import darkroom.actors.device.TrainUnit;
import darkroom.actors.device.Trained;
import darkroom.actors.device.TrainingSample;
import darkroom.actors.numeric.RandomKey;
import darkroom.actors.numeric.SumTree;
import darkroom.config.OptimizerSettings;
import darkroom.config.TrainingSettings;
import darkroom.gpuworkers.torchscript.DeviceThread;
import darkroom.gpuworkers.torchscript.TensorBuffer;
import darkroom.gpuworkers.torchscript.TorchModule;
import darkroom.tensors.TensorRef;
import darkroom.tensors.TensorRef.ElementType;
import darkroom.tensors.TensorStore;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.CompletionStage;
import org.jspecify.annotations.Nullable;

/**
 * One core that computes gradients of fixed micro-batches and takes optimizer steps.
 *
 * <p>A unit with fewer samples than {@code training.unit-samples} is padded with samples of weight 0, so that every batch
 * takes the same path through the kernels. Gradients are added along {@link SumTree}: those of a block on its device, and the
 * sums of the blocks on the device that takes the optimizer step.
 */
public final class TorchTrainerDevice implements Device<TrainUnit, Trained> {
    private static final ValueLayout.OfFloat FLOAT = ValueLayout.JAVA_FLOAT;

    private final EmbeddedPolicy policy;
    private final double advantageClip;
    private final TensorStore store;
    private final DeviceThread thread;
    private @Nullable Workbench bench;

    /**
     * Creates the device and its thread.
     *
     * @param advantageClip {@code groups.advantage-clip}, a factor of the adaptive loss
     */
    public TorchTrainerDevice(String name, EmbeddedPolicy policy, double advantageClip, TensorStore store) {
        this.policy = policy;
        this.advantageClip = advantageClip;
        this.store = store;
        this.thread = new DeviceThread(name);
    }

    @Override
    public CompletionStage<Trained> perform(TrainUnit unit) {
        return thread.run(() -> {
            Workbench own = bench == null ? new Workbench() : bench;
            bench = own;
            return switch (unit) {
                case TrainUnit.GradientBlock gradient -> own.gradient(gradient);
                case TrainUnit.UpdateUnit update -> own.update(update);
            };
        });
    }

    @Override
    public void close() {
        thread.closeAfter(() -> {
            if (bench != null) {
                bench.close();
            }
        });
    }

    /**
     * The native state; confined to the device's thread. Its set of tensors is fixed once created: a tensor that a unit would
     * leave behind is rejected, so that a leak is a failed unit and not a full machine.
     */
    private final class Workbench {
        private final TorchModule module;
        private final NDManager owned;
        private final PromptInputs inputs;
        private final double[] sigmas = policy.sigmas(RolloutUnit.Purpose.TRAINING);
        private final int values = policy.shape().imageValues();
        private final int batch = policy.training().unitSamples();
        private final boolean grpo = policy.training().objective() == TrainingSettings.Objective.FLOW_GRPO;
        private final TensorBuffer x;
        private final TensorBuffer other;
        private final TensorBuffer level;
        private final TensorBuffer source;
        private final TensorBuffer reference;
        private final TensorBuffer tokens;
        private final TensorBuffer judged;
        private final TensorBuffer weight;
        private final TensorBuffer a;
        private final TensorBuffer b;
        private final TensorBuffer deviation;
        private final TensorBuffer factor;
        private final NDArray clip;
        private final TensorBuffer base;
        private final Held theta;
        private final Held old;

        Workbench() {
            TrainingSettings training = policy.training();
            module = new TorchModule(DitScript.of(policy.shape())
                    + policy.lora().script()
                    + ObjectiveScript.losses(training)
                    + ObjectiveScript.optimizer(training.optimizer())
                    + ObjectiveScript.gradients(
                            training, policy.rollout().precision().isBf16()));
            owned = module.scope();
            int side = policy.shape().resolution();
            inputs = new PromptInputs(store, side);
            x = TensorBuffer.floats(owned, batch, 3, side, side);
            other = TensorBuffer.floats(owned, batch, 3, side, side);
            level = TensorBuffer.floats(owned, batch);
            source = TensorBuffer.floats(owned, batch, 3, side, side);
            reference = TensorBuffer.floats(owned, batch, 3, side, side);
            tokens = TensorBuffer.longs(owned, batch, policy.shape().tokens());
            judged = TensorBuffer.floats(owned, batch);
            weight = TensorBuffer.floats(owned, batch);
            a = TensorBuffer.floats(owned, batch);
            b = TensorBuffer.floats(owned, batch);
            deviation = TensorBuffer.floats(owned, batch);
            factor = TensorBuffer.floats(owned, batch);
            clip = owned.create((float) advantageClip);
            base = TensorBuffer.floats(owned, policy.weights().flat().length);
            base.floats(0, policy.weights().flat());
            int trained = policy.lora().trained().size();
            theta = new Held(TensorBuffer.floats(owned, trained));
            old = new Held(TensorBuffer.floats(owned, trained));
            owned.cap();
        }

        Trained gradient(TrainUnit.GradientBlock block) {
            theta.hold(block.state().trained());
            old.hold(block.state().old());
            SumTree<NDArray> gradients = new SumTree<>(this::added);
            SumTree<Double> policyLoss = new SumTree<>(Double::sum);
            SumTree<Double> klLoss = new SumTree<>(Double::sum);
            try (NDManager scope = module.scope()) {
                for (List<TrainUnit.Sample> unit : block.units()) {
                    write(block, unit);
                    NDList results = differentiated(scope);
                    gradients.add(results.get(0));
                    policyLoss.add((double) results.get(1).getFloat());
                    klLoss.add((double) results.get(2).getFloat());
                }
                return new Trained.Gradient(put(gradients.sum()), policyLoss.sum(), klLoss.sum());
            }
        }

        private void write(TrainUnit.GradientBlock block, List<TrainUnit.Sample> unit) {
            for (int row = 0; row < batch; row++) {
                boolean real = row < unit.size();
                // Padding repeats the last sample with weight 0: finite numbers, no new ones.
                write(block, unit.get(Math.min(row, unit.size() - 1)), row);
                set(weight, row, real ? 1.0 / block.validSamples() : 0);
            }
        }

        /** Returns gradient, policy loss and distance to the reference. */
        private NDList differentiated(NDManager scope) {
            return grpo
                    ? module.differentiate(
                            scope,
                            "grpo_gradient",
                            x.array(),
                            other.array(),
                            a.array(),
                            b.array(),
                            deviation.array(),
                            factor.array(),
                            level.array(),
                            source.array(),
                            reference.array(),
                            tokens.array(),
                            judged.array(),
                            weight.array(),
                            theta.buffer.array(),
                            old.buffer.array(),
                            base.array())
                    : module.differentiate(
                            scope,
                            "nft_gradient",
                            x.array(),
                            other.array(),
                            level.array(),
                            source.array(),
                            reference.array(),
                            tokens.array(),
                            judged.array(),
                            clip,
                            weight.array(),
                            theta.buffer.array(),
                            old.buffer.array(),
                            base.array());
        }

        private void write(TrainUnit.GradientBlock block, TrainUnit.Sample sample, int row) {
            TrainingSample trainingSample = sample.trainingSample();
            int timestep = sample.timestep();
            long bytes = (long) values * Float.BYTES;
            inputs.write(trainingSample.prompt(), row, source, reference, tokens);
            set(level, row, sigmas[timestep]);
            MemorySegment into = other.bytes().asSlice(row * bytes, bytes);
            if (grpo) {
                MemorySegment states = store.read(Objects.requireNonNull(
                        trainingSample.image().trajectory(),
                        "training.objective=flow-grpo needs images generated with rollout.solver=sde"));
                x.bytes().asSlice(row * bytes, bytes).copyFrom(states.asSlice(timestep * bytes, bytes));
                into.copyFrom(states.asSlice((timestep + 1) * bytes, bytes));
                SdeStep step = SdeStep.of(policy.rollout().sdeNoise(), sigmas, timestep);
                set(a, row, step.state());
                set(b, row, step.velocity());
                set(deviation, row, step.std());
                set(factor, row, step.klFactor());
                set(judged, row, trainingSample.advantage());
            } else {
                x.bytes()
                        .asSlice(row * bytes, bytes)
                        .copyFrom(store.read(trainingSample.image().latent()));
                RandomKey.of(
                                block.seed(),
                                RandomKey.Purpose.TRAINING_NOISE,
                                block.step(),
                                trainingSample.group(),
                                trainingSample.slot())
                        .atOrdinal(timestep)
                        .normals(into);
                set(judged, row, trainingSample.optimality());
            }
        }

        Trained update(TrainUnit.UpdateUnit unit) {
            LearnerState state = unit.state();
            TrainingSettings training = policy.training();
            OptimizerSettings optimizer = training.optimizer();
            long taken = state.optimizerSteps() + 1;
            double warmup = optimizer.warmupSteps() == 0 ? 1 : Math.min(1, (double) taken / optimizer.warmupSteps());
            try (NDManager scope = module.scope()) {
                SumTree<NDArray> gradients = new SumTree<>(this::added);
                unit.gradients().forEach(ref -> gradients.add(take(scope, ref)));
                NDList next = module.call(
                        scope,
                        "adamw",
                        scope.create(optimizer.learningRate() * warmup),
                        scope.create((float) state.optimizerSteps()),
                        gradients.sum(),
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

        private NDArray added(NDArray left, NDArray right) {
            try (left;
                    right) {
                return left.add(right);
            }
        }

        private NDArray take(NDManager scope, TensorRef ref) {
            TensorBuffer buffer = TensorBuffer.floats(scope, ref.elements());
            buffer.copy(store.read(ref));
            return buffer.array();
        }

        private TensorRef put(NDArray tensor) {
            MemorySegment bytes = TensorBuffer.of(tensor).bytes();
            return store.put(ElementType.FLOAT32, List.of(Math.toIntExact(tensor.size())), to -> to.copyFrom(bytes));
        }

        private void set(TensorBuffer buffer, int row, double value) {
            buffer.bytes().setAtIndex(FLOAT, row, (float) value);
        }

        void close() {
            owned.close();
            module.close();
        }
    }

    /** A tensor of the store, copied in when it differs from the last one. */
    private final class Held {
        private final TensorBuffer buffer;
        private @Nullable TensorRef held;

        Held(TensorBuffer buffer) {
            this.buffer = buffer;
        }

        void hold(TensorRef ref) {
            if (!ref.equals(held)) {
                held = null;
                buffer.copy(store.read(ref));
                held = ref;
            }
        }
    }
}
