package darkroom.runtime.studies;

import java.util.Locale;
import java.util.concurrent.TimeUnit;
import java.util.function.LongSupplier;

/** Progress of a task of known size: its speed and remaining time. Not thread-safe. */
public final class PretrainRate {
    private final long whole;
    private final String things;
    private final LongSupplier nanoseconds;
    private final long started;
    private long lastTime;
    private long lastDone;

    /**
     * Begins the measurement.
     *
     * @param whole size of the work
     * @param things unit of the size, such as {@code images}
     */
    public PretrainRate(long whole, String things, LongSupplier nanoseconds) {
        this.whole = whole;
        this.things = things;
        this.nanoseconds = nanoseconds;
        this.started = nanoseconds.getAsLong();
        this.lastTime = started;
    }

    /** Returns one line: share and number done, rate since the previous line, and time left at the overall rate. */
    public String line(long done) {
        long now = nanoseconds.getAsLong();
        double rate = rate(done - lastDone, now - lastTime);
        double overall = rate(done, now - started);
        lastTime = now;
        lastDone = done;
        return String.format(
                Locale.ROOT,
                "%3d %%  %d of %d %s, %.0f/s, %s",
                100 * done / whole,
                done,
                whole,
                things,
                rate,
                done >= whole
                        ? "done in " + time((now - started) / (double) TimeUnit.SECONDS.toNanos(1))
                        : time((whole - done) / overall) + " left");
    }

    private static double rate(long done, long nanoseconds) {
        return done / Math.max(1e-9, nanoseconds / (double) TimeUnit.SECONDS.toNanos(1));
    }

    private static String time(double seconds) {
        return seconds < 100
                ? String.format(Locale.ROOT, "%.0f s", seconds)
                : String.format(Locale.ROOT, "%.0f min", seconds / 60);
    }
}
