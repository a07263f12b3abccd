package darkroom.runtime.base;

import java.util.List;
import java.util.function.Consumer;
import java.util.stream.IntStream;

/** Rows by number. Reading a row twice gives the same row. */
public interface Rows {
    int size();

    Row row(int index);

    /** Returns how often training uses the row, relative to others; above 0. */
    default double weight(int index) {
        return 1;
    }

    /**
     * Returns the SHA-256 of all rows of the split as a run sees them, in hexadecimal; equal if the run would be the
     * same.
     */
    String digest();

    /**
     * Passes on what {@link #digest} is made of, in order.
     *
     * @param input the digest of the settings that the rows belong to
     */
    void inputs(String input, Consumer<InputLine> each);

    /**
     * Returns what the embedded model cannot read of the instructions, for display, one line each; empty for rendered
     * tasks.
     */
    default List<String> remarks() {
        return List.of();
    }

    /** Returns the first {@code count} rows, or all if there are fewer. */
    default List<Row> first(int count) {
        return IntStream.range(0, Math.min(count, size())).mapToObj(this::row).toList();
    }
}
