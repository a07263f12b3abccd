package darkroom.gpuworkers;

/**
 * The exponential average of the trained weights, which is evaluated and shipped but never used for training rollouts: after
 * each optimizer step average += (1 - decay) (theta - average).
 */
public final class EvaluationAverage {
    private EvaluationAverage() {}

    /**
     * Returns the decay after an optimizer step: min((1 + step) / (10 + step), cap). The public cap of 0.9 is reached at step
     * 80.
     *
     * @param step optimizer steps taken, including this one: from 1
     * @param cap {@code training.ema-decay}
     */
    public static double decay(long step, double cap) {
        return Math.min((1.0 + step) / (10.0 + step), cap);
    }
}
