package darkroom.tensors;

import java.lang.foreign.MemorySegment;
import java.util.List;
import java.util.function.Consumer;

/**
 * The off-heap tensors of one node. Every tensor has one owner, who releases it once; holders of only the {@link TensorRef}
 * may read until the owner has released it.
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
     * Returns the bytes, read-only, valid until the owner releases the tensor.
     *
     * @throws TensorLostException if the tensor does not exist (any more) or its bytes do not match the checksum
     */
    MemorySegment read(TensorRef ref);

    /** Releases the tensor. Releasing it twice, or a tensor that is not here, has no effect. */
    void release(TensorRef ref);

    /** Returns the bytes currently held: the leak account, zero after a run. */
    long bytesHeld();
}
