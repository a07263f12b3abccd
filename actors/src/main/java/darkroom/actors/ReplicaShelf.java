package darkroom.actors;

import darkroom.actors.PlaneFrame.TensorKey;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import java.util.function.Supplier;

/**
 * Copies of other nodes' tensors, in memory that the node's store lends. The one that was not asked for longest makes room
 * first; one that is being sent on, or that an unfinished call has asked for, stays.
 *
 * <p>Safe for use by many threads; what is done under the lock is short.
 */
final class ReplicaShelf {
    private final OffHeapTensorStore store;
    private final long bytesMax;
    private final Map<TensorKey, Replica> replicas = new LinkedHashMap<>(16, 0.75f, true);
    private long bytes;

    ReplicaShelf(OffHeapTensorStore store, long bytesMax) {
        this.store = store;
        this.bytesMax = bytesMax;
    }

    /** A copy on the shelf. */
    static final class Replica {
        private final TensorRef ref;
        private final OffHeapTensorStore.Room room;
        private int wanted; // guarded by the shelf

        private Replica(TensorRef ref, OffHeapTensorStore.Room room, int wanted) {
            this.ref = ref;
            this.room = room;
            this.wanted = wanted;
        }

        TensorRef ref() {
            return ref;
        }
    }

    /**
     * Memory for a copy that is to come; older ones make room.
     *
     * @throws TensorStoreFullException if there is none
     */
    OffHeapTensorStore.Room room(long wanted) {
        synchronized (this) {
            while (bytes + wanted > bytesMax) {
                if (!evictOne()) {
                    throw new TensorStoreFullException(wanted, bytes, bytesMax);
                }
            }
            bytes += wanted;
        }
        try {
            return withRoom(() -> store.lend(wanted));
        } catch (TensorStoreFullException full) {
            synchronized (this) {
                bytes -= wanted;
            }
            throw full;
        }
    }

    /** What fills the store is tried again as long as a replica can make room for it. */
    <T> T withRoom(Supplier<T> filling) {
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

    /** Memory from {@link #room} that is not needed after all. */
    synchronized void giveBack(OffHeapTensorStore.Room room, long wanted) {
        bytes -= wanted;
        store.giveBack(room);
    }

    /** Puts a copy on the shelf, wanted so many times. */
    synchronized Replica place(TensorRef ref, OffHeapTensorStore.Room room, int wanted) {
        Replica replica = new Replica(ref, room, wanted);
        replicas.put(TensorKey.of(ref), replica);
        return replica;
    }

    /** The copy, if it is here, wanted once more: it stays until {@link #unwanted}. */
    synchronized Optional<Replica> wanted(TensorKey key) {
        Optional<Replica> replica = Optional.ofNullable(replicas.get(key));
        replica.ifPresent(found -> found.wanted++);
        return replica;
    }

    synchronized void unwanted(Replica replica) {
        replica.wanted--;
    }

    /** The memory of a copy, pinned. */
    synchronized Optional<OffHeapTensorStore.Room> pinned(TensorKey key) {
        return Optional.ofNullable(replicas.get(key))
                .map(replica -> replica.room)
                .filter(OffHeapTensorStore.Room::pin);
    }

    /** The copy becomes a tensor of this node; empty if another call has taken it over. */
    synchronized Optional<TensorRef> own(Replica replica) {
        if (!replicas.remove(TensorKey.of(replica.ref), replica)) {
            return Optional.empty();
        }
        bytes -= replica.ref.bytes();
        return Optional.of(store.seal(replica.room, replica.ref));
    }

    synchronized void drop(TensorKey key) {
        Replica replica = replicas.remove(key);
        if (replica != null) {
            giveBack(replica.room, key.bytes());
        }
    }

    synchronized void clear() {
        replicas.values().forEach(replica -> giveBack(replica.room, replica.ref.bytes()));
        replicas.clear();
    }

    /** Bytes of copies, and of those that are to come. */
    synchronized long bytes() {
        return bytes;
    }

    private boolean evictOne() {
        for (Iterator<Replica> oldest = replicas.values().iterator(); oldest.hasNext(); ) {
            Replica replica = oldest.next();
            if (replica.wanted == 0 && replica.room.unshared()) {
                oldest.remove();
                giveBack(replica.room, replica.ref.bytes());
                return true;
            }
        }
        return false;
    }
}
