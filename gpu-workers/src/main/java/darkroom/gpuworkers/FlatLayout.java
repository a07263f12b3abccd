package darkroom.gpuworkers;

import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.SequencedMap;

/** Where each named parameter lies in one flat float32 vector. One leaf, one gradient, one clip, one optimizer call. */
public final class FlatLayout {
    private final SequencedMap<String, Entry> entries;
    private final int size;

    private FlatLayout(SequencedMap<String, Entry> entries, int size) {
        this.entries = Collections.unmodifiableSequencedMap(entries);
        this.size = size;
    }

    /** @param offset first element in the flat vector */
    public record Entry(int offset, List<Integer> shape) {
        public Entry {
            shape = List.copyOf(shape);
        }

        /** Number of elements. */
        public int size() {
            return shape.stream().mapToInt(Integer::intValue).reduce(1, Math::multiplyExact);
        }
    }

    /** All entries, in the order of their offsets. */
    public SequencedMap<String, Entry> entries() {
        return entries;
    }

    /** @throws IllegalArgumentException if there is no parameter of that name */
    public Entry entry(String name) {
        Entry entry = entries.get(name);
        if (entry == null) {
            throw new IllegalArgumentException("no parameter " + name + "; there are " + entries.keySet());
        }
        return entry;
    }

    /** Elements of the flat vector. */
    public int size() {
        return size;
    }

    static final class Builder {
        private final SequencedMap<String, Entry> entries = new LinkedHashMap<>();
        private int size;

        Builder add(String name, Integer... shape) {
            Entry entry = new Entry(size, List.of(shape));
            entries.put(name, entry);
            size = Math.addExact(size, entry.size());
            return this;
        }

        /** Weight [out, in] and bias [out]. */
        Builder linear(String name, int in, int out) {
            return add(name + ".weight", out, in).add(name + ".bias", out);
        }

        FlatLayout build() {
            return new FlatLayout(new LinkedHashMap<>(entries), size);
        }
    }
}
