package darkroom.actors;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.VarHandle;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicLong;
import java.util.stream.Stream;
import org.agrona.IoUtil;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Where a node's tensors can be read by the other processes of its machine: a directory in shared memory with a file for
 * each {@link Pane} and an index that says which tensor lies in which. Nobody but this node writes there, and only its user
 * can read.
 *
 * <p>A reader takes no lock and leaves no mark, so that its death costs nothing. It reads the index, reads the pane, and
 * reads the index again: identifiers are never used twice, so a tensor that is still listed was whole all the while.
 *
 * <p>Safe for use by many threads.
 */
final class TensorWindow implements AutoCloseable {
    /** What the index begins with: a name and a version of the layout. */
    static final long MAGIC = 0x6461726b77696e02L;

    /** Tensors that can be listed. One whose place is taken is moved by messages. */
    static final int SLOTS = 1 << 13;

    static final int SLOT_BYTES = 64;
    static final long INDEX_BYTES = (SLOTS + 1L) * SLOT_BYTES;
    static final String INDEX = "index";
    static final VarHandle WORD = ValueLayout.JAVA_LONG.varHandle();
    static final long NOTHING = 0;
    static final long CHECKSUM_AT = 8;
    static final long BYTES_AT = 16;
    static final long PANE_AT = 24;
    static final long PANE_BYTES_AT = 32;
    static final long OFFSET_AT = 40;

    private static final Logger LOG = LoggerFactory.getLogger(TensorWindow.class);
    private static final long BEING_WRITTEN = -1;
    private static final String PREFIX = "window-";
    private static final String ALIVE = "alive";
    private static final int BLANK_BYTES = 1 << 20;
    private static final Set<Path> OWN = ConcurrentHashMap.newKeySet();

    private final Path directory;
    private final FileChannel alive;
    private final Arena arena = Arena.ofAuto();
    private final MemorySegment index;
    private final AtomicLong panes = new AtomicLong();
    private final AtomicBoolean full = new AtomicBoolean();

    private TensorWindow(Path directory) throws IOException {
        this.directory = directory;
        Files.createDirectory(
                directory, PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rwx------")));
        alive = FileChannel.open(directory.resolve(ALIVE), StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE);
        FileLock _ = alive.lock();
        index = mapped(directory.resolve(INDEX), INDEX_BYTES, arena);
        WORD.setRelease(index, 0L, MAGIC);
    }

    /** Memory for tensors, which others see under its number. Its owner closes the arena, and drops it then. */
    record Pane(TensorWindow window, long number, Arena arena, MemorySegment memory) {}

    /**
     * Opens the window of a node; empty where the system does not let it.
     *
     * @param driver directory of the node's media driver
     * @param node number of the node ({@link PlaneFrame#number})
     */
    static Optional<TensorWindow> open(Path driver, long node) {
        Path directory = of(driver, node);
        try {
            sweep(driver);
            OWN.add(directory);
            IoUtil.delete(directory.toFile(), true);
            return Optional.of(new TensorWindow(directory));
        } catch (IOException | UnsupportedOperationException e) {
            OWN.remove(directory);
            LOG.warn("no window in {}: tensors go to other processes of this machine by messages", driver, e);
            return Optional.empty();
        }
    }

    /** Where the window of a node is. */
    static Path of(Path driver, long node) {
        return driver.resolve("%s%016x".formatted(PREFIX, node));
    }

    /** Where the index lists a tensor. */
    static long slot(long id) {
        return (1 + Math.floorMod(id, (long) SLOTS)) * SLOT_BYTES;
    }

    /** The file of a pane. */
    static String file(long pane) {
        return "pane-" + pane;
    }

    /** What processes that are dead have left: nobody holds their lock. */
    private static void sweep(Path driver) throws IOException {
        try (Stream<Path> children = Files.list(driver)) {
            for (Path window : children.filter(
                            child -> child.getFileName().toString().startsWith(PREFIX) && !OWN.contains(child))
                    .toList()) {
                if (abandoned(window.resolve(ALIVE))) {
                    IoUtil.delete(window.toFile(), true);
                    LOG.info("removed {}, which a dead process has left", window);
                }
            }
        }
    }

    private static boolean abandoned(Path alive) throws IOException {
        try (FileChannel channel = FileChannel.open(alive, StandardOpenOption.WRITE);
                FileLock lock = channel.tryLock()) {
            return lock != null;
        } catch (NoSuchFileException beingMade) {
            return false;
        }
    }

    /** New memory; empty if the machine has no shared memory left, which is said once. */
    Optional<Pane> pane(long bytes) {
        long number = panes.incrementAndGet();
        Path file = directory.resolve(file(number));
        Arena own = Arena.ofShared();
        try {
            return Optional.of(new Pane(this, number, own, mapped(file, bytes, own)));
        } catch (IOException none) {
            own.close();
            drop(number);
            if (!full.getAndSet(true)) {
                LOG.warn(
                        "no {} bytes of shared memory in {} ({}): tensors go to other processes of this machine by"
                                + " messages; in a container, mount more at /dev/shm",
                        bytes,
                        directory,
                        none.getMessage());
            }
            return Optional.empty();
        }
    }

    /**
     * The file is written before it is mapped: where memory is short, writing fails with an exception, and touching a mapping
     * kills the process.
     */
    private static MemorySegment mapped(Path file, long bytes, Arena arena) throws IOException {
        try (FileChannel channel = FileChannel.open(
                file, StandardOpenOption.CREATE_NEW, StandardOpenOption.READ, StandardOpenOption.WRITE)) {
            ByteBuffer blank = ByteBuffer.allocateDirect((int) Math.min(bytes, BLANK_BYTES));
            for (long at = 0; at < bytes; ) {
                at += channel.write(blank.clear().limit((int) Math.min(bytes - at, blank.capacity())), at);
            }
            return channel.map(FileChannel.MapMode.READ_WRITE, 0, bytes, arena);
        }
    }

    /** A pane whose memory is not used any more. */
    void drop(long pane) {
        try {
            Files.deleteIfExists(directory.resolve(file(pane)));
        } catch (IOException e) {
            throw new UncheckedIOException("pane " + pane + " of " + directory + " stays", e);
        }
    }

    /**
     * Lists a sealed tensor, if its place is free.
     *
     * @param offset where in the pane it begins, in bytes
     */
    void show(TensorRef ref, Pane pane, long offset) {
        long slot = slot(ref.id());
        if (!WORD.compareAndSet(index, slot, NOTHING, BEING_WRITTEN)) {
            return;
        }
        WORD.set(index, slot + CHECKSUM_AT, ref.checksum());
        WORD.set(index, slot + BYTES_AT, ref.bytes());
        WORD.set(index, slot + PANE_AT, pane.number());
        WORD.set(index, slot + PANE_BYTES_AT, pane.memory().byteSize());
        WORD.set(index, slot + OFFSET_AT, offset);
        WORD.setRelease(index, slot, ref.id());
    }

    /** The tensor is listed no longer. Its memory may be written when this has returned. */
    void hide(long id) {
        WORD.compareAndSet(index, slot(id), id, NOTHING);
        VarHandle.fullFence();
    }

    /** Lists nothing any more, and removes the files. Panes stay as long as they are mapped. */
    @Override
    public void close() {
        for (long slot = SLOT_BYTES; slot < INDEX_BYTES; slot += SLOT_BYTES) {
            WORD.setVolatile(index, slot, NOTHING);
        }
        try {
            alive.close();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        } finally {
            IoUtil.delete(directory.toFile(), true);
            OWN.remove(directory);
        }
    }
}
