package darkroom.gpuworkers;

import darkroom.actors.DrawUnit;
import darkroom.actors.RandomKey;
import darkroom.config.EvaluationSettings;
import darkroom.config.RolloutSettings;
import darkroom.config.TrainingSettings;

/**
 * What rollout and trainer devices of one run have in common: the base they start from and the settings that decide
 * what they compute.
 *
 * @param weights the base: frozen reference, and what low-rank adapters are added to
 */
public record EmbeddedPolicy(
        DitWeights weights, RolloutSettings rollout, EvaluationSettings evaluation, TrainingSettings training) {

    DitShape shape() {
        return weights.shape();
    }

    /** Where the trained parameters lie: the whole model, or its adapters. */
    public LoraLayout lora() {
        return new LoraLayout(weights.shape(), training.lora(), training.loraAlpha());
    }

    /** What training starts from: the base itself, or adapters that change nothing yet. */
    public float[] initial(long seed) {
        return lora().isLora()
                ? InitialWeights.adapters(lora().trained(), training.lora(), seed)
                : weights.flat().clone();
    }

    double[] sigmas(DrawUnit.Purpose purpose) {
        int steps =
                switch (purpose) {
                    case TRAINING -> rollout.solverSteps();
                    case EVALUATION -> evaluation.solverSteps();
                };
        return SigmaSchedule.sigmas(rollout.schedule(), steps, SigmaSchedule.LATENT_TOKENS_AT_512);
    }

    /** Evaluation draws are deterministic: the stochastic sampler is for Flow-GRPO's training images only. */
    SolverStep[] steps(DrawUnit.Purpose purpose) {
        double[] sigmas = sigmas(purpose);
        return rollout.solver() == RolloutSettings.Solver.EULER ? SolverStep.euler(sigmas) : SolverStep.dpm2(sigmas);
    }

    boolean stochastic(DrawUnit.Purpose purpose) {
        return purpose == DrawUnit.Purpose.TRAINING && rollout.solver() == RolloutSettings.Solver.SDE;
    }

    static RandomKey.Purpose noise(DrawUnit.Purpose purpose) {
        return switch (purpose) {
            case TRAINING -> RandomKey.Purpose.INITIAL_NOISE;
            case EVALUATION -> RandomKey.Purpose.EVALUATION_NOISE;
        };
    }
}
