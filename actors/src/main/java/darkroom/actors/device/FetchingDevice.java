package darkroom.actors.device;

import darkroom.tensors.TensorPlane;
import java.util.concurrent.CompletionStage;

/**
 * A device that fetches the tensors named by a unit to its node before it begins.
 *
 * @param device reads them from the plane's store
 */
public record FetchingDevice<U extends Unit, R extends Result>(TensorPlane plane, Device<U, R> device)
        implements Device<U, R> {
    @Override
    public CompletionStage<R> perform(U unit) {
        return plane.bring(unit.inputs()).thenCompose(_ -> device.perform(unit));
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
