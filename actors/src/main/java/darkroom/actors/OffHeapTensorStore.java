package darkroom.actors;

import darkroom.actors.TensorWindow.Pane;
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
 * Tensors in native memory, pooled by size.
 *
 * <p>The memory of a released tensor is kept for the next tensor of its size, so that a late reader (a worker that
 * still does a unit which others have finished) reads wrong bytes, which nobody counts, and not unmapped memory. Idle
 * memory is given back only when the budget would not suffice otherwise.
 *
 * <p>What it has from {@link #show} on lies in a window, where other processes of the machine can read it.
 *
 * <ul>
 *   <li><b>TS-1</b> A tensor that was released, that never was, or whose bytes changed is a {@link TensorLostException}.
 *   <li><b>TS-2</b> Bytes held and bytes idle are together never more than the budget.
 *   <li><b>TS-3</b> A filler that throws leaves no tensor and no bytes held.
 *   <li><b>TS-4</b> Release counts once, and only with the reference that was given out.
 *   <li><b>TS-5</b> A window lists what is alive, and nothing whose memory may be written.
 * </ul>
 */
public final class OffHeapTensorStore implements TensorStore, AutoCloseable {
    private static final long ALIGNMENT = 64;
    private static final long CHECKSUM_CHUNK = 1L << 30;

    /** Rooms of one size that share a pane: as many as fit, at most. */
    private static final long SLAB_BYTES_MAX = 1 << 19;

    private static final int SLAB_ROOMS_MAX = 64;

    private final String home;
    private final long bytesMax;
    private final Map<Long, Tensor> tensors = new ConcurrentHashMap<>();
    private final Map<Long, Deque<Room>> idle = new ConcurrentHashMap<>();
    private final AtomicLong ids = new AtomicLong();
    private final AtomicLong uses = new AtomicLong();
    private final AtomicLong held = new AtomicLong();
    private final AtomicLong lent = new AtomicLong();
    private final AtomicLong mapped = new AtomicLong();
    private volatile @Nullable TensorWindow window;

    /**
     * @param home name of this node, in every reference made here
     * @param bytesMax {@code limits.tensor-bytes-max}
     */
    public OffHeapTensorStore(String home, long bytesMax) {
        this.home = home;
        this.bytesMax = bytesMax;
    }

    private record Tensor(TensorRef ref, Room room) {}

    /** A pane cut into rooms of one size: a file for each small tensor would be too many. */
    private static final class Slab {
        private final Pane pane;
        private final int count;
        private int resting;

        Slab(Pane pane, int count) {
            this.pane = pane;
            this.count = count;
        }
    }

    /**
     * Native memory out of the budget. It has one owner; whoever else needs it mapped pins it for that time, and only when
     * everyone has let go is it used again.
     */
    final class Room {
        private final Arena arena;
        private final MemorySegment memory;
        private final @Nullable Slab slab;
        private final long offset;
        private final AtomicInteger users = new AtomicInteger(1);
        private volatile long usedLast; // by the store's count of uses

        private Room(long size) {
            arena = Arena.ofShared();
            memory = arena.allocate(size, ALIGNMENT);
            slab = null;
            offset = 0;
        }

        private Room(Slab slab, int number) {
            long size = slab.pane.memory().byteSize() / slab.count;
            arena = slab.pane.arena();
            this.slab = slab;
            offset = number * size;
            memory = slab.pane.memory().asSlice(offset, size);
        }

        /** The first bytes of it. */
        MemorySegment memory(long bytes) {
            return memory.asSlice(0, bytes);
        }

        long size() {
            return memory.byteSize();
        }

        /** False if it has been let go by everyone. Each success is followed by one {@link #unpin}. */
        boolean pin() {
            return users.getAndUpdate(now -> now == 0 ? 0 : now + 1) != 0;
        }

        void unpin() {
            if (users.decrementAndGet() == 0) {
                usedLast = uses.incrementAndGet();
                poolOf(size()).push(this); // what was used last is in the cache, and mapped by others
            }
        }

        /** Whether nobody but the owner uses it. */
        boolean unshared() {
            return users.get() == 1;
        }

        /** Gives idle memory back if all of its slab is idle and nobody reads it this very moment. How many bytes. */
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
            slab.pane.window().drop(slab.pane.number());
            return slab.pane.memory().byteSize();
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

    /** Memory that is taken from here on lies in a window, as far as there is room in it. */
    void show(TensorWindow in) {
        window = in;
    }

    /** Memory that is taken from here on is this process's alone. */
    void showNoMore() {
        window = null;
    }

    @Override
    public TensorRef put(TensorRef.ElementType type, List<Integer> shape, Consumer<MemorySegment> filler) {
        TensorRef blank = new TensorRef(ids.incrementAndGet(), home, type, shape, 0);
        long bytes = blank.bytes();
        Room room = take(bytes);
        held.addAndGet(room.size());
        boolean sealed = false;
        try {
            MemorySegment exact = room.memory(bytes);
            filler.accept(exact);
            TensorRef ref = new TensorRef(blank.id(), home, type, shape, checksum(exact));
            alive(ref, room);
            sealed = true;
            return ref;
        } finally {
            if (!sealed) {
                held.addAndGet(-room.size());
                room.unpin(); // TS-3
            }
        }
    }

    private void alive(TensorRef ref, Room room) {
        tensors.put(ref.id(), new Tensor(ref, room));
        if (room.slab != null) {
            Pane pane = room.slab.pane;
            pane.window().show(ref, pane, room.offset); // TS-5
        }
    }

    @Override
    public MemorySegment read(TensorRef ref) {
        if (!ref.home().equals(home)) {
            throw new TensorLostException(
                    ref, "tensor %d lives on %s; this is %s".formatted(ref.id(), ref.home(), home));
        }
        Tensor tensor = tensors.get(ref.id());
        if (tensor == null || tensor.room().size() < ref.bytes()) {
            throw new TensorLostException(
                    ref, "tensor %d %s is not on %s (any more)".formatted(ref.id(), ref.shape(), home)); // TS-1
        }
        return verified(ref, tensor.room(), home); // TS-1
    }

    /**
     * The bytes in a room, read-only, as what the reference says they are.
     *
     * @throws TensorLostException if they do not match the checksum
     */
    static MemorySegment verified(TensorRef ref, Room room, String node) {
        MemorySegment exact = room.memory(ref.bytes());
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

    /** As {@link #release}, by what a message of another node calls the tensor. */
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
            held.addAndGet(-tensor.room().size());
            Slab slab = tensor.room().slab;
            if (slab != null) {
                slab.pane.window().hide(tensor.ref().id()); // TS-5
            }
            tensor.room().unpin();
        }
    }

    /** The memory of a tensor of this node, pinned; empty if it is not here (any more). */
    Optional<Room> pinned(long id, long checksum, long bytes) {
        Tensor tensor = tensors.get(id);
        if (tensor == null
                || tensor.ref().checksum() != checksum
                || tensor.ref().bytes() != bytes
                || !tensor.room().pin()) {
            return Optional.empty();
        }
        if (!tensor.equals(tensors.get(id))) { // released before the pin: the memory may be another tensor's
            tensor.room().unpin();
            return Optional.empty();
        }
        return Optional.of(tensor.room());
    }

    /** Whether a tensor of this node is here. */
    boolean holds(long id) {
        return tensors.containsKey(id);
    }

    /**
     * Memory for bytes that come from elsewhere: to be sealed, or given back, once.
     *
     * @throws TensorStoreFullException if the byte budget has no room
     */
    Room lend(long bytes) {
        Room room = take(bytes);
        lent.addAndGet(room.size());
        return room;
    }

    /** What was lent and filled becomes a tensor of this node, with the type, shape and checksum of another reference. */
    TensorRef seal(Room room, TensorRef like) {
        lent.addAndGet(-room.size());
        held.addAndGet(room.size());
        TensorRef ref = new TensorRef(ids.incrementAndGet(), home, like.type(), like.shape(), like.checksum());
        alive(ref, room);
        return ref;
    }

    void giveBack(Room room) {
        lent.addAndGet(-room.size());
        room.unpin();
    }

    @Override
    public long bytesHeld() {
        return held.get();
    }

    /** Bytes for tensors of other nodes: replicas, and those under way. */
    public long bytesLent() {
        return lent.get();
    }

    /** Tensors alive now. */
    public int tensorsHeld() {
        return tensors.size();
    }

    /** Native bytes in use and kept for reuse, together. */
    public long bytesMapped() {
        return mapped.get();
    }

    /** The budget. */
    long bytesMax() {
        return bytesMax;
    }

    /** Name of this node. */
    String home() {
        return home;
    }

    /** Ends every tensor and gives all memory back; nobody may read from here on. */
    @Override
    public void close() {
        tensors.values().forEach(this::end);
        trim(Long.MAX_VALUE);
    }

    private Room take(long bytes) {
        long size = Math.max(ALIGNMENT, (bytes + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT);
        Room room = had(size);
        if (room == null) {
            trim(size);
            room = had(size);
        }
        if (room == null) {
            throw new TensorStoreFullException(size, held.get() + lent.get(), bytesMax);
        }
        return room;
    }

    /** Idle memory, or new memory, in the window if there is one; null if the budget has no more. */
    private @Nullable Room had(long size) {
        Room idle = pooled(size);
        if (idle != null) {
            return idle;
        }
        TensorWindow in = window;
        Room shown = in == null ? null : shown(in, size);
        if (shown != null) {
            return shown;
        }
        return map(size) ? new Room(size) : null;
    }

    /** Memory in a window; null if budget or machine have too little for more of it. */
    private @Nullable Room shown(TensorWindow in, long size) {
        int count = Math.clamp(SLAB_BYTES_MAX / size, 1, SLAB_ROOMS_MAX);
        if (!map(size * count)) {
            return null;
        }
        Optional<Pane> pane = in.pane(size * count);
        if (pane.isEmpty()) {
            mapped.addAndGet(-size * count);
            return null;
        }
        Slab slab = new Slab(pane.get(), count);
        for (int number = 1; number < count; number++) {
            new Room(slab, number).unpin();
        }
        return new Room(slab, 0);
    }

    private Deque<Room> poolOf(long size) {
        return idle.computeIfAbsent(size, _ -> new ConcurrentLinkedDeque<>());
    }

    private @Nullable Room pooled(long size) {
        Deque<Room> pool = idle.get(size);
        Room room = pool == null ? null : pool.poll();
        if (room != null) {
            room.users.set(1);
        }
        return room;
    }

    private boolean map(long size) {
        long before = mapped.getAndUpdate(now -> size <= bytesMax - now ? now + size : now); // TS-2
        return size <= bytesMax - before;
    }

    /** Gives idle memory back, that which was used longest ago first: what was used last is in the cache. */
    private synchronized void trim(long wanted) {
        long freed = 0;
        List<Deque<Room>> oldestFirst = idle.values().stream()
                .sorted(Comparator.comparingLong(OffHeapTensorStore::oldestUse))
                .toList();
        for (Deque<Room> pool : oldestFirst) {
            Deque<Room> looked = new ArrayDeque<>();
            for (Room room = pool.pollLast(); room != null; room = freed < wanted ? pool.pollLast() : null) {
                looked.push(room);
                long bytes = room.end();
                mapped.addAndGet(-bytes);
                freed += bytes;
            }
            looked.stream().filter(room -> !room.ended()).forEach(Room::stay);
            if (freed >= wanted) {
                return;
            }
        }
    }

    private static long oldestUse(Deque<Room> pool) {
        Room oldest = pool.peekLast();
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
