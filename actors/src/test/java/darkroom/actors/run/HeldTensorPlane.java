package darkroom.actors.run;

import darkroom.tensors.TensorPlane;
import darkroom.tensors.TensorRef;
import darkroom.tensors.TensorStore;
import darkroom.tensors.TensorTransferException;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Queue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;

/** A plane that takes tensors over on request, from one part of a store into another. Until it is held it does so at once. */
public final class HeldTensorPlane implements TensorPlane {
    private final TensorStore store;
    private final Queue<Taking> held = new ArrayDeque<>();
    private boolean holds;

    private record Taking(List<TensorRef> originals, CompletableFuture<List<TensorRef>> taken) {}

    public HeldTensorPlane(TensorStore store) {
        this.store = store;
    }

    /** Holds requests from here on. */
    public void hold() {
        holds = true;
    }

    int waiting() {
        return held.size();
    }

    /** Copies all requested tensors, and releases the originals. */
    public List<TensorRef> letGo() {
        Taking taking = held.remove();
        List<TensorRef> copies = new ArrayList<>();
        for (TensorRef ref : taking.originals()) {
            copies.add(store.put(ref.type(), ref.shape(), bytes -> bytes.copyFrom(store.read(ref))));
        }
        taking.originals().forEach(store::release);
        taking.taken().complete(copies);
        return copies;
    }

    /** Fails the requests; nothing is taken. */
    public void fail() {
        held.remove().taken().completeExceptionally(new TensorTransferException("out of reach"));
    }

    @Override
    public TensorStore store() {
        return store;
    }

    @Override
    public CompletionStage<Void> bring(Collection<TensorRef> tensors) {
        return CompletableFuture.completedFuture(null);
    }

    @Override
    public CompletionStage<List<TensorRef>> adopt(List<TensorRef> tensors) {
        if (!holds) {
            return CompletableFuture.completedFuture(tensors);
        }
        Taking taking = new Taking(tensors, new CompletableFuture<>());
        held.add(taking);
        return taking.taken();
    }
}
