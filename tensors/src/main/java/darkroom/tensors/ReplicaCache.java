package darkroom.tensors;

import darkroom.tensors.PlaneFrame.TensorKey;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import java.util.function.Supplier;

/**
 * Copies of other nodes' tensors, in memory lent by the node's store. The least recently requested copy is evicted first;
 * one that is being sent, or that an unfinished call has requested, stays.
 *
 * <p>Safe for use by many threads; work under the lock is short.
 */
final class ReplicaCache {
    private final OffHeapTensorStore store;
    private final long bytesMax;
    private final Map<TensorKey, Replica> replicas = new LinkedHashMap<>(16, 0.75f, true);
    private long bytes;

    ReplicaCache(OffHeapTensorStore store, long bytesMax) {
        this.store = store;
        this.bytesMax = bytesMax;
    }

    /** A copy in the cache. */
    static final class Replica {
        private final TensorRef ref;
        private final BlockPool.Block block;
        private int wanted; // guarded by the cache

        private Replica(TensorRef ref, BlockPool.Block block, int wanted) {
            this.ref = ref;
            this.block = block;
            this.wanted = wanted;
        }

        TensorRef ref() {
            return ref;
        }
    }

    /**
     * Lends memory for a future copy, evicting older ones.
     *
     * @throws TensorStoreFullException if there is no room
     */
    BlockPool.Block block(long wanted) {
        synchronized (this) {
            while (bytes + wanted > bytesMax) {
                if (!evictOne()) {
                    throw new TensorStoreFullException(wanted, bytes, bytesMax);
                }
            }
            bytes += wanted;
        }
        try {
            return withBlock(() -> store.lend(wanted));
        } catch (TensorStoreFullException full) {
            synchronized (this) {
                bytes -= wanted;
            }
            throw full;
        }
    }

    /** Retries a call that fills the store as long as a replica can be evicted for it. */
    <T> T withBlock(Supplier<T> filling) {
        while (true) {
            try {
                return filling.get();
            } catch (TensorStoreFullException full) {
                synchronized (this) {
                    if (!evictOne()) {
                        throw full;
                    }
                }
            }
        }
    }

    /** Gives back memory from {@link #block} that is not needed after all. */
    synchronized void giveBack(BlockPool.Block block, long wanted) {
        bytes -= wanted;
        store.giveBack(block);
    }

    /** Puts a copy into the cache, with a number of calls that want it. */
    synchronized Replica place(TensorRef ref, BlockPool.Block block, int wanted) {
        Replica replica = new Replica(ref, block, wanted);
        replicas.put(TensorKey.of(ref), replica);
        return replica;
    }

    /** Returns the copy, if it is here, wanted once more: it stays until {@link #unwanted}. */
    synchronized Optional<Replica> wanted(TensorKey key) {
        Optional<Replica> replica = Optional.ofNullable(replicas.get(key));
        replica.ifPresent(found -> found.wanted++);
        return replica;
    }

    synchronized void unwanted(Replica replica) {
        replica.wanted--;
    }

    /** Returns the pinned memory of a copy. */
    synchronized Optional<BlockPool.Block> pinned(TensorKey key) {
        return Optional.ofNullable(replicas.get(key))
                .map(replica -> replica.block)
                .filter(BlockPool.Block::pin);
    }

    /** Makes the copy a tensor of this node; empty if another call has taken it over. */
    synchronized Optional<TensorRef> own(Replica replica) {
        if (!replicas.remove(TensorKey.of(replica.ref), replica)) {
            return Optional.empty();
        }
        bytes -= replica.ref.bytes();
        return Optional.of(store.seal(replica.block, replica.ref));
    }

    synchronized void drop(TensorKey key) {
        Replica replica = replicas.remove(key);
        if (replica != null) {
            giveBack(replica.block, key.bytes());
        }
    }

    synchronized void clear() {
        replicas.values().forEach(replica -> giveBack(replica.block, replica.ref.bytes()));
        replicas.clear();
    }

    /** Returns the bytes of present and future copies. */
    synchronized long bytes() {
        return bytes;
    }

    private boolean evictOne() {
        for (Iterator<Replica> oldest = replicas.values().iterator(); oldest.hasNext(); ) {
            Replica replica = oldest.next();
            if (replica.wanted == 0 && replica.block.unshared()) {
                oldest.remove();
                giveBack(replica.block, replica.ref.bytes());
                return true;
            }
        }
        return false;
    }
}
