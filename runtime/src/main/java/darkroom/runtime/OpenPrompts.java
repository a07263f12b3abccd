package darkroom.runtime;

import darkroom.actors.Prompt;
import darkroom.actors.TensorRef;
import darkroom.actors.TensorStore;
import darkroom.edittasks.RgbImage;
import java.lang.foreign.MemorySegment;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;

/** Rows whose images are in the store, as prompts; each can be asked for by its id as long as it is open. For all threads. */
final class OpenPrompts {
    private final TensorStore store;
    private final Map<String, Opened> opened = new ConcurrentHashMap<>();

    private record Opened(Row row, int times) {}

    OpenPrompts(TensorStore store) {
        this.store = store;
    }

    /** Puts the row's images into the store; the caller closes the prompt. */
    Prompt open(Row row) {
        opened.merge(row.id(), new Opened(row, 1), (before, one) -> new Opened(row, before.times() + one.times()));
        RgbImage reference = row.reference();
        return new Prompt(
                row.id(),
                row.taskType(),
                row.instruction(),
                row.requirement(),
                put(row.source()),
                reference == null ? null : put(reference));
    }

    List<Prompt> open(List<Row> rows) {
        return rows.stream().map(this::open).toList();
    }

    void close(Prompt prompt) {
        store.release(prompt.source());
        if (prompt.reference() != null) {
            store.release(prompt.reference());
        }
        opened.computeIfPresent(
                prompt.row(),
                (id, before) -> before.times() == 1 ? null : new Opened(before.row(), before.times() - 1));
    }

    void close(List<Prompt> prompts) {
        prompts.forEach(this::close);
    }

    /**
     * The row of an open prompt.
     *
     * @throws IllegalArgumentException if no such prompt is open
     */
    Row row(String id) {
        Opened found = opened.get(id);
        if (found == null) {
            throw new IllegalArgumentException("row " + id + " is not open");
        }
        return found.row();
    }

    private TensorRef put(RgbImage image) {
        return store.put(
                TensorRef.ElementType.UINT8,
                List.of(image.height(), image.width(), 3),
                bytes -> bytes.copyFrom(MemorySegment.ofArray(image.rgb())));
    }
}
