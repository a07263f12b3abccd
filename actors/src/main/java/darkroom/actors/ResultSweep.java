package darkroom.actors;

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
 * Remembers which tensors the devices of a crew made, and releases those whose step is over. A result has an owner as soon
 * as its message arrives; where the message is lost, or the owner cannot reach this node to release it, nobody else will.
 * Safe for use by many threads.
 *
 * <ul>
 *   <li><b>SW-1</b> Once a step is over, no tensor of a result of it, or of a step before it, is left.
 *   <li><b>SW-2</b> A result that comes after its step is over is released at once.
 *   <li><b>SW-3</b> Nothing is released of a step that is not over.
 *   <li><b>SW-4</b> At most {@value #RUNS_MAX} runs are remembered; where another one begins, the oldest is over.
 * </ul>
 *
 * <p>A crew has a sweep of its own: a control node that begins again may begin with a step that was over.
 */
public final class ResultSweep implements AutoCloseable {
    static final int RUNS_MAX = 16;

    private final Consumer<TensorRef> release;
    private final SequencedMap<String, Remembered> runs = new LinkedHashMap<>();
    private boolean closed;

    private static final class Remembered {
        final NavigableMap<Integer, List<TensorRef>> made = new TreeMap<>();
        int firstOpen = Integer.MIN_VALUE;
    }

    /** @param release of the store that the devices put their results into */
    public ResultSweep(Consumer<TensorRef> release) {
        this.release = release;
    }

    /** The same device, its results remembered. */
    public <U extends Unit, R extends Result> Device<U, R> over(Device<U, R> device) {
        return new Swept<>(device);
    }

    /** The units of {@code run} before {@code step} are over. */
    public synchronized void stepOver(String run, int step) {
        Remembered of = of(run);
        of.firstOpen = Math.max(of.firstOpen, step);
        releaseAll(of.made.headMap(of.firstOpen, false)); // SW-1
    }

    /** All steps of all runs are over: the crew works for nobody. */
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
