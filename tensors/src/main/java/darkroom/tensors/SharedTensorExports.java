package darkroom.tensors;

import darkroom.tensors.PlaneFrame.TensorKey;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.invoke.VarHandle;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicInteger;
import org.agrona.concurrent.NanoClock;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The shared tensor exports of the other nodes of this machine, as read by this node ({@link SharedTensorExport}).
 *
 * <p>Safe for use by many threads.
 */
final class SharedTensorExports implements AutoCloseable {
    /** Idle time after which a mapped segment is released, and with it memory that its home may have dropped. */
    private static final long UNUSED_NS = 5_000_000_000L;

    private static final Logger LOG = LoggerFactory.getLogger(SharedTensorExports.class);

    private final NanoClock clock;
    private final Map<Long, Export> exports = new ConcurrentHashMap<>();

    SharedTensorExports(NanoClock clock) {
        this.clock = clock;
    }

    /** Opens the export of a node, if it has one and this process sees the same memory. */
    void open(PlanePeer peer) {
        long number = PlaneFrame.number(peer.node());
        if (exports.containsKey(number) || peer.export().isEmpty()) {
            return;
        }
        Path directory = Path.of(peer.export());
        Arena arena = Arena.ofAuto();
        try (FileChannel file =
                FileChannel.open(directory.resolve(SharedTensorExport.INDEX), StandardOpenOption.READ)) {
            MemorySegment index = file.map(FileChannel.MapMode.READ_ONLY, 0, SharedTensorExport.INDEX_BYTES, arena);
            if ((long) SharedTensorExport.WORD.getAcquire(index, 0L) == SharedTensorExport.MAGIC
                    && SharedTensorExport.token(index).equals(peer.exportToken())) {
                exports.put(number, new Export(directory, index));
            } else {
                LOG.debug("{} is not the export of {}", directory, peer);
            }
        } catch (IOException none) {
            LOG.debug("no export of {} is visible here: {}", peer, none.toString());
        }
    }

    /** Closes the export of a node that has left or is now reached in another way. */
    void shut(long node) {
        Export export = exports.remove(node);
        if (export != null) {
            export.close();
        }
    }

    /** Opens a shared-memory read of a tensor that another process of this machine exports; empty if none does. Closed once. */
    Optional<SharedRead> of(TensorKey key) {
        Export export = exports.get(key.home());
        return export == null ? Optional.empty() : export.sharedRead(key);
    }

    /** Releases segments that nobody needs. */
    void tick() {
        long nowNs = clock.nanoTime();
        for (Export export : exports.values()) {
            export.segments.forEach((number, segment) -> {
                if (nowNs - segment.usedNs >= UNUSED_NS) {
                    export.letGo(number, segment);
                }
            });
        }
    }

    /** Closes all exports. */
    @Override
    public void close() {
        exports.keySet().forEach(this::shut);
    }

    /** A tensor read where its home has put it. */
    static final class SharedRead implements AutoCloseable {
        private final TensorKey key;
        private final MemorySegment index;
        private final ExportedSegment segment;
        private final long offset;

        private SharedRead(TensorKey key, MemorySegment index, ExportedSegment segment, long offset) {
            this.key = key;
            this.index = index;
            this.segment = segment;
            this.offset = offset;
        }

        /** Returns the bytes, until this is closed; another tensor's, once the owner has released this one. */
        MemorySegment bytes() {
            return segment.memory.asSlice(offset, key.bytes());
        }

        /** Copies the bytes; returns whether the copy is the tensor's. */
        boolean copyTo(MemorySegment target) {
            MemorySegment.copy(bytes(), 0, target, 0, key.bytes());
            return still() && OffHeapTensorStore.checksum(target) == key.checksum();
        }

        /** Whether everything read so far is the tensor's bytes. */
        boolean still() {
            VarHandle.loadLoadFence();
            return (long) SharedTensorExport.WORD.getVolatile(index, SharedTensorExport.slot(key.id())) == key.id();
        }

        @Override
        public void close() {
            segment.unpin();
        }
    }

    private final class Export {
        private final Path directory;
        private final MemorySegment index;
        private final Map<Long, ExportedSegment> segments = new ConcurrentHashMap<>();
        private volatile boolean closed;

        Export(Path directory, MemorySegment index) {
            this.directory = directory;
            this.index = index;
        }

        Optional<SharedRead> sharedRead(TensorKey key) {
            long slot = SharedTensorExport.slot(key.id());
            if (!lists(key, slot)) {
                return Optional.empty();
            }
            long number = (long) SharedTensorExport.WORD.get(index, slot + SharedTensorExport.SEGMENT_AT);
            long bytes = (long) SharedTensorExport.WORD.get(index, slot + SharedTensorExport.SEGMENT_BYTES_AT);
            long offset = (long) SharedTensorExport.WORD.get(index, slot + SharedTensorExport.OFFSET_AT);
            VarHandle.loadLoadFence();
            if (!lists(key, slot) || bytes - offset < key.bytes()) {
                return Optional.empty();
            }
            ExportedSegment segment = segments.computeIfAbsent(number, _ -> mapped(number, bytes));
            if (segment == null || !segment.pin()) {
                return Optional.empty();
            }
            if (closed) { // mapped after all segments were released
                letGo(number, segment);
                segment.unpin();
                return Optional.empty();
            }
            segment.usedNs = clock.nanoTime();
            return Optional.of(new SharedRead(key, index, segment, offset));
        }

        /** Closes the export; its mappings end once open shared reads are closed. */
        void close() {
            closed = true;
            segments.forEach(this::letGo);
        }

        private void letGo(long number, ExportedSegment segment) {
            if (segments.remove(number, segment)) {
                segment.unpin();
            }
        }

        private boolean lists(TensorKey key, long slot) {
            return (long) SharedTensorExport.WORD.getAcquire(index, slot) == key.id()
                    && (long) SharedTensorExport.WORD.get(index, slot + SharedTensorExport.CHECKSUM_AT)
                            == key.checksum()
                    && (long) SharedTensorExport.WORD.get(index, slot + SharedTensorExport.BYTES_AT) == key.bytes();
        }

        private @Nullable ExportedSegment mapped(long number, long bytes) {
            Arena arena = Arena.ofShared();
            try (FileChannel file =
                    FileChannel.open(directory.resolve(SharedTensorExport.file(number)), StandardOpenOption.READ)) {
                if (file.size() >= bytes) {
                    return new ExportedSegment(
                            arena, file.map(FileChannel.MapMode.READ_ONLY, 0, bytes, arena), clock.nanoTime());
                }
            } catch (IOException gone) {
                LOG.debug("segment {} of {} is gone", number, directory, gone);
            }
            arena.close();
            return null;
        }
    }

    /** Another process's memory, mapped as long as it is retained or being read. */
    private static final class ExportedSegment {
        private final Arena arena;
        private final MemorySegment memory;
        private final AtomicInteger users = new AtomicInteger(1);
        private volatile long usedNs;

        ExportedSegment(Arena arena, MemorySegment memory, long nowNs) {
            this.arena = arena;
            this.memory = memory;
            this.usedNs = nowNs;
        }

        boolean pin() {
            return users.getAndUpdate(now -> now == 0 ? 0 : now + 1) != 0;
        }

        void unpin() {
            if (users.decrementAndGet() == 0) {
                arena.close();
            }
        }
    }
}
