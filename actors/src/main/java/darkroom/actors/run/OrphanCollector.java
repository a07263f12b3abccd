package darkroom.actors.run;

import darkroom.actors.device.Device;
import darkroom.actors.device.Result;
import darkroom.actors.device.Unit;
import darkroom.tensors.TensorRef;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.NavigableMap;
import java.util.SequencedMap;
import java.util.TreeMap;
import java.util.concurrent.CompletionStage;
import java.util.function.Consumer;

/**
 * Tracks the tensors that the devices of a device pool created, and releases those of completed steps. A result has an
 * owner as soon as its message arrives; if the message is lost, or the owner cannot reach this node to release it, nobody
 * else releases it. Safe for use by many threads.
 *
 * <ul>
 *   <li><b>SW-1</b> Once a step is completed, no tensor of a result of that step or of an earlier one is left.
 *   <li><b>SW-2</b> A result that arrives after its step is completed is released at once.
 *   <li><b>SW-3</b> Nothing is released of a step that is not completed.
 *   <li><b>SW-4</b> At most {@value #RUNS_MAX} runs are tracked; when another one begins, the oldest counts as completed.
 * </ul>
 *
 * <p>Each device pool has its own orphan collector: a restarted control node may begin with a step that was completed.
 */
public final class OrphanCollector implements AutoCloseable {
    static final int RUNS_MAX = 16;

    private final Consumer<TensorRef> release;
    private final SequencedMap<String, Remembered> runs = new LinkedHashMap<>();
    private boolean closed;

    private static final class Remembered {
        final NavigableMap<Integer, List<TensorRef>> made = new TreeMap<>();
        int firstOpen = Integer.MIN_VALUE;
    }

    /**
     * @param release releases tensors of the store that the devices put their results into
     */
    public OrphanCollector(Consumer<TensorRef> release) {
        this.release = release;
    }

    /** Wraps a device so that its results are tracked. */
    public <U extends Unit, R extends Result> Device<U, R> over(Device<U, R> device) {
        return new Swept<>(device);
    }

    /** Marks the units of {@code run} before {@code step} as completed. */
    public synchronized void stepOver(String run, int step) {
        Remembered of = of(run);
        of.firstOpen = Math.max(of.firstOpen, step);
        releaseAll(of.made.headMap(of.firstOpen, false)); // SW-1
    }

    /** Marks all steps of all runs as completed: the device pool is no longer used. */
    @Override
    public synchronized void close() {
        closed = true;
        runs.values().forEach(of -> releaseAll(of.made)); // SW-1
        runs.clear();
    }

    private synchronized void made(Unit unit, List<TensorRef> tensors) {
        if (tensors.isEmpty()) {
            return;
        }
        if (closed || unit.step() < of(unit.run()).firstOpen) {
            tensors.forEach(release); // SW-2
        } else {
            of(unit.run())
                    .made
                    .computeIfAbsent(unit.step(), _ -> new ArrayList<>())
                    .addAll(tensors); // SW-3
        }
    }

    private Remembered of(String run) {
        Remembered of = runs.computeIfAbsent(run, _ -> new Remembered());
        if (runs.size() > RUNS_MAX) {
            releaseAll(runs.pollFirstEntry().getValue().made); // SW-4
        }
        return of;
    }

    private void releaseAll(Map<Integer, List<TensorRef>> made) {
        made.values().forEach(tensors -> tensors.forEach(release));
        made.clear();
    }

    private final class Swept<U extends Unit, R extends Result> implements Device<U, R> {
        private final Device<U, R> device;

        Swept(Device<U, R> device) {
            this.device = device;
        }

        @Override
        public CompletionStage<R> perform(U unit) {
            return device.perform(unit).thenApply(result -> {
                made(unit, result.tensors());
                return result;
            });
        }

        @Override
        public int capacity() {
            return device.capacity();
        }

        @Override
        public void close() {
            device.close();
        }
    }
}
