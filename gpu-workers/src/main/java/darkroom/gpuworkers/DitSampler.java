package darkroom.gpuworkers;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import darkroom.gpuworkers.torchscript.TensorBuffer;
import darkroom.gpuworkers.torchscript.TorchModule;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;

/**
 * Generates batches of one size with the embedded DiT. All rows of the inputs are written into {@link #noise()}, {@link
 * #source()}, {@link #reference()} and {@link #tokens()}, then {@link #rollout} is called.
 *
 * <p>Thread-confined. A batch of one size always takes the same path through the kernels, so a row's result depends only on
 * its own inputs.
 */
final class DitSampler implements AutoCloseable {
    private static final ValueLayout.OfFloat FLOAT = ValueLayout.JAVA_FLOAT.withOrder(ByteOrder.LITTLE_ENDIAN);

    private final TorchModule module;
    private final NDManager owned;
    private final TensorBuffer flat;
    private final TensorBuffer noise;
    private final TensorBuffer source;
    private final TensorBuffer reference;
    private final TensorBuffer tokens;
    private final TensorBuffer coefficients;
    private final TensorBuffer level;
    private NDManager serving;
    private NDArray prepared;

    /**
     * @param batch rows of every rollout
     * @param bf16 linears in bfloat16, attention and the rest in float32
     */
    DitSampler(DitShape shape, int batch, boolean bf16) {
        module = new TorchModule(DitScript.of(shape) + SolverScript.of(bf16));
        owned = module.scope();
        int side = shape.resolution();
        flat = TensorBuffer.floats(owned, shape.layout().size());
        noise = TensorBuffer.floats(owned, batch, 3, side, side);
        source = TensorBuffer.floats(owned, batch, 3, side, side);
        reference = TensorBuffer.floats(owned, batch, 3, side, side);
        tokens = TensorBuffer.longs(owned, batch, shape.tokens());
        coefficients = TensorBuffer.floats(owned, 4);
        level = TensorBuffer.floats(owned);
        owned.cap();
        serving = module.scope();
        prepared = module.call(serving, "prepared", flat.array()).get(0);
    }

    /** Uses these weights from now on: FLOAT32 [parameters], copied. */
    void serve(MemorySegment weights) {
        flat.copy(weights);
        serving.close();
        serving = module.scope();
        prepared = module.call(serving, "prepared", flat.array()).get(0);
    }

    TensorBuffer noise() {
        return noise;
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

    /** Returns the velocity of {@code x} FLOAT32 [batch, 3, side, side] with the inputs that are written. */
    NDArray velocity(NDManager scope, NDArray x, double sigma) {
        level.bytes().setAtIndex(FLOAT, 0, (float) sigma);
        return module.call(
                        scope,
                        "velocity_at",
                        x,
                        source.array(),
                        reference.array(),
                        tokens.array(),
                        prepared,
                        level.array())
                .get(0);
    }

    /** Returns a scope that frees its arrays when closed. */
    NDManager scope() {
        return module.scope();
    }

    /** Generates images from the noise, float32 [batch, 3, side, side], and copies them into {@code latents}. */
    void rollout(SolverStep[] steps, MemorySegment latents) {
        try (NDManager scope = module.scope()) {
            NDArray x = noise.array();
            NDArray previous = x;
            for (SolverStep step : steps) {
                set(step.sigma(), step.state(), step.velocity(), step.previousPrediction());
                NDList results = step(scope, x, previous);
                x = results.get(0);
                previous = results.get(1);
            }
            copy(x, latents);
        }
    }

    private NDList step(NDManager scope, NDArray x, NDArray other) {
        return module.call(
                scope,
                "solver_step",
                x,
                source.array(),
                reference.array(),
                tokens.array(),
                prepared,
                other,
                coefficients.array());
    }

    private void set(double... values) {
        for (int i = 0; i < values.length; i++) {
            coefficients.bytes().setAtIndex(FLOAT, i, (float) values[i]);
        }
    }

    private static void copy(NDArray from, MemorySegment to) {
        MemorySegment.copy(TensorBuffer.of(from).bytes(), 0, to, 0, to.byteSize());
    }

    @Override
    public void close() {
        serving.close();
        owned.close();
        module.close();
    }
}
