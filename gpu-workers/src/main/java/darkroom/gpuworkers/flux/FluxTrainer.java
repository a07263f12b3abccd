package darkroom.gpuworkers.flux;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.Shape;
import darkroom.actors.device.TrainUnit;
import darkroom.actors.device.TrainingSample;
import darkroom.actors.numeric.RandomKey;
import darkroom.config.TrainingSettings;
import darkroom.gpuworkers.SdeStep;
import darkroom.gpuworkers.VelocityLoss;
import darkroom.gpuworkers.lora.LoraAdapter;
import darkroom.gpuworkers.models.TrainerModel;
import darkroom.gpuworkers.torchscript.TensorBuffer;
import darkroom.tensors.TensorRef;
import darkroom.tensors.TensorStore;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.util.List;
import java.util.Objects;

/**
 * FLUX.1-Kontext for training: the samples of a unit are computed one after the other, and their gradients are added in order.
 *
 * <p>One base serves the trained policy, the old policy and the reference, which differ by their adapters.
 */
final class FluxTrainer implements TrainerModel {
    private final FluxKontext model;
    private final TensorStore store;
    private final FluxEncoder encoder;
    private final FluxTransformer transformer;
    private final VelocityLoss loss;
    private final LoraAdapter theta;
    private final LoraAdapter old;
    private final LoraAdapter none = LoraAdapter.none();

    FluxTrainer(FluxKontext model, TensorStore store, double advantageClip) throws IOException {
        this.model = model;
        this.store = store;
        this.encoder = model.encoder(store);
        this.transformer = model.transformer(model.training().precision());
        this.loss = new VelocityLoss(model.training(), advantageClip);
        this.theta = new LoraAdapter(model.trained(), model.scale());
        this.old = new LoraAdapter(model.trained(), model.scale());
    }

    @Override
    public NDManager scope() {
        return transformer.scope();
    }

    @Override
    public void serveTrained(MemorySegment parameters) {
        theta.serve(parameters);
    }

    @Override
    public void serveOld(MemorySegment parameters) {
        old.serve(parameters);
    }

    @Override
    public UnitGradient gradient(NDManager scope, TrainUnit.GradientBlock block, List<TrainUnit.Sample> unit) {
        TensorBuffer sum = TensorBuffer.floats(scope, model.trained().size());
        double policyLoss = 0;
        double klLoss = 0;
        try (NDManager own = transformer.scope()) {
            TensorBuffer gradient = TensorBuffer.floats(own, model.trained().size());
            for (TrainUnit.Sample sample : unit) {
                try (NDManager inner = transformer.scope()) {
                    VelocityLoss.Gradient found = sample(inner, block, sample, gradient);
                    policyLoss += found.policyLoss();
                    klLoss += found.klLoss();
                }
                sum.array().addi(gradient.array());
            }
        }
        return new UnitGradient(sum.array(), policyLoss, klLoss);
    }

    private VelocityLoss.Gradient sample(
            NDManager scope, TrainUnit.GradientBlock block, TrainUnit.Sample sample, TensorBuffer gradient) {
        TrainingSample trained = sample.trainingSample();
        FluxEncoder.Encoded encoded = encoder.encode(scope, trained.prompt());
        Shape shape = encoded.references().getFirst().getShape();
        double[] sigmas = model.sigmas(model.rollout().solverSteps(), (int) (shape.get(2) * shape.get(3) / 4));
        FluxTransformer.Conditions conditions = transformer.conditions(
                scope,
                shape,
                encoded.references(),
                encoded.promptEmbeds(),
                encoded.pooled(),
                model.policy().guidance());
        NDArray sigma = one(scope, sigmas[sample.timestep()]);
        NDArray weight = one(scope, 1.0 / block.validSamples());
        NDArray x;
        VelocityLoss.Gradient found;
        if (model.training().objective() == TrainingSettings.Objective.FLOW_GRPO) {
            MemorySegment states = store.read(Objects.requireNonNull(
                    trained.image().trajectory(),
                    "training.objective=flow-grpo needs images generated with rollout.solver=sde"));
            x = state(scope, states, sample.timestep(), shape);
            NDArray next = state(scope, states, sample.timestep() + 1, shape);
            found = loss.grpo(
                    scope,
                    x,
                    next,
                    SdeStep.of(model.rollout().sdeNoise(), sigmas, sample.timestep()),
                    velocities(scope, x, sigma, conditions),
                    one(scope, trained.advantage()),
                    weight);
        } else {
            NDArray x0 = read(scope, trained.image().latent(), shape);
            TensorBuffer noise = TensorBuffer.floats(scope, shape.getShape());
            RandomKey.of(block.seed(), RandomKey.Purpose.TRAINING_NOISE, block.step(), trained.group(), trained.slot())
                    .atOrdinal(sample.timestep())
                    .normals(noise.bytes());
            x = loss.noisy(scope, x0, noise.array(), sigma);
            found = loss.nft(
                    scope,
                    x0,
                    noise.array(),
                    sigma,
                    velocities(scope, x, sigma, conditions),
                    one(scope, trained.optimality()),
                    weight);
        }
        transformer.backward(x, sigma, conditions, theta, found.cotangent(), gradient);
        return found;
    }

    private VelocityLoss.Velocities velocities(
            NDManager scope, NDArray x, NDArray sigma, FluxTransformer.Conditions conditions) {
        NDArray before = transformer.velocity(scope, x, sigma, conditions, old);
        return new VelocityLoss.Velocities(
                transformer.velocity(scope, x, sigma, conditions, theta),
                before,
                loss.usesReference() ? transformer.velocity(scope, x, sigma, conditions, none) : before);
    }

    private NDArray read(NDManager scope, TensorRef latent, Shape shape) {
        TensorBuffer buffer = TensorBuffer.floats(scope, shape.getShape());
        buffer.copy(store.read(latent));
        return buffer.array();
    }

    private static NDArray state(NDManager scope, MemorySegment states, int step, Shape shape) {
        TensorBuffer buffer = TensorBuffer.floats(scope, shape.getShape());
        long bytes = buffer.bytes().byteSize();
        buffer.copy(states.asSlice(step * bytes, bytes));
        return buffer.array();
    }

    private static NDArray one(NDManager scope, double value) {
        return scope.create(new float[] {(float) value});
    }

    @Override
    public void close() {
        none.close();
        old.close();
        theta.close();
        loss.close();
        transformer.close();
        encoder.close();
    }
}
