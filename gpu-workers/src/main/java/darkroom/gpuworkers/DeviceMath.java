package darkroom.gpuworkers;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import darkroom.config.OptimizerSettings;
import darkroom.config.TrainingSettings.Weighting;
import darkroom.gpuworkers.torchscript.Torch;
import darkroom.gpuworkers.torchscript.TorchModule;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * Runs the arithmetic of devices on plain arrays: the TorchScript text used for rollout and training, without a model, in a
 * chosen precision. For checks against the double-precision references {@link NftLoss}, {@link FlowGrpoLoss}, {@link
 * AdamWReference} and against test vectors.
 *
 * <p>Thread-confined: created, used and closed on one thread.
 */
public final class DeviceMath implements AutoCloseable {
    /** Floating-point format. Devices compute in float32; float64 shows that the text itself is correct. */
    public enum Precision {
        FLOAT32,
        FLOAT64
    }

    /**
     * Result of an optimizer step.
     *
     * @param gradientNorm norm before clipping
     */
    public record OptimizerStep(AdamWReference state, double gradientNorm) {}

    private static final String GAUSSIAN_VELOCITY = """
        def velocity(x: Tensor, source: Tensor, reference: Tensor, t: Tensor, tokens: Tensor, flat: Tensor, half: bool) -> Tensor:
            mean = torch.select(flat, 0, 0)
            variance = torch.mul(torch.select(flat, 0, 1), torch.select(flat, 0, 1))
            a = torch.rsub(t, 1)
            spread = torch.add(torch.mul(torch.mul(a, a), variance), torch.mul(t, t))
            d = torch.div(torch.sub(x, torch.mul(a, mean)), spread)
            return torch.sub(torch.mul(t, d), torch.add(torch.mul(torch.mul(a, variance), d), mean))
        """;
    private static final String GIVEN_VELOCITY = """
        def velocity(x: Tensor, source: Tensor, reference: Tensor, t: Tensor, tokens: Tensor, flat: Tensor, half: bool) -> Tensor:
            return flat
        """;

    private final Precision precision;
    private final Map<String, TorchModule> modules = new HashMap<>();

    /** Starts the engine if necessary. */
    public DeviceMath(Precision precision) {
        this.precision = precision;
        Torch.enterThread();
    }

    /** Computes DiffusionNFT's loss and its gradient with respect to v_theta. */
    public NftLoss.Evaluation nft(NftLoss loss, List<NftLoss.Sample> samples) {
        TorchModule module = module(ObjectiveScript.losses(loss.weighting(), loss.beta(), loss.klWeight(), 0));
        long valid = samples.stream().filter(NftLoss.Sample::valid).count();
        double[] weights = samples.stream()
                .mapToDouble(sample -> sample.valid() ? 1.0 / valid : 0)
                .toArray();
        try (NDManager scope = module.scope()) {
            List<NftLoss.Terms> terms = samples.stream()
                    .map(sample -> terms(module, scope, loss, sample))
                    .toList();
            NDList results = module.differentiate(
                    scope, "nft_gradient_of_velocity", inputs(scope, loss.advantageClip(), samples, weights));
            return new NftLoss.Evaluation(terms, scalar(results.get(0)), rows(results.get(1), samples.size()));
        }
    }

    private NftLoss.Terms terms(TorchModule module, NDManager scope, NftLoss loss, NftLoss.Sample sample) {
        NDArray[] inputs = inputs(scope, loss.advantageClip(), List.of(sample), new double[] {1});
        NDList losses = module.call(scope, "nft_loss", inputs);
        NDList gradient = module.differentiate(scope, "nft_gradient_of_velocity", inputs);
        return new NftLoss.Terms(
                branch(module, scope, loss.beta(), sample),
                branch(module, scope, -loss.beta(), sample),
                scalar(losses.get(1)),
                scalar(losses.get(2)),
                doubles(gradient.get(1)));
    }

    /** Computes L of old + {@code mix} (theta - old): L+ for beta, L- for minus beta. */
    private double branch(TorchModule module, NDManager scope, double mix, NftLoss.Sample sample) {
        NDArray x0 = matrix(scope, List.of(sample.x0()));
        NDArray noise = matrix(scope, List.of(sample.noise()));
        NDArray old = matrix(scope, List.of(sample.vOld()));
        NDArray theta = matrix(scope, List.of(sample.vTheta()));
        NDArray t = vector(scope, sample.t());
        NDArray noisy = x0.mul(t.neg().add(1)).add(noise.mul(t));
        NDArray mixed = theta.mul(mix).add(old.mul(1 - mix));
        return scalar(module.call(scope, "nft_term", mixed, noisy, x0, noise, t).get(0));
    }

    private NDArray[] inputs(NDManager scope, double clip, List<NftLoss.Sample> samples, double[] weights) {
        return new NDArray[] {
            matrix(scope, samples.stream().map(NftLoss.Sample::x0).toList()),
            matrix(scope, samples.stream().map(NftLoss.Sample::noise).toList()),
            vector(scope, samples.stream().mapToDouble(NftLoss.Sample::t).toArray()),
            matrix(scope, samples.stream().map(NftLoss.Sample::vTheta).toList()),
            matrix(scope, samples.stream().map(NftLoss.Sample::vOld).toList()),
            matrix(scope, samples.stream().map(NftLoss.Sample::vRef).toList()),
            vector(
                    scope,
                    samples.stream().mapToDouble(NftLoss.Sample::optimality).toArray()),
            scalar(scope, clip),
            vector(scope, weights)
        };
    }

    /** Computes Flow-GRPO's loss of one solver step; the arguments are those of {@link FlowGrpoLoss#of}. */
    public FlowGrpoLoss flowGrpo(
            SdeStep step,
            double[] x,
            double[] velocity,
            double[] next,
            double[] newVelocity,
            double advantage,
            double clipRange) {
        TorchModule module = module(ObjectiveScript.losses(Weighting.NONE, 1, 0, clipRange));
        try (NDManager scope = module.scope()) {
            NDArray state = matrix(scope, List.of(x));
            NDArray old = matrix(scope, List.of(velocity));
            NDArray theta = matrix(scope, List.of(newVelocity));
            NDArray after = matrix(scope, List.of(next));
            NDArray a = vector(scope, step.state());
            NDArray b = vector(scope, step.velocity());
            NDArray deviation = vector(scope, step.std());
            NDList results = module.differentiate(
                    scope,
                    "grpo_gradient_of_velocity",
                    state,
                    after,
                    a,
                    b,
                    deviation,
                    vector(scope, step.klFactor()),
                    theta,
                    old,
                    old,
                    vector(scope, advantage),
                    vector(scope, 1));
            NDArray oldMean = state.mul(a).add(old.mul(b));
            NDArray newMean = state.mul(a).add(theta.mul(b));
            return new FlowGrpoLoss(
                    scalar(module.call(scope, "log_probability", after, oldMean, deviation)
                            .get(0)),
                    scalar(module.call(scope, "log_probability", after, newMean, deviation)
                            .get(0)),
                    scalar(results.get(0)),
                    doubles(results.get(1)));
        }
    }

    /** Computes Flow-GRPO's distance to the reference of one solver step: {@link FlowGrpoLoss#kl}. */
    public double flowGrpoKl(SdeStep step, double[] velocity, double[] reference) {
        TorchModule module = module(ObjectiveScript.losses(Weighting.NONE, 1, 1, 1));
        try (NDManager scope = module.scope()) {
            NDArray v = matrix(scope, List.of(velocity));
            return scalar(module.call(
                            scope,
                            "grpo_loss",
                            v,
                            v,
                            vector(scope, step.state()),
                            vector(scope, step.velocity()),
                            vector(scope, step.std()),
                            vector(scope, step.klFactor()),
                            v,
                            v,
                            matrix(scope, List.of(reference)),
                            vector(scope, 0),
                            vector(scope, 1))
                    .get(2));
        }
    }

    /** Computes x' of a stochastic step from its velocity and standard normal noise. */
    public double[] stochasticStep(SdeStep step, double sigma, double[] x, double[] velocity, double[] noise) {
        TorchModule module = module(GIVEN_VELOCITY + SolverScript.of(false));
        try (NDManager scope = module.scope()) {
            NDArray coefficients = vector(scope, sigma, step.state(), step.velocity(), step.std());
            NDArray state = matrix(scope, List.of(x));
            NDArray other = matrix(scope, List.of(noise));
            return doubles(solverStep(module, scope, state, matrix(scope, List.of(velocity)), other, coefficients)
                    .get(0));
        }
    }

    /**
     * Computes the trajectory of one number, first to last, under the exact velocity of normally distributed data.
     *
     * @param mean of the data
     * @param std of the data
     */
    public double[] rolloutGaussian(SolverStep[] steps, double mean, double std, double initial) {
        TorchModule module = module(GAUSSIAN_VELOCITY + SolverScript.of(false));
        double[] trajectory = new double[steps.length + 1];
        trajectory[0] = initial;
        try (NDManager scope = module.scope()) {
            NDArray flat = vector(scope, mean, std);
            NDArray x = vector(scope, initial);
            NDArray previous = x;
            for (int i = 0; i < steps.length; i++) {
                NDArray coefficients = vector(
                        scope, steps[i].sigma(), steps[i].state(), steps[i].velocity(), steps[i].previousPrediction());
                NDList results = solverStep(module, scope, x, flat, previous, coefficients);
                x = results.get(0);
                previous = results.get(1);
                trajectory[i + 1] = scalar(x);
            }
        }
        return trajectory;
    }

    private static NDList solverStep(
            TorchModule module, NDManager scope, NDArray x, NDArray flat, NDArray other, NDArray coefficients) {
        return module.call(scope, "solver_step", x, x, x, x, flat, other, coefficients);
    }

    /** Computes one step of AdamW; the arguments are those of {@link AdamWReference#step}. */
    public OptimizerStep step(AdamWReference state, double[] gradient, OptimizerSettings settings) {
        TorchModule module = module(ObjectiveScript.optimizer(settings));
        try (NDManager scope = module.scope()) {
            NDList results = module.call(
                    scope,
                    "adamw",
                    scope.create(AdamWReference.learningRate(settings, state.steps() + 1)),
                    scope.create((float) state.steps()),
                    vector(scope, gradient),
                    vector(scope, state.weights()),
                    vector(scope, state.firstMoment()),
                    vector(scope, state.secondMoment()));
            return new OptimizerStep(
                    new AdamWReference(
                            state.steps() + 1,
                            doubles(results.get(0)),
                            doubles(results.get(1)),
                            doubles(results.get(2))),
                    scalar(results.get(3)));
        }
    }

    /** Computes decay follower + (1 - decay) leader: the update of the old policy and of the evaluation average. */
    public double[] follow(double decay, double[] follower, double[] leader) {
        TorchModule module = module(ObjectiveScript.optimizer(new OptimizerSettings(1, 0, .9, .999, 1e-8, 0, 1)));
        try (NDManager scope = module.scope()) {
            return doubles(
                    module.call(scope, "follow", scope.create(decay), vector(scope, follower), vector(scope, leader))
                            .get(0));
        }
    }

    private TorchModule module(String text) {
        return modules.computeIfAbsent(text, TorchModule::new);
    }

    private NDArray scalar(NDManager scope, double value) {
        return converted(scope.create(value));
    }

    private NDArray vector(NDManager scope, double... values) {
        return converted(scope.create(values));
    }

    private NDArray matrix(NDManager scope, List<double[]> rows) {
        double[] all = rows.stream().flatMapToDouble(Arrays::stream).toArray();
        return converted(scope.create(all, new Shape(rows.size(), all.length / rows.size())));
    }

    private NDArray converted(NDArray doubles) {
        return switch (precision) {
            case FLOAT32 -> doubles.toType(DataType.FLOAT32, false);
            case FLOAT64 -> doubles;
        };
    }

    private static double[] doubles(NDArray array) {
        return array.toType(DataType.FLOAT64, false).toDoubleArray();
    }

    private static double scalar(NDArray array) {
        return doubles(array)[0];
    }

    private static List<double[]> rows(NDArray matrix, int count) {
        double[] all = doubles(matrix);
        List<double[]> rows = new ArrayList<>();
        for (int i = 0; i < count; i++) {
            rows.add(Arrays.copyOfRange(all, i * all.length / count, (i + 1) * all.length / count));
        }
        return rows;
    }

    @Override
    public void close() {
        modules.values().forEach(TorchModule::close);
        modules.clear();
    }
}
