package darkroom.tensors;

import darkroom.tensors.BlockPool.Block;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Consumer;
import java.util.zip.CRC32C;

/**
 * Stores tensors in native memory, pooled by size ({@link BlockPool}).
 *
 * <p>The memory of a released tensor is kept for the next tensor of its size, so that a late reader (a worker still
 * processing a unit that others have finished) reads wrong bytes, which are discarded, and not unmapped memory. Idle memory
 * is freed only when the budget would otherwise not suffice.
 *
 * <p>Memory allocated after {@link #show} lies in a shared tensor export, where other processes of the machine can read it.
 *
 * <ul>
 *   <li><b>TS-1</b> Reading a tensor that was released, never existed, or whose bytes changed throws a
 *       {@link TensorLostException}.
 *   <li><b>TS-2</b> Held bytes and idle bytes together never exceed the budget.
 *   <li><b>TS-3</b> A filler that throws leaves no tensor and no bytes held.
 *   <li><b>TS-4</b> A release counts once, and only with the reference that was given out.
 *   <li><b>TS-5</b> A shared tensor export lists only live tensors, and none whose memory may be written.
 * </ul>
 */
public final class OffHeapTensorStore implements TensorStore, AutoCloseable {
    private static final long CHECKSUM_CHUNK = 1L << 30;

    private final String home;
    private final BlockPool pool;
    private final Map<Long, Tensor> tensors = new ConcurrentHashMap<>();
    private final AtomicLong ids = new AtomicLong();
    private final AtomicLong held = new AtomicLong();
    private final AtomicLong lent = new AtomicLong();

    /**
     * @param home name of this node, used in every reference created here
     * @param bytesMax {@code limits.tensor-bytes-max}
     */
    public OffHeapTensorStore(String home, long bytesMax) {
        this.home = home;
        this.pool = new BlockPool(bytesMax);
    }

    private record Tensor(TensorRef ref, Block block) {}

    /** Allocates memory in a shared tensor export from here on, as far as it has room. */
    void show(SharedTensorExport in) {
        pool.allocateIn(in);
    }

    /** Allocates memory that only this process can see from here on. */
    void showNoMore() {
        pool.allocateIn(null);
    }

    @Override
    public TensorRef put(TensorRef.ElementType type, List<Integer> shape, Consumer<MemorySegment> filler) {
        TensorRef blank = new TensorRef(ids.incrementAndGet(), home, type, shape, 0);
        long bytes = blank.bytes();
        Block block = take(bytes);
        held.addAndGet(block.size());
        boolean sealed = false;
        try {
            MemorySegment exact = block.memory(bytes);
            filler.accept(exact);
            TensorRef ref = new TensorRef(blank.id(), home, type, shape, checksum(exact));
            alive(ref, block);
            sealed = true;
            return ref;
        } finally {
            if (!sealed) {
                held.addAndGet(-block.size());
                block.unpin(); // TS-3
            }
        }
    }

    private void alive(TensorRef ref, Block block) {
        tensors.put(ref.id(), new Tensor(ref, block));
        block.exported().ifPresent(at -> at.segment().export().show(ref, at.segment(), at.offset())); // TS-5
    }

    @Override
    public MemorySegment read(TensorRef ref) {
        if (!ref.home().equals(home)) {
            throw new TensorLostException(
                    ref, "tensor %d lives on %s; this is %s".formatted(ref.id(), ref.home(), home));
        }
        Tensor tensor = tensors.get(ref.id());
        if (tensor == null || tensor.block().size() < ref.bytes()) {
            throw new TensorLostException(
                    ref, "tensor %d %s is not on %s (any more)".formatted(ref.id(), ref.shape(), home)); // TS-1
        }
        return verified(ref, tensor.block(), home); // TS-1
    }

    /**
     * Returns the bytes of a block, read-only, after verifying them against the reference.
     *
     * @throws TensorLostException if they do not match the checksum
     */
    static MemorySegment verified(TensorRef ref, Block block, String node) {
        MemorySegment exact = block.memory(ref.bytes());
        long now = checksum(exact);
        if (now != ref.checksum()) {
            throw new TensorLostException(
                    ref,
                    "tensor %d %s on %s has checksum %08x, its reference says %08x"
                            .formatted(ref.id(), ref.shape(), node, now, ref.checksum()));
        }
        return exact.asReadOnly();
    }

    @Override
    public void release(TensorRef ref) {
        Tensor tensor = ref.home().equals(home) ? tensors.get(ref.id()) : null;
        if (tensor != null && tensor.ref().equals(ref)) {
            end(tensor); // TS-4
        }
    }

    /** Releases a tensor as {@link #release} does, by the key used in messages of other nodes. */
    void release(long id, long checksum, long bytes) {
        Tensor tensor = tensors.get(id);
        if (tensor != null
                && tensor.ref().checksum() == checksum
                && tensor.ref().bytes() == bytes) {
            end(tensor); // TS-4
        }
    }

    private void end(Tensor tensor) {
        if (tensors.remove(tensor.ref().id(), tensor)) {
            held.addAndGet(-tensor.block().size());
            tensor.block()
                    .exported()
                    .ifPresent(at -> at.segment().export().hide(tensor.ref().id())); // TS-5
            tensor.block().unpin();
        }
    }

    /** Returns the pinned memory of a tensor of this node; empty if the tensor is not here (any more). */
    Optional<Block> pinned(long id, long checksum, long bytes) {
        Tensor tensor = tensors.get(id);
        if (tensor == null
                || tensor.ref().checksum() != checksum
                || tensor.ref().bytes() != bytes
                || !tensor.block().pin()) {
            return Optional.empty();
        }
        if (!tensor.equals(tensors.get(id))) { // released before the pin: the memory may be another tensor's
            tensor.block().unpin();
            return Optional.empty();
        }
        return Optional.of(tensor.block());
    }

    /** Returns whether a tensor of this node is here. */
    boolean holds(long id) {
        return tensors.containsKey(id);
    }

    /**
     * Lends memory for bytes from elsewhere; it must be sealed or given back, once.
     *
     * @throws TensorStoreFullException if the byte budget has no room
     */
    Block lend(long bytes) {
        Block block = take(bytes);
        lent.addAndGet(block.size());
        return block;
    }

    /** Makes lent and filled memory a tensor of this node, with the type, shape and checksum of another reference. */
    TensorRef seal(Block block, TensorRef like) {
        lent.addAndGet(-block.size());
        held.addAndGet(block.size());
        TensorRef ref = new TensorRef(ids.incrementAndGet(), home, like.type(), like.shape(), like.checksum());
        alive(ref, block);
        return ref;
    }

    void giveBack(Block block) {
        lent.addAndGet(-block.size());
        block.unpin();
    }

    @Override
    public long bytesHeld() {
        return held.get();
    }

    /** Returns the bytes lent to tensors of other nodes: replicas and transfers in progress. */
    public long bytesLent() {
        return lent.get();
    }

    /** Returns the number of live tensors. */
    public int tensorsHeld() {
        return tensors.size();
    }

    /** Returns the native bytes in use and kept for reuse, together. */
    public long bytesMapped() {
        return pool.bytesMapped();
    }

    /** Returns the byte budget. */
    long bytesMax() {
        return pool.bytesMax();
    }

    /** Returns the name of this node. */
    String home() {
        return home;
    }

    /** Releases every tensor and frees all memory; reading is not allowed afterwards. */
    @Override
    public void close() {
        tensors.values().forEach(this::end);
        pool.trim();
    }

    private Block take(long bytes) {
        return pool.take(bytes)
                .orElseThrow(() -> new TensorStoreFullException(
                        BlockPool.sizeOf(bytes), held.get() + lent.get(), pool.bytesMax()));
    }

    static long checksum(MemorySegment bytes) {
        CRC32C crc = new CRC32C();
        for (long from = 0; from < bytes.byteSize(); from += CHECKSUM_CHUNK) {
            ByteBuffer chunk = bytes.asSlice(from, Math.min(CHECKSUM_CHUNK, bytes.byteSize() - from))
                    .asByteBuffer();
            crc.update(chunk);
        }
        return crc.getValue();
    }
}
