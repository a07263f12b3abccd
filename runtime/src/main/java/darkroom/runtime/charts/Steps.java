package darkroom.runtime.charts;

import java.util.List;
import java.util.Map;
import java.util.stream.LongStream;

/** Ticks of an axis of steps, which are whole numbers. */
final class Steps {
    /** Longest axis with a tick at each step; the ticks of a longer one are chosen by Lets-Plot. */
    private static final int EACH_MAX = 10;

    private Steps() {}

    /** Returns the options of a scale from {@code low} to {@code high}. */
    static Map<String, Object> breaks(double low, double high) {
        if (high - low > EACH_MAX) {
            return Map.of();
        }
        List<Double> ticks = LongStream.rangeClosed((long) Math.ceil(low), (long) Math.floor(high))
                .mapToObj(step -> (double) step)
                .toList();
        return Map.of(
                "breaks",
                ticks,
                "labels",
                ticks.stream().map(tick -> Long.toString(Math.round(tick))).toList());
    }
}
