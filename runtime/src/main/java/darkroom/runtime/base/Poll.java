package darkroom.runtime.base;

import java.io.IOException;
import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.locks.LockSupport;

/**
 * Bounded polling, for conditions that nobody announces: files and states that other processes change. The end of a
 * process is awaited with {@link Process#onExit}. Blocks the calling thread, so no actor may call it.
 */
public final class Poll {
    private Poll() {}

    /** A condition of something outside this process. */
    @FunctionalInterface
    public interface Condition {
        boolean holds() throws IOException, InterruptedException;
    }

    /** A value that something outside this process provides, once it is there. */
    @FunctionalInterface
    public interface Source<T> {
        Optional<T> look() throws IOException, InterruptedException;
    }

    /**
     * Checks a condition until it holds. The first check is immediate.
     *
     * @param every pause between two checks
     * @param within time after which no further check begins
     * @return whether the condition has held
     */
    public static boolean until(Duration every, Duration within, Condition condition)
            throws IOException, InterruptedException {
        return forValue(every, within, () -> condition.holds() ? Optional.of(true) : Optional.empty())
                .isPresent();
    }

    /**
     * Looks for a value until it is there. The first look is immediate.
     *
     * @param every pause between two looks
     * @param within time after which no further look begins
     * @return empty if the value was not there in time
     */
    public static <T> Optional<T> forValue(Duration every, Duration within, Source<T> source)
            throws IOException, InterruptedException {
        long began = System.nanoTime();
        while (true) {
            Optional<T> found = source.look();
            if (found.isPresent()) {
                return found;
            }
            long left = within.toNanos() - (System.nanoTime() - began);
            if (left <= 0) {
                return Optional.empty();
            }
            pause(Math.min(left, every.toNanos()));
        }
    }

    private static void pause(long nanos) throws InterruptedException {
        long until = System.nanoTime() + nanos;
        for (long left = nanos; left > 0; left = until - System.nanoTime()) {
            LockSupport.parkNanos(left);
            if (Thread.interrupted()) {
                throw new InterruptedException();
            }
        }
    }
}
