package darkroom.actors;

import java.util.Collection;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;

/**
 * The plane of a run in one process: whoever makes a tensor and whoever reads it share one store, and nothing is moved or
 * copied.
 *
 * @param store the only one
 */
public record LocalTensorPlane(TensorStore store) implements TensorPlane {
    @Override
    public CompletionStage<Void> bring(Collection<TensorRef> tensors) {
        return CompletableFuture.completedFuture(null);
    }

    @Override
    public CompletionStage<List<TensorRef>> adopt(List<TensorRef> tensors) {
        return CompletableFuture.completedFuture(List.copyOf(tensors));
    }
}
