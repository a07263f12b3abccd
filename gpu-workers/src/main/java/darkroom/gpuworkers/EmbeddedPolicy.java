package darkroom.gpuworkers;

import darkroom.actors.device.RolloutUnit;
import darkroom.actors.numeric.RandomKey;
import darkroom.config.EvaluationSettings;
import darkroom.config.RolloutSettings;
import darkroom.config.TrainingSettings;

/**
 * State shared by rollout and trainer devices of one run: their base and the settings that decide the result.
 *
 * @param weights the base: frozen reference, and the model that low-rank adapters are added to
 */
public record EmbeddedPolicy(
        DitWeights weights, RolloutSettings rollout, EvaluationSettings evaluation, TrainingSettings training) {

    DitShape shape() {
        return weights.shape();
    }

    /** Returns the layout of the trained parameters: the whole model, or its adapters. */
    public LoraLayout lora() {
        return new LoraLayout(weights.shape(), training.lora(), training.loraAlpha());
    }

    /** Returns the initial trained parameters: the base itself, or adapters that change nothing yet. */
    public float[] initial(long seed) {
        return lora().isLora()
                ? InitialWeights.adapters(lora().trained(), training.lora(), seed)
                : weights.flat().clone();
    }

    double[] sigmas(RolloutUnit.Purpose purpose) {
        int steps =
                switch (purpose) {
                    case TRAINING -> rollout.solverSteps();
                    case EVALUATION -> evaluation.solverSteps();
                };
        return SigmaSchedule.sigmas(rollout.schedule(), steps, SigmaSchedule.LATENT_TOKENS_AT_512);
    }

    /** Evaluation rollouts are deterministic: the stochastic sampler is only for Flow-GRPO's training images. */
    SolverStep[] steps(RolloutUnit.Purpose purpose) {
        double[] sigmas = sigmas(purpose);
        return rollout.solver() == RolloutSettings.Solver.EULER ? SolverStep.euler(sigmas) : SolverStep.dpm2(sigmas);
    }

    boolean stochastic(RolloutUnit.Purpose purpose) {
        return purpose == RolloutUnit.Purpose.TRAINING && rollout.solver() == RolloutSettings.Solver.SDE;
    }

    static RandomKey.Purpose noise(RolloutUnit.Purpose purpose) {
        return switch (purpose) {
            case TRAINING -> RandomKey.Purpose.INITIAL_NOISE;
            case EVALUATION -> RandomKey.Purpose.EVALUATION_NOISE;
        };
    }
}
