package darkroom.gpuworkers;

/**
 * Flow-GRPO's clipped ratio loss of one solver step, in double precision: max(-A rho, -A clip(rho, 1 - c, 1 + c)) with rho
 * = exp(logp_new - logp_old) and log-probabilities averaged over dimensions.
 *
 * @param logProbability of the recorded next state under the old velocity
 * @param newLogProbability of the same state under the trained velocity
 * @param loss of this step
 * @param gradient of the loss with respect to the trained velocity; zero where the ratio is clipped
 */
@SuppressWarnings("ArrayRecordComponent") // a carrier of vectors, never compared
public record FlowGrpoLoss(double logProbability, double newLogProbability, double loss, double[] gradient) {

    /**
     * Computes the loss of one solver step.
     *
     * @param step coefficients of the solver step
     * @param x state before the step
     * @param velocity v_old(x), the velocity of the rollout
     * @param next state after the step
     * @param newVelocity v_theta(x)
     * @param clipRange {@code training.clip-range}
     */
    public static FlowGrpoLoss of(
            SdeStep step,
            double[] x,
            double[] velocity,
            double[] next,
            double[] newVelocity,
            double advantage,
            double clipRange) {
        double[] oldMean = step.mean(x, velocity);
        double[] newMean = step.mean(x, newVelocity);
        double oldLog = step.logProbability(squaredDistance(next, oldMean));
        double newLog = step.logProbability(squaredDistance(next, newMean));
        double ratio = StrictMath.exp(newLog - oldLog);
        double free = -advantage * ratio;
        double clipped = -advantage * Math.clamp(ratio, 1 - clipRange, 1 + clipRange);
        double[] gradient = new double[x.length];
        if (free >= clipped) {
            for (int i = 0; i < gradient.length; i++) {
                gradient[i] =
                        free * (next[i] - newMean[i]) * step.velocity() / (step.std() * step.std() * gradient.length);
            }
        }
        return new FlowGrpoLoss(oldLog, newLog, Math.max(free, clipped), gradient);
    }

    /**
     * Computes the public code's KL term of one solver step: the squared distance of the two means, averaged over dimensions,
     * over 2 s^2, where s is the noise scale before the step's sqrt(-dt).
     *
     * @param velocity v_theta(x)
     * @param reference v_ref(x)
     */
    public static double kl(SdeStep step, double[] velocity, double[] reference) {
        return squaredDistance(velocity, reference) * step.klFactor();
    }

    private static double squaredDistance(double[] a, double[] b) {
        double sum = 0;
        for (int i = 0; i < a.length; i++) {
            sum += (a[i] - b[i]) * (a[i] - b[i]);
        }
        return sum / a.length;
    }
}
