package darkroom.tensors;

import java.util.Collection;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;

/**
 * The tensor plane of a run in one process: producers and readers share one store, and nothing is moved or copied.
 *
 * @param store the only store
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
