package darkroom.tensors;

import java.util.Collection;
import java.util.List;
import java.util.concurrent.CompletionStage;

/**
 * Moves the tensors of a cluster to the nodes that need them. Messages carry {@link TensorRef}s; this carries the bytes
 * (promise P-8).
 *
 * <p>Every wait is bounded: a stage fails with {@link TensorLostException} if the tensor is permanently gone (its home
 * reports this, or has left), and with {@link TensorTransferException} if it did not arrive in time.
 *
 * <p>Safe for use by many threads; no call blocks. Stages complete on a thread of the plane: continuations must return at
 * once.
 */
public interface TensorPlane {
    /**
     * Returns the tensors readable on this node: its own, and replicas fetched from others. Releasing a tensor of another
     * node notifies its home.
     */
    TensorStore store();

    /**
     * Makes tensors of any home readable in {@link #store}, verified against their checksums (promise P-6). Their home
     * keeps owning them. A replica stays until its room is needed for newer ones.
     */
    CompletionStage<Void> bring(Collection<TensorRef> tensors);

    /**
     * Takes tensors over: returns references to verified copies that this node owns, in order, and releases the originals.
     * A tensor that is already here is returned as it is. When the stage fails, nothing was taken, and the originals are
     * unchanged.
     */
    CompletionStage<List<TensorRef>> adopt(List<TensorRef> tensors);
}
