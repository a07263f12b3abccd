package darkroom.actors;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * What has been in a message before, numbered in the order in which it was complete. Equal values have one number, so that
 * equal messages have equal bytes, whoever shares what in memory.
 */
final class WireRepeats {
    static final int NEW = -1;

    private final Map<Object, Integer> written = new HashMap<>();
    private final List<Object> read = new ArrayList<>();
    private boolean paused;

    /** The message is over. */
    void clear() {
        written.clear();
        read.clear();
        paused = false;
    }

    /**
     * Whether everything is new, and nothing is remembered, until the next call: for what is written in an order of its own.
     * Answers what was before.
     */
    boolean pause(boolean now) {
        boolean before = paused;
        paused = now;
        return before;
    }

    /** The number of a value that is in the message, or {@link #NEW}. */
    int numberOf(Object value) {
        return paused ? NEW : written.getOrDefault(value, NEW);
    }

    /** The value is in the message from here on. */
    void wrote(Object value) {
        if (!paused) {
            written.put(value, written.size());
        }
    }

    /** The next value that was read in full. */
    void found(Object value) {
        if (!paused) {
            read.add(value);
        }
    }

    /** @throws WireException if nothing has this number, or something else */
    <T> T get(int number, Class<T> type) {
        if (paused || number < 0 || number >= read.size() || !type.isInstance(read.get(number))) {
            throw new WireException("nothing of the %d things before is %s %d".formatted(read.size(), type, number));
        }
        return type.cast(read.get(number));
    }
}
