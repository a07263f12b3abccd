package darkroom.runtime;

import darkroom.actors.RandomKey;
import java.util.Arrays;

/**
 * The mean of paired differences with a percentile interval, by resampling pairs with replacement (Efron 1979). Pairs
 * are tasks: the images of one task are averaged before they come here, since they are not independent.
 *
 * @param mean of the differences
 * @param low 2.5th percentile of the resampled means
 * @param high 97.5th percentile
 * @param pairs how many tasks
 * @param better share of tasks that got better
 */
record PairedBootstrap(double mean, double low, double high, int pairs, double better) {
    private static final int RESAMPLES = 2000;

    /**
     * @param before one value a task
     * @param after the same tasks in the same order
     * @throws IllegalArgumentException if the lengths differ or nothing is there
     */
    static PairedBootstrap of(double[] before, double[] after) {
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
        double[] means = new double[RESAMPLES];
        for (int r = 0; r < RESAMPLES; r++) {
            int[] drawn = RandomKey.of(0, RandomKey.Purpose.BOOTSTRAP, r, 0, 0).uniformInts(n, n);
            double sum = 0;
            for (int i : drawn) {
                sum += difference[i];
            }
            means[r] = sum / n;
        }
        Arrays.sort(means);
        double mean = Arrays.stream(difference).average().orElseThrow();
        return new PairedBootstrap(
                mean, means[(int) (RESAMPLES * 0.025)], means[(int) (RESAMPLES * 0.975)], n, (double) better / n);
    }
}
