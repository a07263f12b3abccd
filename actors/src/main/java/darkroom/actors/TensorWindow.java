package darkroom.actors;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.VarHandle;
import java.nio.file.FileStore;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HexFormat;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicLong;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Where a node's tensors can be read by the other processes of its machine: a directory in shared memory with a file for
 * each {@link Pane} and an index that says which tensor lies in which. Nobody but this node writes there, and only its user
 * can read. The index begins with a {@link #token}: who finds it there sees this memory, and not another one by the same name.
 *
 * <p>A reader takes no lock and leaves no mark, so that its death costs nothing. It reads the index, reads the pane, and
 * reads the index again: identifiers are never used twice, so a tensor that is still listed was whole all the while.
 *
 * <p>Safe for use by many threads.
 */
final class TensorWindow implements AutoCloseable {
    /** What the index begins with: a name and a version of the layout. */
    static final long MAGIC = 0x6461726b77696e03L;

    /** Tensors that can be listed. One whose place is taken is moved by messages. */
    static final int SLOTS = 1 << 13;

    static final int SLOT_BYTES = 64;
    static final long INDEX_BYTES = (SLOTS + 1L) * SLOT_BYTES;
    static final String INDEX = "index";
    static final VarHandle WORD = ValueLayout.JAVA_LONG.varHandle();
    static final long NOTHING = 0;
    static final long TOKEN_AT = 8;
    static final long CHECKSUM_AT = 8;
    static final long BYTES_AT = 16;
    static final long PANE_AT = 24;
    static final long PANE_BYTES_AT = 32;
    static final long OFFSET_AT = 40;

    private static final Logger LOG = LoggerFactory.getLogger(TensorWindow.class);
    private static final long BEING_WRITTEN = -1;
    private static final String PREFIX = "darkroom-window-";

    private final LockedDirectory locked;
    private final Path directory;
    private final long left;
    private final boolean told;
    private final FileStore store;
    private final String token = Token.create();
    private final Arena arena = Arena.ofAuto();
    private final MemorySegment index;
    private final AtomicLong panes = new AtomicLong();
    private final AtomicBoolean full = new AtomicBoolean();

    private TensorWindow(LockedDirectory locked, long left, boolean told) throws IOException {
        this.locked = locked;
        this.directory = locked.path();
        this.left = left;
        this.told = told;
        store = Files.getFileStore(directory);
        index = SharedFile.created(directory.resolve(INDEX), INDEX_BYTES, arena);
        write(index, token);
        WORD.setRelease(index, 0L, MAGIC);
    }

    private static void write(MemorySegment index, String token) {
        byte[] bytes = HexFormat.of().parseHex(token);
        MemorySegment.copy(bytes, 0, index, ValueLayout.JAVA_BYTE, TOKEN_AT, bytes.length);
    }

    /** The token at the beginning of an index. */
    static String token(MemorySegment index) {
        return HexFormat.of().formatHex(index.asSlice(TOKEN_AT, Token.BYTES).toArray(ValueLayout.JAVA_BYTE));
    }

    /** Memory for tensors, which others see under its number. Its owner closes the arena, and drops it then. */
    record Pane(TensorWindow window, long number, Arena arena, MemorySegment memory) {}

    /**
     * Opens the window of a node; empty where the system does not let it.
     *
     * @param parent in shared memory
     * @param left bytes of it that tensors leave free
     * @param told whether people know already that shared memory is short
     */
    static Optional<TensorWindow> open(Path parent, long left, boolean told) {
        LockedDirectory.sweep(parent, PREFIX);
        LockedDirectory locked = null;
        try {
            locked = LockedDirectory.create(parent, PREFIX);
            return Optional.of(new TensorWindow(locked, left, told));
        } catch (IOException | RuntimeException e) {
            if (locked != null) {
                remove(locked);
            }
            say(
                    told,
                    "no window in %s (%s): tensors go to other processes of this machine by messages. %s."
                            .formatted(parent, e, PlaneMemory.REMEDY));
            return Optional.empty();
        }
    }

    private static void say(boolean told, String what) {
        if (told) {
            LOG.info("{}", what);
        } else {
            LOG.warn("{}", what);
        }
    }

    private static void remove(LockedDirectory directory) {
        try {
            directory.close();
        } catch (IOException | RuntimeException e) {
            LOG.warn("{} stays until another node starts", directory.path(), e);
        }
    }

    /** Where others find it. */
    Path directory() {
        return directory;
    }

    /** What others find there. */
    String token() {
        return token;
    }

    /** Where the index lists a tensor. */
    static long slot(long id) {
        return (1 + Math.floorMod(id, (long) SLOTS)) * SLOT_BYTES;
    }

    /** The file of a pane. */
    static String file(long pane) {
        return "pane-" + pane;
    }

    /** New memory; empty if the machine has no shared memory left, which is said once. */
    Optional<Pane> pane(long bytes) {
        long number = panes.incrementAndGet();
        Path file = directory.resolve(file(number));
        Arena own = Arena.ofShared();
        try {
            long free = store.getUsableSpace();
            if (free - bytes < left) {
                throw new IOException("%s are free, of which %s are for messages"
                        .formatted(PlaneMemory.mebibytes(free), PlaneMemory.mebibytes(left)));
            }
            return Optional.of(new Pane(this, number, own, SharedFile.created(file, bytes, own)));
        } catch (IOException none) {
            own.close();
            drop(number);
            if (!full.getAndSet(true)) {
                say(
                        told,
                        "no %d bytes of shared memory in %s (%s): further tensors go to other processes of this machine by messages. %s."
                                .formatted(bytes, directory, none.getMessage(), PlaneMemory.REMEDY));
            }
            return Optional.empty();
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
        remove(locked);
    }
}
