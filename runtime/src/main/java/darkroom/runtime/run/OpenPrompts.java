package darkroom.runtime.run;

import darkroom.actors.device.Prompt;
import darkroom.edittasks.pictures.RgbImage;
import darkroom.runtime.base.Row;
import darkroom.tensors.TensorRef;
import darkroom.tensors.TensorStore;
import java.lang.foreign.MemorySegment;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;

/** Rows whose images are in the store, as prompts; each can be looked up by its id while it is open. Thread-safe. */
public final class OpenPrompts {
    private final TensorStore store;
    private final Map<String, Opened> opened = new ConcurrentHashMap<>();

    private record Opened(Row row, int times) {}

    public OpenPrompts(TensorStore store) {
        this.store = store;
    }

    /** Puts the row's images into the store; the caller closes the prompt. */
    public Prompt open(Row row) {
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

    public List<Prompt> open(List<Row> rows) {
        return rows.stream().map(this::open).toList();
    }

    public void close(Prompt prompt) {
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
     * Returns the row of an open prompt.
     *
     * @throws IllegalArgumentException if no such prompt is open
     */
    public Row row(String id) {
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
