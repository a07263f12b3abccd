package darkroom.actors;

import java.lang.foreign.MemorySegment;
import java.util.List;
import java.util.function.Consumer;

/**
 * The off-heap tensors of one node. Every tensor has one owner, who releases it once; whoever holds only the
 * {@link TensorRef} may read while the owner has not.
 *
 * <p>Safe for use by many threads. Nothing here blocks: a full store throws {@link TensorStoreFullException}.
 */
public interface TensorStore {
    /**
     * Allocates a tensor, lets {@code filler} write all of its bytes, and seals it. A sealed tensor never changes.
     *
     * @throws TensorStoreFullException if the byte budget has no room
     */
    TensorRef put(TensorRef.ElementType type, List<Integer> shape, Consumer<MemorySegment> filler);

    /**
     * The bytes, read-only, valid until the owner releases the tensor.
     *
     * @throws TensorLostException if there is no such tensor (any more) or its bytes do not match the checksum
     */
    MemorySegment read(TensorRef ref);

    /** Ends the tensor's life. Releasing twice, or what is not there, changes nothing. */
    void release(TensorRef ref);

    /** Bytes held now: the leak account, zero after a run. */
    long bytesHeld();
}
