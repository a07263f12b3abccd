package darkroom.runtime.charts;

import java.util.List;
import java.util.stream.IntStream;

/** Means over stretches of a long list, so that a chart has a bounded number of marks. */
final class Stretches {
    private Stretches() {}

    /**
     * Returns the mean of each of {@code count} stretches of nearly equal length.
     *
     * @param values at least {@code count}
     */
    static List<Double> means(List<Double> values, int count) {
        return IntStream.range(0, count)
                .mapToObj(i -> values
                        .subList((int) ((long) i * values.size() / count), (int)
                                ((long) (i + 1) * values.size() / count))
                        .stream()
                        .mapToDouble(Double::doubleValue)
                        .average()
                        .orElseThrow())
                .toList();
    }
}
