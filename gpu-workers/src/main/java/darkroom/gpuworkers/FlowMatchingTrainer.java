package darkroom.gpuworkers;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import darkroom.config.OptimizerSettings;
import darkroom.config.Precision;
import darkroom.config.TrainingSettings;
import darkroom.gpuworkers.torchscript.TensorBuffer;
import darkroom.gpuworkers.torchscript.TorchModule;
import java.lang.foreign.MemorySegment;

/**
 * Supervised flow matching of the embedded DiT on batches of one size: v(x_t, t) is fitted to noise - target. Inputs are
 * written into the buffers, then {@link #step} is called.
 *
 * <p>Thread-confined.
 */
final class FlowMatchingTrainer implements AutoCloseable {
    private final TorchModule module;
    private final NDManager owned;
    private final TensorBuffer target;
    private final TensorBuffer noise;
    private final TensorBuffer level;
    private final TensorBuffer source;
    private final TensorBuffer reference;
    private final TensorBuffer tokens;
    private NDList state;
    private NDArray average;

    /** @param initial initial flat weights */
    FlowMatchingTrainer(
            DitShape shape, int batch, Precision precision, double weightDecay, double gradientClip, float[] initial) {
        OptimizerSettings optimizer = new OptimizerSettings(0, 0, 0.9, 0.999, 1e-8, weightDecay, gradientClip);
        TrainingSettings none = new TrainingSettings(
                TrainingSettings.Objective.DIFFUSION_NFT,
                TrainingSettings.Weighting.NONE,
                1,
                0,
                1e-4,
                1,
                1,
                batch,
                precision,
                0,
                0,
                optimizer,
                TrainingSettings.OldPolicy.CONSTANT,
                0,
                0);
        module = new TorchModule(DitScript.of(shape)
                + new LoraLayout(shape, 0, 0).script()
                + ObjectiveScript.losses(none)
                + ObjectiveScript.optimizer(optimizer)
                + ObjectiveScript.gradients(none, precision.isBf16()));
        owned = module.scope();
        int side = shape.resolution();
        target = TensorBuffer.floats(owned, batch, 3, side, side);
        noise = TensorBuffer.floats(owned, batch, 3, side, side);
        level = TensorBuffer.floats(owned, batch);
        source = TensorBuffer.floats(owned, batch, 3, side, side);
        reference = TensorBuffer.floats(owned, batch, 3, side, side);
        tokens = TensorBuffer.longs(owned, batch, shape.tokens());
        NDArray theta = owned.create(initial);
        state = new NDList(theta, theta.zerosLike(), theta.zerosLike());
        average = theta.duplicate();
    }

    /** Returns the target images, [batch, 3, side, side] in [-1, 1]. */
    TensorBuffer target() {
        return target;
    }

    /** Returns the standard normal noise, [batch, 3, side, side]. */
    TensorBuffer noise() {
        return noise;
    }

    /** Returns the noise levels t, [batch] in (0, 1). */
    TensorBuffer level() {
        return level;
    }

    TensorBuffer source() {
        return source;
    }

    TensorBuffer reference() {
        return reference;
    }

    TensorBuffer tokens() {
        return tokens;
    }

    /**
     * Takes one optimizer step on the batch in the buffers.
     *
     * @param taken optimizer steps taken before
     * @param averageDecay decay of the average in this step
     * @return mean squared error of the batch before the step
     */
    double step(long taken, double learningRate, double averageDecay) {
        try (NDManager scope = module.scope()) {
            NDList gradient = module.differentiate(
                    scope,
                    "flow_matching",
                    target.array(),
                    noise.array(),
                    level.array(),
                    source.array(),
                    reference.array(),
                    tokens.array(),
                    state.get(0));
            NDList next = module.call(
                    owned,
                    "adamw",
                    scope.create(learningRate),
                    scope.create((float) taken),
                    gradient.get(0),
                    state.get(0),
                    state.get(1),
                    state.get(2));
            next.get(3).close();
            NDArray followed = module.call(owned, "follow", scope.create(averageDecay), average, next.get(0))
                    .get(0);
            average.close();
            average = followed;
            state.close();
            state = new NDList(next.get(0), next.get(1), next.get(2));
            return gradient.get(1).getFloat();
        }
    }

    /** Returns the averaged weights, valid until the next step. */
    MemorySegment average() {
        return TensorBuffer.of(average).bytes();
    }

    @Override
    public void close() {
        owned.close();
        module.close();
    }
}
