package darkroom.actors;

import java.util.Collection;
import java.util.List;
import java.util.concurrent.CompletionStage;

/**
 * How the tensors of a cluster reach the node that wants them. Messages carry {@link TensorRef}s; this carries the bytes
 * (promise P-8).
 *
 * <p>Every wait is bounded: a stage fails with {@link TensorLostException} where the tensor is gone for good (its home
 * says so, or has left), and with {@link TensorTransferException} where it could not be had in time.
 *
 * <p>Safe for use by many threads; no call blocks. Stages complete on a thread of the plane: whoever continues them
 * returns at once.
 */
public interface TensorPlane {
    /**
     * What can be read on this node: its own tensors, and replicas of others' that were brought. Releasing a tensor of
     * another node tells its home.
     */
    TensorStore store();

    /**
     * Makes tensors of any home readable in {@link #store}, verified against their checksums (promise P-6). Their home
     * goes on owning them. A replica stays until its room is needed for newer ones.
     */
    CompletionStage<Void> bring(Collection<TensorRef> tensors);

    /**
     * Takes tensors over: answers references to verified copies that this node owns, in order, and releases the
     * originals. A tensor that lives here already is answered as it is. When the stage fails, nothing was taken, and the
     * originals are as before.
     */
    CompletionStage<List<TensorRef>> adopt(List<TensorRef> tensors);
}
