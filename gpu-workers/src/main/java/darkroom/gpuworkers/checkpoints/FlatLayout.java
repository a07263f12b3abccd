package darkroom.gpuworkers.checkpoints;

import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.SequencedMap;

/** Positions of named parameters in one flat float32 vector: one leaf, one gradient, one clip, one optimizer call. */
public final class FlatLayout {
    private final SequencedMap<String, Entry> entries;
    private final int size;

    private FlatLayout(SequencedMap<String, Entry> entries, int size) {
        this.entries = Collections.unmodifiableSequencedMap(entries);
        this.size = size;
    }

    /**
     * Position and shape of one parameter.
     *
     * @param offset first element in the flat vector
     */
    public record Entry(int offset, List<Integer> shape) {
        public Entry {
            shape = List.copyOf(shape);
        }

        /** Returns the number of elements. */
        public int size() {
            return shape.stream().mapToInt(Integer::intValue).reduce(1, Math::multiplyExact);
        }
    }

    /** Returns all entries, in the order of their offsets. */
    public SequencedMap<String, Entry> entries() {
        return entries;
    }

    /** Returns the entry of a parameter. @throws IllegalArgumentException if no parameter has that name */
    public Entry entry(String name) {
        Entry entry = entries.get(name);
        if (entry == null) {
            throw new IllegalArgumentException("no parameter " + name + "; there are " + entries.keySet());
        }
        return entry;
    }

    /**
     * Returns the position of a parameter among all, from 0.
     *
     * @throws IllegalArgumentException if no parameter has that name
     */
    public int index(String name) {
        int index = List.copyOf(entries.keySet()).indexOf(name);
        if (index < 0) {
            throw new IllegalArgumentException("no parameter " + name + "; there are " + entries.keySet());
        }
        return index;
    }

    /** Returns the number of elements of the flat vector. */
    public int size() {
        return size;
    }

    /** Appends parameters to a layout, in the order of their offsets. */
    public static final class Builder {
        private final SequencedMap<String, Entry> entries = new LinkedHashMap<>();
        private int size;

        public Builder add(String name, Integer... shape) {
            Entry entry = new Entry(size, List.of(shape));
            entries.put(name, entry);
            size = Math.addExact(size, entry.size());
            return this;
        }

        /** Appends weight [out, in] and bias [out]. */
        public Builder linear(String name, int in, int out) {
            return add(name + ".weight", out, in).add(name + ".bias", out);
        }

        public FlatLayout build() {
            return new FlatLayout(new LinkedHashMap<>(entries), size);
        }
    }
}
