package darkroom.gpuworkers;

import darkroom.actors.device.RolloutUnit;
import darkroom.config.EvaluationSettings;
import darkroom.config.RolloutSettings;
import darkroom.config.TrainingSettings;
import darkroom.gpuworkers.checkpoints.FlatLayout;
import darkroom.gpuworkers.models.PolicyModel;
import darkroom.gpuworkers.models.RolloutModel;
import darkroom.gpuworkers.models.TrainerModel;
import darkroom.tensors.TensorStore;

/**
 * The embedded DiT of one run: its base, and the settings that decide the result.
 *
 * @param weights the base: frozen reference, and the model that low-rank adapters are added to
 */
public record EmbeddedPolicy(
        DitWeights weights, RolloutSettings rollout, EvaluationSettings evaluation, TrainingSettings training)
        implements PolicyModel {

    DitShape shape() {
        return weights.shape();
    }

    /** Returns the layout of the trained parameters: the whole model, or its adapters. */
    public LoraLayout lora() {
        return new LoraLayout(weights.shape(), training.lora(), training.loraAlpha());
    }

    /** Returns the base itself, or adapters that change nothing yet. */
    @Override
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

    @Override
    public FlatLayout trained() {
        return lora().trained();
    }

    @Override
    public RolloutModel rollout(TensorStore store, int slots) {
        return new EmbeddedRollout(this, store, slots);
    }

    @Override
    public TrainerModel trainer(TensorStore store, double advantageClip) {
        return new EmbeddedTrainer(this, store, advantageClip);
    }
}
