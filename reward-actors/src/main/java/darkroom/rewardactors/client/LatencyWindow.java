package darkroom.rewardactors.client;

import java.util.concurrent.TimeUnit;
import org.HdrHistogram.Histogram;

/** Latencies of the last answers: the last {@link #SIZE} to twice as many. Not safe for several threads. */
final class LatencyWindow {
    /** Number of answers after which the older half is dropped. */
    static final int SIZE = 512;

    /** Number of answers below which no quantile is known. */
    static final int KNOWN_FROM = 20;

    private static final long MICROS_MAX = TimeUnit.HOURS.toMicros(1);
    private static final int DIGITS = 2;

    private Histogram before = new Histogram(MICROS_MAX, DIGITS);
    private Histogram now = new Histogram(MICROS_MAX, DIGITS);

    void add(long nanos) {
        now.recordValue(Math.clamp(TimeUnit.NANOSECONDS.toMicros(nanos), 1, MICROS_MAX));
        if (now.getTotalCount() >= SIZE) {
            Histogram oldest = before;
            before = now;
            oldest.reset();
            now = oldest;
        }
    }

    boolean isKnown() {
        return before.getTotalCount() + now.getTotalCount() >= KNOWN_FROM;
    }

    /** Returns the nanoseconds within which this share, 0 to 1, of the answers arrived. */
    long nanos(double share) {
        Histogram both = before.copy();
        both.add(now);
        return TimeUnit.MICROSECONDS.toNanos(both.getValueAtPercentile(100 * share));
    }
}
