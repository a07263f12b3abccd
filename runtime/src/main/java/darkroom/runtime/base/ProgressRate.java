package darkroom.runtime.base;

import java.time.Duration;
import java.time.Instant;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.Optional;

/**
 * Estimates how fast similar events follow each other and when the remaining ones will be done: the mean interval
 * between the latest marks times the number left, minus the time since the last mark. At a constant pace this is exact
 * at every moment between two marks, and it is never negative.
 */
public final class ProgressRate {
    private final int remembered;
    private final Deque<Instant> marks = new ArrayDeque<>();

    /**
     * Creates a rate without marks.
     *
     * @param begin start of the first event
     * @param remembered number of intervals in the mean, at least 1
     */
    public ProgressRate(Instant begin, int remembered) {
        this.remembered = remembered;
        marks.add(begin);
    }

    /** Marks one more event as done. */
    public void mark(Instant now) {
        if (marks.size() > remembered) {
            marks.removeFirst();
        }
        marks.addLast(now);
    }

    /** Returns the mean interval; empty before the first mark. */
    public Optional<Duration> perMark() {
        int distances = marks.size() - 1;
        return distances == 0
                ? Optional.empty()
                : Optional.of(
                        Duration.between(marks.getFirst(), marks.getLast()).dividedBy(distances));
    }

    /**
     * Returns the time until {@code left} more events are done; empty before the first mark.
     *
     * @param left at least 0
     */
    public Optional<Duration> remaining(long left, Instant now) {
        return perMark().map(distance -> {
            Duration rest = distance.multipliedBy(left).minus(Duration.between(marks.getLast(), now));
            return rest.isNegative() ? Duration.ZERO : rest;
        });
    }
}
