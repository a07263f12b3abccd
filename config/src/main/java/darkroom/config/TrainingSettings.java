package darkroom.config;

/**
 * One training iteration: objective, samples and optimizer.
 *
 * @param objective DiffusionNFT, or Flow-GRPO behind the same interface
 * @param weighting DiffusionNFT loss: adaptive x0 space (public code) or none, velocity space (paper equation 4)
 * @param beta mixing of trained and old velocity, equations 5 and 6
 * @param klWeight weight of the distance to the reference: of velocities with DiffusionNFT, of means with Flow-GRPO
 * @param clipRange Flow-GRPO's clip range of the probability ratio
 * @param timestepsPerImage T, solver noise levels trained per image (public code: 5 of 6; embedded-demo: 1); neither
 *     this nor S is in the paper
 * @param optimizerSteps S, optimizer steps per iteration over disjoint sets of units (public code: 1; embedded-demo: 4)
 * @param unitSamples samples per gradient unit: the fixed batch whose gradient is summed in one piece
 * @param precision of the linear layers of the trained policy; its weights, gradients and optimizer state are float32
 * @param lora rank of the trained low-rank adapters; 0 trains all weights
 * @param loraAlpha alpha of the adapters; their output is scaled by alpha / rank
 * @param oldPolicy how the rollout policy follows the trained one
 * @param oldPolicyDecay decay of a constant old-policy schedule
 * @param emaDecay cap of the evaluation average's decay
 */
public record TrainingSettings(
        Objective objective,
        Weighting weighting,
        double beta,
        double klWeight,
        double clipRange,
        int timestepsPerImage,
        int optimizerSteps,
        int unitSamples,
        Precision precision,
        int lora,
        double loraAlpha,
        OptimizerSettings optimizer,
        OldPolicy oldPolicy,
        double oldPolicyDecay,
        double emaDecay) {
    public TrainingSettings {
        Allowed.above("training.beta", beta, 0);
        Allowed.atLeast("training.kl-weight", klWeight, 0);
        Allowed.real("training.clip-range", clipRange, 0, 1);
        Allowed.whole("training.timesteps-per-image", timestepsPerImage, 1, 1000);
        Allowed.whole("training.optimizer-steps", optimizerSteps, 1, 10_000);
        Allowed.whole("training.unit-samples", unitSamples, 1, 1_000_000);
        Allowed.whole("training.lora", lora, 0, 4096);
        Allowed.atLeast("training.lora-alpha", loraAlpha, 0);
        Allowed.require(
                lora == 0 || loraAlpha > 0,
                "training.lora-alpha",
                loraAlpha,
                "numbers above 0 with training.lora=" + lora);
        Allowed.real("training.old-policy-decay", oldPolicyDecay, 0, 1);
        Allowed.real("training.ema-decay", emaDecay, 0, 1);
    }

    /** Returns these settings with another precision. */
    public TrainingSettings in(Precision other) {
        return new TrainingSettings(
                objective,
                weighting,
                beta,
                klWeight,
                clipRange,
                timestepsPerImage,
                optimizerSteps,
                unitSamples,
                other,
                lora,
                loraAlpha,
                optimizer,
                oldPolicy,
                oldPolicyDecay,
                emaDecay);
    }

    /** The minimised objective; {@code FLOW_GRPO} needs the stochastic solver, {@code DIFFUSION_NFT} a deterministic one. */
    public enum Objective {
        DIFFUSION_NFT,
        FLOW_GRPO
    }

    /**
     * Weighting of DiffusionNFT: errors of the predicted image divided by their own size, or plain errors of the velocity.
     */
    public enum Weighting {
        ADAPTIVE,
        NONE
    }

    /**
     * Decay of the old policy, which does the rollout: {@code PUBLIC}: min(0.001 step, 0.5), the public code's decay type 1,
     * which the paper does not mention; {@code CONSTANT}: {@code oldPolicyDecay}; {@code ON_POLICY}: 0, so that the trained
     * policy itself does the rollout of the next step.
     */
    public enum OldPolicy {
        PUBLIC,
        CONSTANT,
        ON_POLICY
    }
}
