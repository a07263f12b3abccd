package darkroom.tensors;

import darkroom.tensors.PlaneFrame.TensorKey;
import darkroom.tensors.SharedTensorExports.SharedRead;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.atomic.LongAdder;
import java.util.function.Function;

/**
 * Reads small tensors of other processes of this machine where their homes export them, on the caller's own thread and without
 * a message (TP-12). Safe for use by many threads.
 */
final class SharedMemoryReads {
    /** Limit for a read on the caller's own thread; up to here it is faster than asking another thread. */
    static final long BYTES_MAX = 1 << 20;

    private final Function<TensorKey, Optional<SharedRead>> exports;
    private final OffHeapTensorStore own;
    private final ReplicaCache cache;
    private final LongAdder bytesRead = new LongAdder();

    /**
     * @param exports opens a read of a tensor; empty if no process exports it to this one
     */
    SharedMemoryReads(Function<TensorKey, Optional<SharedRead>> exports, OffHeapTensorStore own, ReplicaCache cache) {
        this.exports = exports;
        this.own = own;
        this.cache = cache;
    }

    /** Returns the bytes of all tensors that were read. */
    long bytesRead() {
        return bytesRead.sum();
    }

    /** Copies tensors of other nodes into the store; empty, copying nothing, unless all can be read here (TP-8). */
    Optional<Map<TensorKey, TensorRef>> copyAll(Collection<TensorRef> tensors) {
        Map<TensorKey, TensorRef> copies = new LinkedHashMap<>();
        boolean complete = false;
        try {
            for (TensorRef ref : tensors) {
                TensorKey key = TensorKey.of(ref);
                if (copies.containsKey(key)) {
                    continue;
                }
                Optional<TensorRef> copy = copy(ref, key);
                if (copy.isEmpty()) {
                    return Optional.empty();
                }
                copies.put(key, copy.get());
            }
            complete = true;
        } finally {
            if (!complete) {
                copies.values().forEach(own::release);
            }
        }
        copies.keySet().forEach(key -> bytesRead.add(key.bytes()));
        return Optional.of(copies);
    }

    private Optional<TensorRef> copy(TensorRef ref, TensorKey key) {
        Optional<SharedRead> opened = open(key);
        if (opened.isEmpty()) {
            return Optional.empty();
        }
        try (SharedRead read = opened.get()) {
            BlockPool.Block block = cache.withBlock(() -> own.lend(key.bytes()));
            boolean whole = false;
            try {
                whole = read.copyTo(block.memory(key.bytes())); // TP-1, TP-12
            } finally {
                if (!whole) {
                    own.giveBack(block); // TP-11
                }
            }
            return whole ? Optional.of(own.seal(block, ref)) : Optional.empty();
        } catch (TensorStoreFullException full) {
            return Optional.empty();
        }
    }

    /** Completes a transfer at once, if its tensor can be read here; else the transfer is as before, and false is returned. */
    boolean complete(Transfer transfer) {
        Optional<SharedRead> opened = open(transfer.key);
        if (opened.isEmpty()) {
            return false;
        }
        transfer.lookAt(opened.get());
        boolean still;
        try {
            transfer.look(BYTES_MAX);
        } finally {
            still = transfer.lookAway();
        }
        if (still && transfer.checksum() == transfer.key.checksum()) {
            bytesRead.add(transfer.key.bytes());
            transfer.outcome.landed();
            return true;
        }
        transfer.forget(); // TP-12
        return false;
    }

    private Optional<SharedRead> open(TensorKey key) {
        return key.bytes() > BYTES_MAX ? Optional.empty() : exports.apply(key);
    }
}
