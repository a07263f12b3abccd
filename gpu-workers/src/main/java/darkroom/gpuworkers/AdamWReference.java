package darkroom.gpuworkers;

import darkroom.config.OptimizerSettings;

/**
 * AdamW with decoupled weight decay and clipping of the whole gradient, in double precision: the reference for checks of
 * devices.
 *
 * <p>Step k (from 1): g *= min(1, clip / (|g| + 1e-6)); w *= 1 - lr decay; m = b1 m + (1 - b1) g; v = b2 v + (1 - b2) g^2; w
 * -= lr m / (1 - b1^k) / (sqrt(v / (1 - b2^k)) + epsilon).
 *
 * @param steps steps taken
 */
@SuppressWarnings("ArrayRecordComponent") // a carrier of vectors, never compared
public record AdamWReference(long steps, double[] weights, double[] firstMoment, double[] secondMoment) {
    private static final double CLIP_GUARD = 1e-6;

    /** Returns the state before the first step. */
    public static AdamWReference start(double[] weights) {
        return new AdamWReference(0, weights.clone(), new double[weights.length], new double[weights.length]);
    }

    /** Computes the Euclidean norm. */
    public static double norm(double[] gradient) {
        double squares = 0;
        for (double element : gradient) {
            squares += element * element;
        }
        return Math.sqrt(squares);
    }

    /** Returns the factor that reduces a gradient of this norm to at most {@code clip}. */
    public static double clipFactor(double norm, double clip) {
        return Math.min(1, clip / (norm + CLIP_GUARD));
    }

    /** Returns the rate of optimizer step {@code step} (from 1): linear from lr / warm-up to lr, then constant. */
    public static double learningRate(OptimizerSettings settings, long step) {
        return settings.warmupSteps() <= 0
                ? settings.learningRate()
                : settings.learningRate() * Math.min(1.0, (double) step / settings.warmupSteps());
    }

    /** Returns the state after one more step. */
    public AdamWReference step(double[] gradient, OptimizerSettings settings) {
        long step = steps + 1;
        double rate = learningRate(settings, step);
        double factor = clipFactor(norm(gradient), settings.gradientClip());
        double firstCorrection = 1 - StrictMath.pow(settings.beta1(), (double) step);
        double secondCorrection = 1 - StrictMath.pow(settings.beta2(), (double) step);
        double[] w = weights.clone();
        double[] m = firstMoment.clone();
        double[] v = secondMoment.clone();
        for (int i = 0; i < w.length; i++) {
            double g = gradient[i] * factor;
            w[i] *= 1 - rate * settings.weightDecay();
            m[i] = settings.beta1() * m[i] + (1 - settings.beta1()) * g;
            v[i] = settings.beta2() * v[i] + (1 - settings.beta2()) * g * g;
            w[i] -= rate * (m[i] / firstCorrection) / (Math.sqrt(v[i] / secondCorrection) + settings.epsilon());
        }
        return new AdamWReference(step, w, m, v);
    }
}
