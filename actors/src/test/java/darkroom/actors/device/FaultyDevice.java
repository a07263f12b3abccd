package darkroom.actors.device;

import darkroom.tensors.TensorStore;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;

/** A device that injects faults into its work: for fault tests and for demonstrating faults. */
public final class FaultyDevice<U extends Unit, R extends Result> implements Device<U, R> {
    private final Device<U, R> device;
    private final Plan<U> plan;
    private final TensorStore store;

    /** Fault of a unit. */
    public enum Happening {
        /** No fault. */
        WELL,
        /** The device throws before it begins. */
        THROWS,
        /** The device fails after it began. */
        FAILS,
        /** The result never comes: the device hangs. */
        HANGS
    }

    /** Decides, for instance by a seeded generator; called once for each attempt at a unit, on the worker's thread. */
    @FunctionalInterface
    public interface Plan<U extends Unit> {
        Happening happening(U unit);
    }

    public FaultyDevice(Device<U, R> device, TensorStore store, Plan<U> plan) {
        this.device = device;
        this.store = store;
        this.plan = plan;
    }

    @Override
    public CompletionStage<R> perform(U unit) {
        return switch (plan.happening(unit)) {
            case WELL -> device.perform(unit);
            case THROWS -> throw new IllegalStateException("simulated crash before " + unit.name());
            case FAILS ->
                device.perform(unit).thenApply(result -> {
                    result.tensors().forEach(store::release);
                    throw new IllegalStateException("simulated crash in " + unit.name());
                });
            case HANGS -> new CompletableFuture<>();
        };
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
