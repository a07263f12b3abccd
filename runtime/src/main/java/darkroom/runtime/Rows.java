package darkroom.runtime;

import java.util.List;
import java.util.stream.IntStream;

/** Rows by number. Reading a row twice gives the same row. */
interface Rows {
    int size();

    Row row(int index);

    /** The first {@code count} rows, or all if there are fewer. */
    default List<Row> first(int count) {
        return IntStream.range(0, Math.min(count, size())).mapToObj(this::row).toList();
    }
}
