package darkroom.gpuworkers;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import darkroom.config.TrainingSettings;
import darkroom.gpuworkers.torchscript.TorchModule;

/**
 * The objective as a function of velocities: its gradient with respect to the trained velocity, from which any model goes on to
 * its parameters. Thread-confined.
 */
public final class VelocityLoss implements AutoCloseable {
    private final TorchModule module;
    private final NDManager owned;
    private final NDArray clip;
    private final boolean usesReference;

    /**
     * @param training objective and its constants
     * @param advantageClip {@code groups.advantage-clip}, a factor of the adaptive loss
     */
    public VelocityLoss(TrainingSettings training, double advantageClip) {
        module = new TorchModule(ObjectiveScript.losses(training));
        owned = module.scope();
        clip = owned.create((float) advantageClip);
        usesReference = training.klWeight() > 0;
    }

    /** Whether the loss has a distance to the velocity of the base. */
    public boolean usesReference() {
        return usesReference;
    }

    /**
     * The gradient of a batch.
     *
     * @param cotangent gradient with respect to the trained velocity, shaped as it
     * @param policyLoss weighted sum of the samples' policy losses
     * @param klLoss weighted sum of the samples' distances to the reference
     */
    public record Gradient(NDArray cotangent, double policyLoss, double klLoss) {}

    /**
     * Velocities at the same latents, all FLOAT32 [batch, channels, height, width].
     *
     * @param reference of the base; any of the others where the loss does not use it
     */
    public record Velocities(NDArray trained, NDArray old, NDArray reference) {}

    /** Returns x_t = (1 - t) x0 + t noise. */
    public NDArray noisy(NDManager scope, NDArray x0, NDArray noise, NDArray t) {
        return module.call(scope, "noisy", x0, noise, t).get(0);
    }

    /**
     * DiffusionNFT: paper equations 4 to 6.
     *
     * @param t noise levels, FLOAT32 [batch]
     * @param optimality r in [0, 1], FLOAT32 [batch]
     * @param weight of each sample in the pass, FLOAT32 [batch]
     */
    public Gradient nft(
            NDManager scope, NDArray x0, NDArray noise, NDArray t, Velocities v, NDArray optimality, NDArray weight) {
        return gradient(module.differentiate(
                scope,
                "nft_velocity_gradient",
                x0,
                noise,
                t,
                v.trained(),
                v.old(),
                v.reference(),
                optimality,
                clip,
                weight));
    }

    /**
     * Flow-GRPO of one sample.
     *
     * @param x state before the solver step
     * @param next state after it
     * @param advantage FLOAT32 [1]
     * @param weight of the sample in the pass, FLOAT32 [1]
     */
    public Gradient grpo(
            NDManager scope, NDArray x, NDArray next, SdeStep step, Velocities v, NDArray advantage, NDArray weight) {
        return gradient(module.differentiate(
                scope,
                "grpo_velocity_gradient",
                x,
                next,
                one(scope, step.state()),
                one(scope, step.velocity()),
                one(scope, step.std()),
                one(scope, step.klFactor()),
                v.trained(),
                v.old(),
                v.reference(),
                advantage,
                weight));
    }

    private static NDArray one(NDManager scope, double value) {
        return scope.create(new float[] {(float) value});
    }

    private static Gradient gradient(NDList results) {
        return new Gradient(
                results.get(0), results.get(1).getFloat(), results.get(2).getFloat());
    }

    @Override
    public void close() {
        owned.close();
        module.close();
    }
}
