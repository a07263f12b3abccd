package darkroom.runtime.base;

import darkroom.actors.numeric.RandomKey;
import java.util.Arrays;
import java.util.OptionalDouble;
import java.util.function.ToDoubleFunction;

/**
 * The 95 % percentile interval of a statistic, by resampling with replacement (Efron 1979). The random draws are the
 * same for every statistic of as many values. Fewer than two values, and values that are all equal, have no interval:
 * resampling cannot tell how far the statistic may be off.
 *
 * @param low 2.5th percentile of the resampled values; empty without an interval
 * @param high 97.5th percentile; empty together with {@code low}
 */
public record Bootstrap(OptionalDouble low, OptionalDouble high) {
    private static final Bootstrap NONE = new Bootstrap(OptionalDouble.empty(), OptionalDouble.empty());

    private static final int RESAMPLES = 2000;

    /**
     * Returns the interval of a statistic.
     *
     * @param n number of values to draw from, which are independent of each other
     * @param statistic statistic of the values at these indices, some of which occur more than once
     */
    public static Bootstrap of(int n, ToDoubleFunction<int[]> statistic) {
        if (n < 2) {
            return NONE; // an interval without width would claim that the value is certain
        }
        double[] values = new double[RESAMPLES];
        for (int r = 0; r < RESAMPLES; r++) {
            values[r] = statistic.applyAsDouble(
                    RandomKey.of(0, RandomKey.Purpose.BOOTSTRAP, r, 0, 0).uniformInts(n, n));
        }
        Arrays.sort(values);
        double low = values[(int) (RESAMPLES * 0.025)];
        double high = values[(int) (RESAMPLES * 0.975)];
        return low == high ? NONE : new Bootstrap(OptionalDouble.of(low), OptionalDouble.of(high));
    }
}
