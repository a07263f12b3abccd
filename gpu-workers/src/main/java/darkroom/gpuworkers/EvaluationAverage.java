package darkroom.gpuworkers;

/**
 * The exponential average of the trained weights that is evaluated and shipped, and never draws: after each optimizer step
 * average += (1 - decay) (theta - average).
 */
public final class EvaluationAverage {
    private EvaluationAverage() {}

    /**
     * Decay after an optimizer step: min((1 + step) / (10 + step), cap). With the public cap of 0.9 it is reached at step
     * 80.
     *
     * @param step optimizer steps taken, this one included: from 1
     * @param cap {@code training.ema-decay}
     */
    public static double decay(long step, double cap) {
        return Math.min((1.0 + step) / (10.0 + step), cap);
    }
}
