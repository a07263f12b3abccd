package darkroom.actors.device;

import java.util.ArrayDeque;
import java.util.Queue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;

/** A device that processes a unit on request, so that a test decides the order of results. Safe for use by threads. */
public final class HeldDevice<U extends Unit, R extends Result> implements Device<U, R> {
    private final Device<U, R> device;
    private final int capacity;
    private final Queue<Runnable> held = new ArrayDeque<>();

    public HeldDevice(Device<U, R> device, int capacity) {
        this.device = device;
        this.capacity = capacity;
    }

    @Override
    public CompletionStage<R> perform(U unit) {
        CompletableFuture<R> promise = new CompletableFuture<>();
        synchronized (held) {
            held.add(() -> device.perform(unit).whenComplete((result, failure) -> {
                if (failure == null) {
                    promise.complete(result);
                } else {
                    promise.completeExceptionally(failure);
                }
            }));
        }
        return promise;
    }

    /** Returns the number of units that wait to be processed. */
    public int waiting() {
        synchronized (held) {
            return held.size();
        }
    }

    /** Processes the oldest waiting unit; false if none waits. */
    public boolean letOneGo() {
        Runnable next;
        synchronized (held) {
            next = held.poll();
        }
        if (next != null) {
            next.run();
        }
        return next != null;
    }

    @Override
    public int capacity() {
        return capacity;
    }

    @Override
    public void close() {
        device.close();
    }
}
