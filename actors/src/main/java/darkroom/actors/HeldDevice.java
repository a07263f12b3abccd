package darkroom.actors;

import java.util.ArrayDeque;
import java.util.Queue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;

/** A device that does a unit when told, so that a test decides in which order results come. Safe for use by threads. */
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

    /** Units waiting to be let go. */
    public int waiting() {
        synchronized (held) {
            return held.size();
        }
    }

    /** Does the oldest unit that waits; false if there is none. */
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
