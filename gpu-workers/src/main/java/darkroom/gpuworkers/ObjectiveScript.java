package darkroom.gpuworkers;

import darkroom.config.OptimizerSettings;
import darkroom.config.TrainingSettings;
import darkroom.gpuworkers.torchscript.TorchScriptSource;

/**
 * Losses, gradients and the optimizer step as TorchScript text. The constants of the settings are written into the text;
 * values that change from step to step are inputs.
 *
 * <p>Losses take tensors of any floating type and any shape [B, ...], so that the golden vectors run through the same code as
 * training (in float64 to 1e-9, in float32 to 1e-6).
 */
final class ObjectiveScript {
    private ObjectiveScript() {}

    /**
     * Loss functions and the optimizer step, without a model.
     *
     * <p>{@code nft_loss(x0, noise, t, v, old, reference, optimality, weight)} is DiffusionNFT (paper equations 4 to 6;
     * weighting {@code adaptive} as in the public code, whose loss has the factor clip / beta): returns the weighted sum of
     * policy and KL losses to differentiate, and both separately. Weights are 1/N for valid samples and 0 for padding.
     *
     * <p>{@code grpo_loss(x, next, a, b, deviation, factor, v, old, reference, advantage, weight)} is Flow-GRPO's clipped
     * ratio with the log-probability averaged over dimensions; the mean of the step is {@code a x + b v}. Its KL term is
     * {@code factor} ({@link SdeStep#klFactor}) times the squared distance of the velocities.
     */
    static String losses(TrainingSettings training) {
        return losses(training.weighting(), training.beta(), training.klWeight(), training.clipRange());
    }

    static String losses(TrainingSettings.Weighting weighting, double beta, double klWeight, double clipRange) {
        return TorchScriptSource.of("losses")
                .with("ADAPTIVE", truth(weighting == TrainingSettings.Weighting.ADAPTIVE))
                .with("BETA", number(beta))
                .with("KL", number(klWeight))
                .with("RANGE", number(clipRange))
                .text();
    }

    /** {@code adamw(lr, step, gradient, theta, m, v)}: clipping by global norm, then AdamW; returns theta, m, v, norm. */
    static String optimizer(OptimizerSettings optimizer) {
        return TorchScriptSource.of("optimizer")
                .with("BETA1", number(optimizer.beta1()))
                .with("BETA2", number(optimizer.beta2()))
                .with("EPSILON", number(optimizer.epsilon()))
                .with("DECAY", number(optimizer.weightDecay()))
                .with("CLIP", number(optimizer.gradientClip()))
                .text();
    }

    /**
     * Gradients through the model of {@link DitScript}, which must precede this text.
     *
     * @param half whether the old and the reference policy run in bfloat16; the trained one follows {@code
     *     training.precision}, and so does Flow-GRPO's old one, because the ratio of the two is near one
     */
    static String gradients(TrainingSettings training, boolean half) {
        return TorchScriptSource.of("gradients")
                .with("HALF", truth(half))
                .with("TRAINED", truth(training.precision().isBf16()))
                .with("USES_REFERENCE", truth(training.klWeight() > 0))
                .text();
    }

    /** Low-rank adapters; see {@link LoraLayout}. */
    static String weights(LoraLayout lora) {
        return lora.script();
    }

    private static String truth(boolean value) {
        return value ? "True" : "False";
    }

    static String number(double value) {
        String text = Double.toString(value);
        return text.contains("E") ? text.replace("E", "e") : text;
    }
}
