package darkroom.gpuworkers;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import darkroom.gpuworkers.models.RolloutModel;
import darkroom.gpuworkers.torchscript.TensorBuffer;
import darkroom.gpuworkers.torchscript.TorchModule;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.util.List;

/** Steps latents from noise to images with the velocities of any model. Thread-confined. */
final class ImageSolver implements AutoCloseable {
    private static final ValueLayout.OfFloat FLOAT = ValueLayout.JAVA_FLOAT.withOrder(ByteOrder.LITTLE_ENDIAN);

    private final TorchModule module = new TorchModule(SolverScript.advance());
    private final NDManager owned = module.scope();
    private final TensorBuffer coefficients = TensorBuffer.floats(owned, 4);

    /** Writes the standard normal noise of a solver step. */
    @FunctionalInterface
    interface NoiseFiller {
        void fill(int step, MemorySegment noise);
    }

    /**
     * Generates images with a deterministic solver.
     *
     * @param noise standard normal noise, FLOAT32 [batch, channels, height, width]
     * @return latents, shaped as {@code noise}; they belong to {@code scope}
     */
    NDArray solve(
            NDManager scope,
            RolloutModel model,
            RolloutModel.Conditions conditions,
            SolverStep[] steps,
            NDArray noise) {
        NDArray x = noise;
        NDArray previous = noise;
        for (SolverStep step : steps) {
            NDArray v = model.velocity(scope, x, step.sigma(), conditions);
            set(step.sigma(), step.state(), step.velocity(), step.previousPrediction());
            NDList results = module.call(scope, "advance", x, v, previous, coefficients.array());
            x = results.get(0);
            previous = results.get(1);
        }
        return x;
    }

    /**
     * Generates images with the stochastic sampler.
     *
     * @param states receive the initial noise and the latents after each step, one segment for each
     */
    void solve(
            NDManager scope,
            RolloutModel model,
            RolloutModel.Conditions conditions,
            SdeStep[] steps,
            TensorBuffer noise,
            NoiseFiller noises,
            List<MemorySegment> states) {
        double[] sigmas = conditions.sigmas();
        TensorBuffer fresh = TensorBuffer.floats(scope, noise.array().getShape().getShape());
        NDArray x = noise.array();
        copy(x, states.getFirst());
        for (int i = 0; i < steps.length; i++) {
            noises.fill(i, fresh.bytes());
            NDArray v = model.velocity(scope, x, sigmas[i], conditions);
            set(sigmas[i], steps[i].state(), steps[i].velocity(), steps[i].std());
            x = module.call(scope, "advance", x, v, fresh.array(), coefficients.array())
                    .get(0);
            copy(x, states.get(i + 1));
        }
    }

    static void copy(NDArray from, MemorySegment to) {
        MemorySegment.copy(TensorBuffer.of(from).bytes(), 0, to, 0, to.byteSize());
    }

    private void set(double... values) {
        for (int i = 0; i < values.length; i++) {
            coefficients.bytes().setAtIndex(FLOAT, i, (float) values[i]);
        }
    }

    @Override
    public void close() {
        owned.close();
        module.close();
    }
}
