package darkroom.runtime;

import java.util.List;
import java.util.function.Consumer;
import java.util.stream.IntStream;

/** Rows by number. Reading a row twice gives the same row. */
interface Rows {
    int size();

    Row row(int index);

    /** How often training draws the row, relative to others; above 0. */
    default double weight(int index) {
        return 1;
    }

    /** SHA-256 of all rows of the split as a run sees them, in hexadecimal: equal where a run would be the same. */
    String digest();

    /**
     * What {@link #digest} is made of, in order.
     *
     * @param input which digest of the settings the rows belong to
     */
    void inputs(String input, Consumer<InputLine> each);

    /** What the embedded model cannot read of the instructions, for people, one line each; nothing of rendered tasks. */
    default List<String> remarks() {
        return List.of();
    }

    /** The first {@code count} rows, or all if there are fewer. */
    default List<Row> first(int count) {
        return IntStream.range(0, Math.min(count, size())).mapToObj(this::row).toList();
    }
}
