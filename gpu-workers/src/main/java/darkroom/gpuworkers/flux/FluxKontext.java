package darkroom.gpuworkers.flux;

import darkroom.config.EvaluationSettings;
import darkroom.config.PolicySettings;
import darkroom.config.Precision;
import darkroom.config.RolloutSettings;
import darkroom.config.TrainingSettings;
import darkroom.gpuworkers.InitialWeights;
import darkroom.gpuworkers.checkpoints.FlatLayout;
import darkroom.gpuworkers.models.PolicyModel;
import darkroom.gpuworkers.models.RolloutModel;
import darkroom.gpuworkers.models.TrainerModel;
import darkroom.gpuworkers.pretrained.MappedWeights;
import darkroom.gpuworkers.pretrained.ModelFolder;
import darkroom.tensors.TensorStore;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Path;

/**
 * FLUX.1-Kontext from a model folder in the layout of diffusers, trained by adapters of its attention projections.
 *
 * <p>Every image and every sample is a batch of its own: a group's images have one prompt, and the tokens of one image fill a
 * device.
 */
public final class FluxKontext implements PolicyModel {
    private final ModelFolder folder;
    private final FluxConfig config;
    private final FlowMatchScheduler scheduler;
    private final PolicySettings policy;
    private final RolloutSettings rollout;
    private final EvaluationSettings evaluation;
    private final TrainingSettings training;
    private final FlatLayout trained;

    /**
     * Opens a folder.
     *
     * @param policy {@code policy.weights} is the folder
     * @throws IOException naming what is wrong with the folder
     */
    public FluxKontext(
            PolicySettings policy, RolloutSettings rollout, EvaluationSettings evaluation, TrainingSettings training)
            throws IOException {
        this.policy = policy;
        this.rollout = rollout;
        this.evaluation = evaluation;
        this.training = training;
        this.folder = ModelFolder.open(Path.of(policy.weights()));
        this.config = FluxConfig.read(folder.file("transformer", "config.json"));
        this.scheduler = FlowMatchScheduler.read(folder.file("scheduler", "scheduler_config.json"));
        this.trained = FluxTargets.attention(config, training.lora());
    }

    @Override
    public FlatLayout trained() {
        return trained;
    }

    @Override
    public float[] initial(long seed) {
        return InitialWeights.adapters(trained, training.lora(), seed);
    }

    @Override
    public RolloutModel rollout(TensorStore store, int slots) {
        try {
            return new FluxRollout(this, store);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    @Override
    public TrainerModel trainer(TensorStore store, double advantageClip) {
        try {
            return new FluxTrainer(this, store, advantageClip);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    FluxConfig config() {
        return config;
    }

    FlowMatchScheduler scheduler() {
        return scheduler;
    }

    PolicySettings policy() {
        return policy;
    }

    RolloutSettings rollout() {
        return rollout;
    }

    EvaluationSettings evaluation() {
        return evaluation;
    }

    TrainingSettings training() {
        return training;
    }

    /** Returns alpha / rank, by which B A of an adapter is multiplied. */
    public double scale() {
        return training.loraAlpha() / training.lora();
    }

    /** Maps the transformer. */
    FluxTransformer transformer(Precision precision) throws IOException {
        MappedWeights weights = MappedWeights.of(folder.weights("transformer"));
        return new FluxTransformer(config, precision.isBf16() ? weights.toBf16() : weights, 1);
    }

    /** Opens the encoders. */
    FluxEncoder encoder(TensorStore store) throws IOException {
        return new FluxEncoder(folder, rollout.precision(), policy.promptTokens(), store);
    }

    /** Returns noise levels as the scheduler of the folder has them, from 1 to 0. */
    double[] sigmas(int steps, int tokens) {
        float[] floats = scheduler.sigmas(steps, tokens);
        double[] sigmas = new double[floats.length];
        for (int i = 0; i < sigmas.length; i++) {
            sigmas[i] = floats[i];
        }
        return sigmas;
    }
}
