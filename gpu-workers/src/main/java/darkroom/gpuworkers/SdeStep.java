package darkroom.gpuworkers;

/**
 * One step of the stochastic sampler of Flow-GRPO, as coefficients:
 *
 * <pre>  mean = x * state + v * velocity,      x' = mean + std * z,      z standard normal</pre>
 *
 * With noise scale s = noise level * sqrt(sigma / (1 - sigma)) and dt = sigma' - sigma: state = 1 + s^2 dt / (2 sigma),
 * velocity = (1 + s^2 (1 - sigma) / (2 sigma)) dt, std = s sqrt(-dt). At noise level 0 it is Euler's step.
 *
 * @param state coefficient of x in the mean
 * @param velocity coefficient of v in the mean
 * @param std standard deviation of x' around the mean, the same in every dimension: s sqrt(-dt)
 * @param scale s, before the step's sqrt(-dt): the divisor of the public code's KL term
 */
public record SdeStep(double state, double velocity, double std, double scale) {

    /**
     * Returns the step between two noise levels.
     *
     * @param noiseLevel {@code rollout.sde-noise}
     * @param sigmaOne second noise level of the schedule: it replaces sigma in 1 - sigma at sigma 1, where the noise
     *     scale would be infinite
     */
    public static SdeStep of(double noiseLevel, double sigma, double nextSigma, double sigmaOne) {
        if (!(sigma <= 1 && nextSigma < sigma && nextSigma >= 0 && sigmaOne < 1 && noiseLevel >= 0)) {
            throw new IllegalArgumentException(
                    "noiseLevel=%s, sigma=%s to %s, sigmaOne=%s: noise levels must fall within [0, 1] and sigmaOne be below 1"
                            .formatted(noiseLevel, sigma, nextSigma, sigmaOne));
        }
        double dt = nextSigma - sigma;
        double scale = noiseLevel * Math.sqrt(sigma / (1 - (sigma == 1 ? sigmaOne : sigma)));
        double halved = scale * scale / (2 * sigma);
        return new SdeStep(1 + halved * dt, (1 + halved * (1 - sigma)) * dt, scale * Math.sqrt(-dt), scale);
    }

    /** Returns step {@code index} of a schedule. */
    public static SdeStep of(double noiseLevel, double[] sigmas, int index) {
        return of(noiseLevel, sigmas[index], sigmas[index + 1], sigmas[1]);
    }

    /**
     * Computes the logarithm of the density of x' given the mean, averaged over dimensions.
     *
     * @param squaredDistance mean over dimensions of (x' - mean)^2
     */
    public double logProbability(double squaredDistance) {
        return -squaredDistance / (2 * std * std) - StrictMath.log(std) - StrictMath.log(2 * Math.PI) / 2;
    }

    /**
     * Returns the factor of the squared distance of two velocities, averaged over dimensions, in the public code's KL term:
     * (mean - mean')^2 / (2 s^2). The divergence of the two normal distributions has s^2 (-dt) instead of s^2 and is larger
     * by 1 / (-dt).
     */
    public double klFactor() {
        return velocity * velocity / (2 * scale * scale);
    }

    /** Computes the mean of x' where the velocity at x is v. */
    public double[] mean(double[] x, double[] v) {
        double[] mean = new double[x.length];
        for (int i = 0; i < x.length; i++) {
            mean[i] = state * x[i] + velocity * v[i];
        }
        return mean;
    }
}
