package darkroom.gpuworkers;

import darkroom.config.TrainingSettings.Weighting;
import java.util.List;

/**
 * DiffusionNFT's loss and its gradient in double precision: the reference for checks of devices.
 *
 * <p>v+ = beta v_theta + (1 - beta) v_old and v- = (1 + beta) v_old - beta v_theta (equations 5 and 6); the policy loss of
 * a sample is scale (r L+ + (1 - r) L-). With D the mean over dimensions:
 *
 * <ul>
 *   <li>{@link Weighting#ADAPTIVE}, public code: xhat = x_t - t v, L = D[(xhat - x0)^2] / max(D|xhat - x0|, 1e-5), the
 * divisor constant in the gradient, and scale = advantage clip / beta;
 *   <li>{@link Weighting#NONE}, equation 4: L = D[(v - (noise - x0))^2] and scale = 1.
 * </ul>
 *
 * The term klWeight D[(v_theta - v_ref)^2] is added. Both terms are sums over valid samples, divided by the number of valid
 * samples; an invalid sample has no gradient.
 *
 * @param weighting {@code training.weighting}
 * @param beta {@code training.beta}
 * @param advantageClip {@code groups.advantage-clip}
 * @param klWeight {@code training.kl-weight}
 */
public record NftLoss(Weighting weighting, double beta, double advantageClip, double klWeight) {
    private static final double SMALLEST_DIVISOR = 1e-5;

    /**
     * One image at one noise level; all arrays have the same length.
     *
     * @param t noise level, in (0, 1]
     * @param optimality r in [0, 1]
     * @param valid whether the sample counts
     */
    @SuppressWarnings("ArrayRecordComponent") // a carrier of vectors, never compared
    public record Sample(
            double[] x0,
            double[] noise,
            double t,
            double optimality,
            boolean valid,
            double[] vOld,
            double[] vTheta,
            double[] vRef) {

        /** Returns x_t = (1 - t) x0 + t noise. */
        public double[] noisy() {
            double[] noisy = new double[x0.length];
            for (int i = 0; i < noisy.length; i++) {
                noisy[i] = (1 - t) * x0[i] + t * noise[i];
            }
            return noisy;
        }
    }

    /**
     * The terms of one sample, before division by the number of valid samples.
     *
     * @param positive L+
     * @param negative L-
     * @param policy scale (r L+ + (1 - r) L-)
     * @param kl mean squared distance to the reference velocity
     * @param gradient of policy + klWeight kl with respect to v_theta
     */
    @SuppressWarnings("ArrayRecordComponent") // a carrier of vectors, never compared
    public record Terms(double positive, double negative, double policy, double kl, double[] gradient) {}

    /**
     * Loss and gradients of a batch.
     *
     * @param samples one entry per sample, valid or not
     * @param loss mean over valid samples; 0 if none is valid
     * @param gradients of the loss with respect to each sample's v_theta; zero for invalid samples
     */
    public record Evaluation(List<Terms> samples, double loss, List<double[]> gradients) {
        public Evaluation {
            samples = List.copyOf(samples);
            gradients = List.copyOf(gradients);
        }
    }

    /** Computes loss and gradient of a batch. */
    public Evaluation evaluate(List<Sample> samples) {
        long valid = samples.stream().filter(Sample::valid).count();
        List<Terms> terms = samples.stream().map(this::terms).toList();
        double loss = 0;
        double[][] gradients = new double[samples.size()][];
        for (int i = 0; i < gradients.length; i++) {
            gradients[i] = new double[samples.get(i).vTheta().length];
            if (samples.get(i).valid()) {
                loss += (terms.get(i).policy() + klWeight * terms.get(i).kl()) / valid;
                for (int d = 0; d < gradients[i].length; d++) {
                    gradients[i][d] = terms.get(i).gradient()[d] / valid;
                }
            }
        }
        return new Evaluation(terms, loss, List.of(gradients));
    }

    private Terms terms(Sample sample) {
        int dimensions = sample.x0().length;
        double[] positive = new double[dimensions];
        double[] negative = new double[dimensions];
        for (int i = 0; i < dimensions; i++) {
            positive[i] = beta * sample.vTheta()[i] + (1 - beta) * sample.vOld()[i];
            negative[i] = (1 + beta) * sample.vOld()[i] - beta * sample.vTheta()[i];
        }
        Branch plus = branch(sample, positive);
        Branch minus = branch(sample, negative);
        double scale =
                switch (weighting) {
                    case ADAPTIVE -> advantageClip / beta;
                    case NONE -> 1;
                };
        double kl = 0;
        double[] gradient = new double[dimensions];
        for (int i = 0; i < dimensions; i++) {
            double distance = sample.vTheta()[i] - sample.vRef()[i];
            kl += distance * distance / dimensions;
            gradient[i] = scale
                            * beta
                            * (sample.optimality() * plus.gradient()[i]
                                    - (1 - sample.optimality()) * minus.gradient()[i])
                    + klWeight * 2 * distance / dimensions;
        }
        double policy = scale * (sample.optimality() * plus.loss() + (1 - sample.optimality()) * minus.loss());
        return new Terms(plus.loss(), minus.loss(), policy, kl, gradient);
    }

    /** @param gradient of the loss with respect to the branch's velocity */
    @SuppressWarnings("ArrayRecordComponent") // a carrier of vectors, never compared
    private record Branch(double loss, double[] gradient) {}

    private Branch branch(Sample sample, double[] velocity) {
        int dimensions = velocity.length;
        double[] noisy = sample.noisy();
        double[] error = new double[dimensions];
        double squares = 0;
        double absolutes = 0;
        for (int i = 0; i < dimensions; i++) {
            error[i] = switch (weighting) {
                case ADAPTIVE -> noisy[i] - sample.t() * velocity[i] - sample.x0()[i];
                case NONE -> velocity[i] - (sample.noise()[i] - sample.x0()[i]);
            };
            squares += error[i] * error[i] / dimensions;
            absolutes += Math.abs(error[i]) / dimensions;
        }
        double divisor =
                switch (weighting) {
                    case ADAPTIVE -> Math.max(absolutes, SMALLEST_DIVISOR);
                    case NONE -> 1;
                };
        double chain =
                switch (weighting) {
                    case ADAPTIVE -> -sample.t();
                    case NONE -> 1;
                };
        double[] gradient = new double[dimensions];
        for (int i = 0; i < dimensions; i++) {
            gradient[i] = 2 * chain * error[i] / (dimensions * divisor);
        }
        return new Branch(squares / divisor, gradient);
    }
}
