package darkroom.runtime;

import darkroom.actors.RandomKey;
import java.util.Arrays;
import java.util.function.ToDoubleFunction;

/**
 * The 95 % percentile interval of a statistic, by resampling with replacement (Efron 1979); the draws are the same for every
 * statistic of as many things.
 *
 * @param low 2.5th percentile of the resampled values
 * @param high 97.5th percentile
 */
record Bootstrap(double low, double high) {
    private static final int RESAMPLES = 2000;

    /**
     * @param n things to draw from, which are independent of each other
     * @param statistic of the things at these places, some of them more than once
     */
    static Bootstrap of(int n, ToDoubleFunction<int[]> statistic) {
        double[] values = new double[RESAMPLES];
        for (int r = 0; r < RESAMPLES; r++) {
            values[r] = statistic.applyAsDouble(
                    RandomKey.of(0, RandomKey.Purpose.BOOTSTRAP, r, 0, 0).uniformInts(n, n));
        }
        Arrays.sort(values);
        return new Bootstrap(values[(int) (RESAMPLES * 0.025)], values[(int) (RESAMPLES * 0.975)]);
    }
}
