package darkroom.actors.wire;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * The values already written to a message, numbered in the order in which they were complete. Equal values have one number,
 * so that equal messages have equal bytes, however they share objects in memory.
 */
final class WireRepeats {
    static final int NEW = -1;

    private final Map<Object, Integer> written = new HashMap<>();
    private final List<Object> read = new ArrayList<>();
    private boolean paused;

    /** Clears all values at the end of a message. */
    void clear() {
        written.clear();
        read.clear();
        paused = false;
    }

    /**
     * Sets whether, until the next call, every value counts as new and none is remembered: for content written in an order
     * of its own. Returns the previous setting.
     */
    boolean pause(boolean now) {
        boolean before = paused;
        paused = now;
        return before;
    }

    /** Returns the number of a value that is in the message, or {@link #NEW}. */
    int numberOf(Object value) {
        return paused ? NEW : written.getOrDefault(value, NEW);
    }

    /** Records a written value. */
    void wrote(Object value) {
        if (!paused) {
            written.put(value, written.size());
        }
    }

    /** Records the next value that was read completely. */
    void found(Object value) {
        if (!paused) {
            read.add(value);
        }
    }

    /**
     * Returns the value with a number.
     *
     * @throws WireException if no value, or one of another class, has this number
     */
    <T> T get(int number, Class<T> type) {
        if (paused || number < 0 || number >= read.size() || !type.isInstance(read.get(number))) {
            throw new WireException("nothing of the %d things before is %s %d".formatted(read.size(), type, number));
        }
        return type.cast(read.get(number));
    }
}
