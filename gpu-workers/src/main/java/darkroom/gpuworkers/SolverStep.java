package darkroom.gpuworkers;

import java.util.Arrays;

/**
 * One deterministic step from noise level {@code sigma} down to {@code nextSigma}, as three coefficients, so that a
 * device only has to combine tensors:
 *
 * <pre>  x' = x * state + v * velocity + m_previous * previousPrediction,      m = x - sigma * v</pre>
 *
 * where v is the model's velocity at (x, sigma), m its prediction of the data, and m_previous the prediction of the step
 * before. A first-order step does not use m_previous: its coefficient is 0, and it may be missing.
 *
 * @param sigma noise level before the step, in (0, 1]
 * @param nextSigma noise level after it, below {@code sigma}
 * @param state coefficient of x
 * @param velocity coefficient of v
 * @param previousPrediction coefficient of m_previous
 */
public record SolverStep(double sigma, double nextSigma, double state, double velocity, double previousPrediction) {

    /**
     * Returns a first-order step: x' = x + (sigma' - sigma) v. For this parametrisation DDIM with eta 0 and first-order
     * DPM-Solver++ are
     * the same step.
     */
    public static SolverStep euler(double sigma, double nextSigma) {
        requireDescending(sigma, nextSigma);
        return new SolverStep(sigma, nextSigma, 1, nextSigma - sigma, 0);
    }

    /**
     * Returns step {@code index} of DPM-Solver++ 2M in data prediction, as the public code steps it: the first and the last
     * step
     * are first order, and so is the second, because log-SNR at sigma 1 is minus infinity. Orders of six steps: 1, 1, 2,
     * 2, 2, 1.
     *
     * <p>With lambda = ln((1 - sigma) / sigma), h = lambda' - lambda, h0 = lambda - lambda_previous and m the current
     * prediction, x' = (sigma'/sigma) x + (1 - sigma'/sigma) (m + h/(2 h0) (m - m_previous)). The public code's factor
     * -(1 - sigma')(e^-h - 1) is exactly 1 - sigma'/sigma.
     *
     * @param sigmas noise levels from {@link SigmaSchedule}
     */
    public static SolverStep dpm2(double[] sigmas, int index) {
        double sigma = sigmas[index];
        double nextSigma = sigmas[index + 1];
        if (index == 0 || index == sigmas.length - 2) {
            return euler(sigma, nextSigma);
        }
        requireDescending(sigma, nextSigma);
        double logSnr = logSnr(sigma);
        double extrapolation = (logSnr(nextSigma) - logSnr) / (logSnr - logSnr(sigmas[index - 1])) / 2;
        if (extrapolation == 0) {
            return euler(sigma, nextSigma);
        }
        double kept = nextSigma / sigma;
        double moved = 1 - kept;
        return new SolverStep(
                sigma,
                nextSigma,
                kept + moved * (1 + extrapolation),
                -sigma * moved * (1 + extrapolation),
                -moved * extrapolation);
    }

    /** Returns all steps of a rollout with Euler's method. */
    public static SolverStep[] euler(double[] sigmas) {
        SolverStep[] steps = new SolverStep[sigmas.length - 1];
        Arrays.setAll(steps, index -> euler(sigmas[index], sigmas[index + 1]));
        return steps;
    }

    /** Returns all steps of a rollout with DPM-Solver++ 2M. */
    public static SolverStep[] dpm2(double[] sigmas) {
        SolverStep[] steps = new SolverStep[sigmas.length - 1];
        Arrays.setAll(steps, index -> dpm2(sigmas, index));
        return steps;
    }

    /** Returns 2 if the step uses the previous prediction, else 1. */
    public int order() {
        return previousPrediction == 0 ? 1 : 2;
    }

    private static double logSnr(double sigma) {
        return StrictMath.log(1 - sigma) - StrictMath.log(sigma);
    }

    private static void requireDescending(double sigma, double nextSigma) {
        if (!(sigma <= 1 && nextSigma < sigma && nextSigma >= 0)) {
            throw new IllegalArgumentException(
                    "sigma=%s to %s: noise levels must fall within [0, 1]".formatted(sigma, nextSigma));
        }
    }
}
