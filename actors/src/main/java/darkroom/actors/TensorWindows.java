package darkroom.actors;

import darkroom.actors.PlaneFrame.TensorKey;
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
 * The windows of the other nodes of this machine, as this node looks through them ({@link TensorWindow}).
 *
 * <p>Safe for use by many threads.
 */
final class TensorWindows implements AutoCloseable {
    /** A pane through which nobody has looked for this long is let go, and with it memory that its home may have dropped. */
    private static final long UNUSED_NS = 5_000_000_000L;

    private static final Logger LOG = LoggerFactory.getLogger(TensorWindows.class);

    private final NanoClock clock;
    private final Map<Long, Window> windows = new ConcurrentHashMap<>();

    TensorWindows(NanoClock clock) {
        this.clock = clock;
    }

    /** Looks through the window of a node from here on, if it has one and this process sees the same memory. */
    void open(PlanePeer peer) {
        long number = PlaneFrame.number(peer.node());
        if (windows.containsKey(number) || peer.window().isEmpty()) {
            return;
        }
        Path directory = Path.of(peer.window());
        Arena arena = Arena.ofAuto();
        try (FileChannel file = FileChannel.open(directory.resolve(TensorWindow.INDEX), StandardOpenOption.READ)) {
            MemorySegment index = file.map(FileChannel.MapMode.READ_ONLY, 0, TensorWindow.INDEX_BYTES, arena);
            if ((long) TensorWindow.WORD.getAcquire(index, 0L) == TensorWindow.MAGIC
                    && TensorWindow.token(index).equals(peer.windowToken())) {
                windows.put(number, new Window(directory, index));
            } else {
                LOG.debug("{} is not the window of {}", directory, peer);
            }
        } catch (IOException none) {
            LOG.debug("no window of {} is seen here: {}", peer, none.toString());
        }
    }

    /** A node that has left, or is reached in another way now. */
    void shut(long node) {
        Window window = windows.remove(node);
        if (window != null) {
            window.close();
        }
    }

    /** What another process of this machine shows of a tensor; empty if it shows none. To be closed once. */
    Optional<Sight> of(TensorKey key) {
        Window window = windows.get(key.home());
        return window == null ? Optional.empty() : window.sight(key);
    }

    /** What time brings: panes that nobody needs are let go. */
    void tick() {
        long nowNs = clock.nanoTime();
        for (Window window : windows.values()) {
            window.panes.forEach((number, pane) -> {
                if (nowNs - pane.usedNs >= UNUSED_NS) {
                    window.letGo(number, pane);
                }
            });
        }
    }

    /** Looks nowhere any more. */
    @Override
    public void close() {
        windows.keySet().forEach(this::shut);
    }

    /** A tensor where its home has put it. */
    static final class Sight implements AutoCloseable {
        private final TensorKey key;
        private final MemorySegment index;
        private final Pane pane;
        private final long offset;

        private Sight(TensorKey key, MemorySegment index, Pane pane, long offset) {
            this.key = key;
            this.index = index;
            this.pane = pane;
            this.offset = offset;
        }

        /** The bytes, until this is closed; another tensor's, once the owner has released this one. */
        MemorySegment bytes() {
            return pane.memory.asSlice(offset, key.bytes());
        }

        /** Whether what has been copied then are the tensor's bytes. */
        boolean copyTo(MemorySegment target) {
            MemorySegment.copy(bytes(), 0, target, 0, key.bytes());
            return still() && OffHeapTensorStore.checksum(target) == key.checksum();
        }

        /** Whether all that was read until now are the tensor's bytes. */
        boolean still() {
            VarHandle.loadLoadFence();
            return (long) TensorWindow.WORD.getVolatile(index, TensorWindow.slot(key.id())) == key.id();
        }

        @Override
        public void close() {
            pane.unpin();
        }
    }

    private final class Window {
        private final Path directory;
        private final MemorySegment index;
        private final Map<Long, Pane> panes = new ConcurrentHashMap<>();
        private volatile boolean closed;

        Window(Path directory, MemorySegment index) {
            this.directory = directory;
            this.index = index;
        }

        Optional<Sight> sight(TensorKey key) {
            long slot = TensorWindow.slot(key.id());
            if (!lists(key, slot)) {
                return Optional.empty();
            }
            long number = (long) TensorWindow.WORD.get(index, slot + TensorWindow.PANE_AT);
            long bytes = (long) TensorWindow.WORD.get(index, slot + TensorWindow.PANE_BYTES_AT);
            long offset = (long) TensorWindow.WORD.get(index, slot + TensorWindow.OFFSET_AT);
            VarHandle.loadLoadFence();
            if (!lists(key, slot) || bytes - offset < key.bytes()) {
                return Optional.empty();
            }
            Pane pane = panes.computeIfAbsent(number, _ -> mapped(number, bytes));
            if (pane == null || !pane.pin()) {
                return Optional.empty();
            }
            if (closed) { // what was mapped after all panes were let go
                letGo(number, pane);
                pane.unpin();
                return Optional.empty();
            }
            pane.usedNs = clock.nanoTime();
            return Optional.of(new Sight(key, index, pane, offset));
        }

        /** Nothing is mapped by it when those who still look have closed their sights. */
        void close() {
            closed = true;
            panes.forEach(this::letGo);
        }

        private void letGo(long number, Pane pane) {
            if (panes.remove(number, pane)) {
                pane.unpin();
            }
        }

        private boolean lists(TensorKey key, long slot) {
            return (long) TensorWindow.WORD.getAcquire(index, slot) == key.id()
                    && (long) TensorWindow.WORD.get(index, slot + TensorWindow.CHECKSUM_AT) == key.checksum()
                    && (long) TensorWindow.WORD.get(index, slot + TensorWindow.BYTES_AT) == key.bytes();
        }

        private @Nullable Pane mapped(long number, long bytes) {
            Arena arena = Arena.ofShared();
            try (FileChannel file =
                    FileChannel.open(directory.resolve(TensorWindow.file(number)), StandardOpenOption.READ)) {
                if (file.size() >= bytes) {
                    return new Pane(arena, file.map(FileChannel.MapMode.READ_ONLY, 0, bytes, arena), clock.nanoTime());
                }
            } catch (IOException gone) {
                LOG.debug("pane {} of {} is gone", number, directory, gone);
            }
            arena.close();
            return null;
        }
    }

    /** Another process's memory, mapped as long as it is kept or someone looks. */
    private static final class Pane {
        private final Arena arena;
        private final MemorySegment memory;
        private final AtomicInteger users = new AtomicInteger(1);
        private volatile long usedNs;

        Pane(Arena arena, MemorySegment memory, long nowNs) {
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
