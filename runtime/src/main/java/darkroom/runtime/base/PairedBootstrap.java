package darkroom.runtime.base;

import java.util.Arrays;
import java.util.OptionalDouble;

/**
 * The mean of paired differences with its {@link Bootstrap}. A pair is a task: the images of one task are averaged
 * first, since they are not independent.
 *
 * @param mean mean of the differences
 * @param low 2.5th percentile of the resampled means; empty without an interval
 * @param high 97.5th percentile; empty together with {@code low}
 * @param pairs number of tasks
 * @param better share of tasks that improved
 */
public record PairedBootstrap(double mean, OptionalDouble low, OptionalDouble high, int pairs, double better) {
    /**
     * Returns the mean difference and its interval.
     *
     * @param before one value per task
     * @param after the same tasks in the same order
     * @throws IllegalArgumentException if the lengths differ or are 0
     */
    public static PairedBootstrap of(double[] before, double[] after) {
        if (before.length != after.length || before.length == 0) {
            throw new IllegalArgumentException(
                    "before=%d and after=%d tasks: a paired difference needs the same tasks, at least one"
                            .formatted(before.length, after.length));
        }
        int n = before.length;
        double[] difference = new double[n];
        int better = 0;
        for (int i = 0; i < n; i++) {
            difference[i] = after[i] - before[i];
            better += difference[i] > 0 ? 1 : 0;
        }
        Bootstrap interval = Bootstrap.of(n, generated -> {
            double sum = 0;
            for (int i : generated) {
                sum += difference[i];
            }
            return sum / n;
        });
        double mean = Arrays.stream(difference).average().orElseThrow();
        return new PairedBootstrap(mean, interval.low(), interval.high(), n, (double) better / n);
    }
}
