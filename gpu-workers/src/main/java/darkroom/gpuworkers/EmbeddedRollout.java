package darkroom.gpuworkers;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import darkroom.actors.device.Prompt;
import darkroom.actors.device.RolloutUnit;
import darkroom.edittasks.pictures.RgbImage;
import darkroom.gpuworkers.models.LatentShape;
import darkroom.gpuworkers.models.RolloutModel;
import darkroom.gpuworkers.torchscript.TensorBuffer;
import darkroom.gpuworkers.torchscript.TorchModule;
import darkroom.tensors.TensorStore;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import org.jspecify.annotations.Nullable;

/**
 * The embedded DiT for rollouts: a group is one batch, its latents are the images.
 *
 * <p>Adapters are merged into a copy of the base once for each version, for the model is small.
 */
final class EmbeddedRollout implements RolloutModel {
    private final EmbeddedPolicy policy;
    private final PromptInputs inputs;
    private final int slots;
    private final DitSampler sampler;
    private final @Nullable Merger merger;

    EmbeddedRollout(EmbeddedPolicy policy, TensorStore store, int slots) {
        this.policy = policy;
        this.slots = slots;
        this.inputs = new PromptInputs(store, policy.shape().resolution());
        this.sampler = new DitSampler(
                policy.shape(), slots, policy.rollout().precision().isBf16());
        this.merger = policy.lora().isLora() ? new Merger() : null;
    }

    @SuppressWarnings("ArrayRecordComponent") // a carrier of noise levels, never compared
    private record Encoded(LatentShape latent, double[] sigmas) implements Conditions {}

    @Override
    public NDManager scope() {
        return sampler.scope();
    }

    @Override
    public int batch() {
        return slots;
    }

    @Override
    public void serve(MemorySegment parameters) {
        if (merger == null) {
            sampler.serve(parameters);
        } else {
            merger.merge(parameters);
        }
    }

    @Override
    public Conditions encode(NDManager scope, Prompt prompt, RolloutUnit.Purpose purpose) {
        for (int slot = 0; slot < slots; slot++) {
            inputs.write(prompt, slot, sampler.source(), sampler.reference(), sampler.tokens());
        }
        int side = policy.shape().resolution();
        return new Encoded(new LatentShape(3, side, side), policy.sigmas(purpose));
    }

    @Override
    public NDArray velocity(NDManager scope, NDArray x, double sigma, Conditions conditions) {
        return sampler.velocity(scope, x, sigma);
    }

    @Override
    public RgbImage decode(MemorySegment latent, LatentShape shape) {
        return RgbImage.fromPlanar(latent.toArray(ValueLayout.JAVA_FLOAT), 0, shape.width(), shape.height());
    }

    @Override
    public void close() {
        sampler.close();
        if (merger != null) {
            merger.close();
        }
    }

    /** Adds adapters to the base. */
    private final class Merger {
        private final TorchModule module = new TorchModule(policy.lora().script());
        private final NDManager owned = module.scope();
        private final TensorBuffer base =
                TensorBuffer.floats(owned, policy.weights().flat().length);
        private final TensorBuffer adapters =
                TensorBuffer.floats(owned, policy.lora().trained().size());

        Merger() {
            base.floats(0, policy.weights().flat());
            owned.cap();
        }

        void merge(MemorySegment parameters) {
            adapters.copy(parameters);
            try (NDManager scope = module.scope()) {
                sampler.serve(TensorBuffer.of(module.call(scope, "weights", base.array(), adapters.array())
                                .get(0))
                        .bytes());
            }
        }

        void close() {
            owned.close();
            module.close();
        }
    }
}
