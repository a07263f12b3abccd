package darkroom.tensors;

import darkroom.tensors.SharedTensorExport.Segment;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.util.ArrayDeque;
import java.util.Comparator;
import java.util.Deque;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentLinkedDeque;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Consumer;
import java.util.zip.CRC32C;
import org.jspecify.annotations.Nullable;

/**
 * Stores tensors in native memory, pooled by size.
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
    private static final long ALIGNMENT = 64;
    private static final long CHECKSUM_CHUNK = 1L << 30;

    /** Maximum size of a segment shared by blocks of one size; it holds as many as fit. */
    private static final long SLAB_BYTES_MAX = 1 << 19;

    private static final int SLAB_BLOCKS_MAX = 64;

    private final String home;
    private final long bytesMax;
    private final Map<Long, Tensor> tensors = new ConcurrentHashMap<>();
    private final Map<Long, Deque<Block>> idle = new ConcurrentHashMap<>();
    private final AtomicLong ids = new AtomicLong();
    private final AtomicLong uses = new AtomicLong();
    private final AtomicLong held = new AtomicLong();
    private final AtomicLong lent = new AtomicLong();
    private final AtomicLong mapped = new AtomicLong();
    private volatile @Nullable SharedTensorExport export;

    /**
     * @param home name of this node, used in every reference created here
     * @param bytesMax {@code limits.tensor-bytes-max}
     */
    public OffHeapTensorStore(String home, long bytesMax) {
        this.home = home;
        this.bytesMax = bytesMax;
    }

    private record Tensor(TensorRef ref, Block block) {}

    /** A segment divided into blocks of one size; a file for each small tensor would be too many. */
    private static final class Slab {
        private final Segment segment;
        private final int count;
        private int resting;

        Slab(Segment segment, int count) {
            this.segment = segment;
            this.count = count;
        }
    }

    /**
     * Native memory from the budget. It has one owner; other users that need it mapped pin it, and it is reused only after
     * the owner and all pins have let go.
     */
    final class Block {
        private final Arena arena;
        private final MemorySegment memory;
        private final @Nullable Slab slab;
        private final long offset;
        private final AtomicInteger users = new AtomicInteger(1);
        private volatile long usedLast; // last use, by the store's use counter

        private Block(long size) {
            arena = Arena.ofShared();
            memory = arena.allocate(size, ALIGNMENT);
            slab = null;
            offset = 0;
        }

        private Block(Slab slab, int number) {
            long size = slab.segment.memory().byteSize() / slab.count;
            arena = slab.segment.arena();
            this.slab = slab;
            offset = number * size;
            memory = slab.segment.memory().asSlice(offset, size);
        }

        /** Returns the first bytes of the block. */
        MemorySegment memory(long bytes) {
            return memory.asSlice(0, bytes);
        }

        long size() {
            return memory.byteSize();
        }

        /** Pins the block; false if everyone has let go of it. Each success is followed by one {@link #unpin}. */
        boolean pin() {
            return users.getAndUpdate(now -> now == 0 ? 0 : now + 1) != 0;
        }

        void unpin() {
            if (users.decrementAndGet() == 0) {
                usedLast = uses.incrementAndGet();
                poolOf(size()).push(this); // the most recently used is in the cache, and mapped by others
            }
        }

        /** Whether only the owner uses the block. */
        boolean unshared() {
            return users.get() == 1;
        }

        /** Frees idle memory if its whole slab is idle and nobody reads it at this moment. Returns the number of bytes. */
        private long end() {
            if (slab != null && ++slab.resting < slab.count) {
                return 0;
            }
            try {
                arena.close();
            } catch (IllegalStateException beingRead) {
                return 0;
            }
            if (slab == null) {
                return size();
            }
            slab.segment.export().drop(slab.segment.number());
            return slab.segment.memory().byteSize();
        }

        private boolean ended() {
            return !arena.scope().isAlive();
        }

        private void stay() {
            if (slab != null) {
                slab.resting = 0;
            }
            poolOf(size()).addLast(this);
        }
    }

    /** Allocates memory in a shared tensor export from here on, as far as it has room. */
    void show(SharedTensorExport in) {
        export = in;
    }

    /** Allocates memory that only this process can see from here on. */
    void showNoMore() {
        export = null;
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
        if (block.slab != null) {
            Segment segment = block.slab.segment;
            segment.export().show(ref, segment, block.offset); // TS-5
        }
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
            Slab slab = tensor.block().slab;
            if (slab != null) {
                slab.segment.export().hide(tensor.ref().id()); // TS-5
            }
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
        return mapped.get();
    }

    /** Returns the byte budget. */
    long bytesMax() {
        return bytesMax;
    }

    /** Returns the name of this node. */
    String home() {
        return home;
    }

    /** Releases every tensor and frees all memory; reading is not allowed afterwards. */
    @Override
    public void close() {
        tensors.values().forEach(this::end);
        trim(Long.MAX_VALUE);
    }

    private Block take(long bytes) {
        long size = Math.max(ALIGNMENT, (bytes + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT);
        Block block = had(size);
        if (block == null) {
            trim(size);
            block = had(size);
        }
        if (block == null) {
            throw new TensorStoreFullException(size, held.get() + lent.get(), bytesMax);
        }
        return block;
    }

    /** Returns idle memory, or new memory, in the shared tensor export if one is open; null if the budget is exhausted. */
    private @Nullable Block had(long size) {
        Block idle = pooled(size);
        if (idle != null) {
            return idle;
        }
        SharedTensorExport in = export;
        Block shown = in == null ? null : shown(in, size);
        if (shown != null) {
            return shown;
        }
        return map(size) ? new Block(size) : null;
    }

    /** Returns memory in a shared tensor export; null if the budget or the machine has too little for it. */
    private @Nullable Block shown(SharedTensorExport in, long size) {
        int count = Math.clamp(SLAB_BYTES_MAX / size, 1, SLAB_BLOCKS_MAX);
        if (!map(size * count)) {
            return null;
        }
        Optional<Segment> segment = in.segment(size * count);
        if (segment.isEmpty()) {
            mapped.addAndGet(-size * count);
            return null;
        }
        Slab slab = new Slab(segment.get(), count);
        for (int number = 1; number < count; number++) {
            new Block(slab, number).unpin();
        }
        return new Block(slab, 0);
    }

    private Deque<Block> poolOf(long size) {
        return idle.computeIfAbsent(size, _ -> new ConcurrentLinkedDeque<>());
    }

    private @Nullable Block pooled(long size) {
        Deque<Block> pool = idle.get(size);
        Block block = pool == null ? null : pool.poll();
        if (block != null) {
            block.users.set(1);
        }
        return block;
    }

    private boolean map(long size) {
        long before = mapped.getAndUpdate(now -> size <= bytesMax - now ? now + size : now); // TS-2
        return size <= bytesMax - before;
    }

    /** Frees idle memory, the least recently used first: the most recently used is in the cache. */
    private synchronized void trim(long wanted) {
        long freed = 0;
        List<Deque<Block>> oldestFirst = idle.values().stream()
                .sorted(Comparator.comparingLong(OffHeapTensorStore::oldestUse))
                .toList();
        for (Deque<Block> pool : oldestFirst) {
            Deque<Block> looked = new ArrayDeque<>();
            for (Block block = pool.pollLast(); block != null; block = freed < wanted ? pool.pollLast() : null) {
                looked.push(block);
                long bytes = block.end();
                mapped.addAndGet(-bytes);
                freed += bytes;
            }
            looked.stream().filter(block -> !block.ended()).forEach(Block::stay);
            if (freed >= wanted) {
                return;
            }
        }
    }

    private static long oldestUse(Deque<Block> pool) {
        Block oldest = pool.peekLast();
        return oldest == null ? Long.MAX_VALUE : oldest.usedLast;
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
