package darkroom.tensors;

import darkroom.tensors.SharedTensorExport.Segment;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
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
import org.jspecify.annotations.Nullable;

/**
 * The native memory of a store: blocks from a byte budget, pooled by size. Idle memory is kept for the next block of its size,
 * and freed, the least recently used first, only when the budget would otherwise not suffice. Safe for use by many threads.
 */
final class BlockPool {
    private static final long ALIGNMENT = 64;

    /** Maximum size of a segment shared by blocks of one size; it holds as many as fit. */
    private static final long SLAB_BYTES_MAX = 1 << 19;

    private static final int SLAB_BLOCKS_MAX = 64;

    private final long bytesMax;
    private final Map<Long, Deque<Block>> idle = new ConcurrentHashMap<>();
    private final AtomicLong uses = new AtomicLong();
    private final AtomicLong mapped = new AtomicLong();
    private volatile @Nullable SharedTensorExport export;

    BlockPool(long bytesMax) {
        this.bytesMax = bytesMax;
    }

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

    /** The place of a block in a shared tensor export: a segment and the offset in it, in bytes. */
    record Exported(Segment segment, long offset) {}

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

        /** Returns where the block lies in a shared tensor export; empty if only this process can see it. */
        Optional<Exported> exported() {
            return slab == null ? Optional.empty() : Optional.of(new Exported(slab.segment, offset));
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

    /** Allocates in a shared tensor export from here on, as far as it has room; with null, where only this process sees it. */
    void allocateIn(@Nullable SharedTensorExport in) {
        export = in;
    }

    /** Returns the native bytes in use and kept for reuse, together. */
    long bytesMapped() {
        return mapped.get();
    }

    long bytesMax() {
        return bytesMax;
    }

    /** Returns a block of at least so many bytes; empty if the budget is exhausted. Its owner unpins it, once. */
    Optional<Block> take(long bytes) {
        long size = sizeOf(bytes);
        Block block = had(size);
        if (block == null) {
            trim(size);
            block = had(size);
        }
        return Optional.ofNullable(block);
    }

    /** Returns the size of a block for so many bytes. */
    static long sizeOf(long bytes) {
        return Math.max(ALIGNMENT, (bytes + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT);
    }

    /** Frees all idle memory. */
    void trim() {
        trim(Long.MAX_VALUE);
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
                .sorted(Comparator.comparingLong(BlockPool::oldestUse))
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
}
