package darkroom.actors;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.util.List;
import java.util.Map;
import java.util.Queue;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Consumer;
import java.util.zip.CRC32C;

/**
 * Tensors in native memory, pooled by size.
 *
 * <p>The memory of a released tensor is kept for the next tensor of its size, so that a late reader (a worker that
 * still does a unit which others have finished) reads wrong bytes, which nobody counts, and not unmapped memory. Idle
 * memory is given back only when the budget would not suffice otherwise.
 *
 * <ul>
 *   <li><b>TS-1</b> A tensor that was released, that never was, or whose bytes changed is a {@link TensorLostException}.
 *   <li><b>TS-2</b> Bytes held and bytes idle are together never more than the budget.
 *   <li><b>TS-3</b> A filler that throws leaves no tensor and no bytes held.
 *   <li><b>TS-4</b> Release counts once.
 * </ul>
 */
public final class OffHeapTensorStore implements TensorStore, AutoCloseable {
    private static final long ALIGNMENT = 64;
    private static final long CHECKSUM_CHUNK = 1L << 30;

    private final String home;
    private final long bytesMax;
    private final Map<Long, Block> tensors = new ConcurrentHashMap<>();
    private final Map<Long, Queue<Block>> idle = new ConcurrentHashMap<>();
    private final AtomicLong ids = new AtomicLong();
    private final AtomicLong held = new AtomicLong();
    private final AtomicLong mapped = new AtomicLong();

    /**
     * @param home name of this node, in every reference made here
     * @param bytesMax {@code limits.tensor-bytes-max}
     */
    public OffHeapTensorStore(String home, long bytesMax) {
        this.home = home;
        this.bytesMax = bytesMax;
    }

    private record Block(Arena arena, MemorySegment memory) {}

    @Override
    public TensorRef put(TensorRef.ElementType type, List<Integer> shape, Consumer<MemorySegment> filler) {
        TensorRef blank = new TensorRef(ids.incrementAndGet(), home, type, shape, 0);
        long bytes = blank.bytes();
        Block block = take(bytes);
        boolean sealed = false;
        try {
            MemorySegment exact = block.memory().asSlice(0, bytes);
            filler.accept(exact);
            TensorRef ref = new TensorRef(blank.id(), home, type, shape, checksum(exact));
            tensors.put(ref.id(), block);
            sealed = true;
            return ref;
        } finally {
            if (!sealed) {
                giveBack(block); // TS-3
            }
        }
    }

    @Override
    public MemorySegment read(TensorRef ref) {
        if (!ref.home().equals(home)) {
            throw new TensorLostException(
                    ref, "tensor %d lives on %s; this is %s".formatted(ref.id(), ref.home(), home));
        }
        Block block = tensors.get(ref.id());
        if (block == null || block.memory().byteSize() < ref.bytes()) {
            throw new TensorLostException(
                    ref, "tensor %d %s is not on %s (any more)".formatted(ref.id(), ref.shape(), home)); // TS-1
        }
        MemorySegment exact = block.memory().asSlice(0, ref.bytes());
        long now = checksum(exact);
        if (now != ref.checksum()) {
            throw new TensorLostException(
                    ref,
                    "tensor %d %s on %s has checksum %08x, its reference says %08x"
                            .formatted(ref.id(), ref.shape(), home, now, ref.checksum())); // TS-1
        }
        return exact.asReadOnly();
    }

    @Override
    public void release(TensorRef ref) {
        if (ref.home().equals(home)) {
            Block block = tensors.remove(ref.id());
            if (block != null) {
                giveBack(block); // TS-4
            }
        }
    }

    @Override
    public long bytesHeld() {
        return held.get();
    }

    /** Tensors alive now. */
    public int tensorsHeld() {
        return tensors.size();
    }

    /** Native bytes in use and kept for reuse, together. */
    public long bytesMapped() {
        return mapped.get();
    }

    /** Ends every tensor and gives all memory back; nobody may read from here on. */
    @Override
    public void close() {
        tensors.values().forEach(this::giveBack);
        tensors.clear();
        trim(Long.MAX_VALUE);
    }

    private Block take(long bytes) {
        long size = Math.max(ALIGNMENT, (bytes + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT);
        Queue<Block> pool = idle.get(size);
        Block pooled = pool == null ? null : pool.poll();
        if (pooled == null && !map(size)) {
            trim(size);
            if (!map(size)) {
                throw new TensorStoreFullException(size, held.get(), bytesMax);
            }
        }
        held.addAndGet(size);
        return pooled == null ? allocate(size) : pooled;
    }

    private static Block allocate(long size) {
        Arena arena = Arena.ofShared();
        return new Block(arena, arena.allocate(size, ALIGNMENT));
    }

    private boolean map(long size) {
        long before = mapped.getAndUpdate(now -> size <= bytesMax - now ? now + size : now); // TS-2
        return size <= bytesMax - before;
    }

    private void giveBack(Block block) {
        long size = block.memory().byteSize();
        held.addAndGet(-size);
        idle.computeIfAbsent(size, _ -> new ConcurrentLinkedQueue<>()).add(block);
    }

    private void trim(long wanted) {
        long freed = 0;
        for (Queue<Block> pool : idle.values()) {
            for (Block block = pool.poll(); block != null; block = pool.poll()) {
                if (!closed(block)) {
                    pool.add(block);
                    break;
                }
                mapped.addAndGet(-block.memory().byteSize());
                freed += block.memory().byteSize();
                if (freed >= wanted) {
                    return;
                }
            }
        }
    }

    /** False if someone reads the block this very moment. */
    private static boolean closed(Block block) {
        try {
            block.arena().close();
            return true;
        } catch (IllegalStateException beingRead) {
            return false;
        }
    }

    private static long checksum(MemorySegment bytes) {
        CRC32C crc = new CRC32C();
        for (long from = 0; from < bytes.byteSize(); from += CHECKSUM_CHUNK) {
            ByteBuffer chunk = bytes.asSlice(from, Math.min(CHECKSUM_CHUNK, bytes.byteSize() - from))
                    .asByteBuffer();
            crc.update(chunk);
        }
        return crc.getValue();
    }
}
