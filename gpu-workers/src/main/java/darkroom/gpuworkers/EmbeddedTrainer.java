package darkroom.gpuworkers;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import darkroom.actors.device.RolloutUnit;
import darkroom.actors.device.TrainUnit;
import darkroom.actors.device.TrainingSample;
import darkroom.actors.numeric.RandomKey;
import darkroom.config.TrainingSettings;
import darkroom.gpuworkers.models.TrainerModel;
import darkroom.gpuworkers.torchscript.TensorBuffer;
import darkroom.gpuworkers.torchscript.TorchModule;
import darkroom.tensors.TensorStore;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.List;
import java.util.Objects;

/**
 * The embedded DiT for training: velocities, loss and gradient of a unit are one call.
 *
 * <p>A unit with fewer samples than {@code training.unit-samples} is padded with samples of weight 0, so that every batch takes
 * the same path through the kernels. Its set of tensors is fixed once created: a tensor that a unit would leave behind is
 * rejected, so that a leak is a failed unit and not a full machine.
 */
final class EmbeddedTrainer implements TrainerModel {
    private static final ValueLayout.OfFloat FLOAT = ValueLayout.JAVA_FLOAT;

    private final EmbeddedPolicy policy;
    private final TensorStore store;
    private final double[] sigmas;
    private final int values;
    private final int batch;
    private final boolean grpo;
    private final TorchModule module;
    private final NDManager owned;
    private final PromptInputs inputs;
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
    private final TensorBuffer theta;
    private final TensorBuffer old;

    EmbeddedTrainer(EmbeddedPolicy policy, TensorStore store, double advantageClip) {
        this.policy = policy;
        this.store = store;
        sigmas = policy.sigmas(RolloutUnit.Purpose.TRAINING);
        values = policy.shape().imageValues();
        batch = policy.training().unitSamples();
        grpo = policy.training().objective() == TrainingSettings.Objective.FLOW_GRPO;
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
        theta = TensorBuffer.floats(owned, trained);
        old = TensorBuffer.floats(owned, trained);
        owned.cap();
    }

    @Override
    public NDManager scope() {
        return module.scope();
    }

    @Override
    public void serveTrained(MemorySegment parameters) {
        theta.copy(parameters);
    }

    @Override
    public void serveOld(MemorySegment parameters) {
        old.copy(parameters);
    }

    @Override
    public UnitGradient gradient(NDManager scope, TrainUnit.GradientBlock block, List<TrainUnit.Sample> unit) {
        write(block, unit);
        NDList results = differentiated(scope);
        return new UnitGradient(
                results.get(0), results.get(1).getFloat(), results.get(2).getFloat());
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
                        theta.array(),
                        old.array(),
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
                        theta.array(),
                        old.array(),
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

    private static void set(TensorBuffer buffer, int row, double value) {
        buffer.bytes().setAtIndex(FLOAT, row, (float) value);
    }

    @Override
    public void close() {
        owned.close();
        module.close();
    }
}
