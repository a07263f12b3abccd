package darkroom.runtime;

import java.time.Duration;
import java.time.Instant;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.Optional;

/**
 * How fast like things follow each other, and when the rest of them will be done: the mean distance of the latest marks
 * times what is left, less the time since the last mark. At a constant pace that is exact at every moment between two
 * marks, and it is never negative.
 */
final class Pace {
    private final int remembered;
    private final Deque<Instant> marks = new ArrayDeque<>();

    /**
     * @param begin when the first thing began
     * @param remembered over how many distances the mean goes, at least 1
     */
    Pace(Instant begin, int remembered) {
        this.remembered = remembered;
        marks.add(begin);
    }

    /** One more is done. */
    void mark(Instant now) {
        if (marks.size() > remembered) {
            marks.removeFirst();
        }
        marks.addLast(now);
    }

    /** Mean distance; empty before the first mark. */
    Optional<Duration> perMark() {
        int distances = marks.size() - 1;
        return distances == 0
                ? Optional.empty()
                : Optional.of(
                        Duration.between(marks.getFirst(), marks.getLast()).dividedBy(distances));
    }

    /**
     * Time until {@code left} more are done; empty before the first mark.
     *
     * @param left at least 0
     */
    Optional<Duration> remaining(long left, Instant now) {
        return perMark().map(distance -> {
            Duration rest = distance.multipliedBy(left).minus(Duration.between(marks.getLast(), now));
            return rest.isNegative() ? Duration.ZERO : rest;
        });
    }
}
