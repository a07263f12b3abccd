package darkroom.tensors;

import darkroom.config.ErrorReason;
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
 * Exports a node's tensors to the other processes of its machine: a directory in shared memory with a file for each
 * {@link Segment} and an index of the tensors in them. Only this node writes there, and only its user can read. The index
 * begins with a {@link #token}: a process that finds it there sees this memory, and not another one of the same name.
 *
 * <p>A reader takes no lock and leaves no mark, so its death costs nothing. It reads the index, reads the segment, and
 * reads the index again: identifiers are never reused, so a tensor that is still listed was whole all the time.
 *
 * <p>Safe for use by many threads.
 */
final class SharedTensorExport implements AutoCloseable {
    /** Start of the index: a name and a version of the layout. */
    static final long MAGIC = 0x6461726b77696e03L;

    /** Maximum number of listed tensors. A tensor whose slot is taken is moved by messages. */
    static final int SLOTS = 1 << 13;

    static final int SLOT_BYTES = 64;
    static final long INDEX_BYTES = (SLOTS + 1L) * SLOT_BYTES;
    static final String INDEX = "index";
    static final VarHandle WORD = ValueLayout.JAVA_LONG.varHandle();
    static final long NOTHING = 0;
    static final long TOKEN_AT = 8;
    static final long CHECKSUM_AT = 8;
    static final long BYTES_AT = 16;
    static final long SEGMENT_AT = 24;
    static final long SEGMENT_BYTES_AT = 32;
    static final long OFFSET_AT = 40;

    private static final Logger LOG = LoggerFactory.getLogger(SharedTensorExport.class);
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
    private final AtomicLong segments = new AtomicLong();
    private final AtomicBoolean full = new AtomicBoolean();

    private SharedTensorExport(LockedDirectory locked, long left, boolean told) throws IOException {
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

    /** Returns the token at the beginning of an index. */
    static String token(MemorySegment index) {
        return HexFormat.of().formatHex(index.asSlice(TOKEN_AT, Token.BYTES).toArray(ValueLayout.JAVA_BYTE));
    }

    /** Exported memory for tensors, named by its number. Its owner closes the arena and then drops the segment. */
    record Segment(SharedTensorExport export, long number, Arena arena, MemorySegment memory) {}

    /**
     * Opens the shared tensor export of a node; empty where the system does not allow it.
     *
     * @param parent in shared memory
     * @param left bytes of it that tensors leave free
     * @param told whether a shortage of shared memory has already been logged
     */
    static Optional<SharedTensorExport> open(Path parent, long left, boolean told) {
        LockedDirectory.sweep(parent, PREFIX);
        LockedDirectory locked = null;
        try {
            locked = LockedDirectory.create(parent, PREFIX);
            return Optional.of(new SharedTensorExport(locked, left, told));
        } catch (IOException | RuntimeException e) {
            if (locked != null) {
                remove(locked);
            }
            say(
                    told,
                    "no shared tensor export in %s (%s): tensors go to other processes of this machine by messages. %s."
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

    /** Returns the directory where others find the export. */
    Path directory() {
        return directory;
    }

    /** Returns the token that others read there. */
    String token() {
        return token;
    }

    /** Returns the position of a tensor's index entry. */
    static long slot(long id) {
        return (1 + Math.floorMod(id, (long) SLOTS)) * SLOT_BYTES;
    }

    /** Returns the file name of a segment. */
    static String file(long segment) {
        return "segment-" + segment;
    }

    /** Allocates memory; empty if the machine has no shared memory left, which is logged once. */
    Optional<Segment> segment(long bytes) {
        long number = segments.incrementAndGet();
        Path file = directory.resolve(file(number));
        Arena own = Arena.ofShared();
        try {
            long free = store.getUsableSpace();
            if (free - bytes < left) {
                throw new IOException("%s are free, of which %s are for messages"
                        .formatted(PlaneMemory.mebibytes(free), PlaneMemory.mebibytes(left)));
            }
            return Optional.of(new Segment(this, number, own, SharedFile.created(file, bytes, own)));
        } catch (IOException none) {
            own.close();
            drop(number);
            if (!full.getAndSet(true)) {
                say(
                        told,
                        "no %d bytes of shared memory in %s (%s): further tensors go to other processes of this machine by messages. %s."
                                .formatted(bytes, directory, ErrorReason.of(none), PlaneMemory.REMEDY));
            }
            return Optional.empty();
        }
    }

    /** Removes a segment whose memory is no longer used. */
    void drop(long segment) {
        try {
            Files.deleteIfExists(directory.resolve(file(segment)));
        } catch (IOException e) {
            throw new UncheckedIOException("segment " + segment + " of " + directory + " stays", e);
        }
    }

    /**
     * Lists a sealed tensor, if its slot is free.
     *
     * @param offset start of the tensor in the segment, in bytes
     */
    void show(TensorRef ref, Segment segment, long offset) {
        long slot = slot(ref.id());
        if (!WORD.compareAndSet(index, slot, NOTHING, BEING_WRITTEN)) {
            return;
        }
        WORD.set(index, slot + CHECKSUM_AT, ref.checksum());
        WORD.set(index, slot + BYTES_AT, ref.bytes());
        WORD.set(index, slot + SEGMENT_AT, segment.number());
        WORD.set(index, slot + SEGMENT_BYTES_AT, segment.memory().byteSize());
        WORD.set(index, slot + OFFSET_AT, offset);
        WORD.setRelease(index, slot, ref.id());
    }

    /** Removes the tensor from the index. Its memory may be written when this has returned. */
    void hide(long id) {
        WORD.compareAndSet(index, slot(id), id, NOTHING);
        VarHandle.fullFence();
    }

    /** Clears the index and removes the files. Segments stay as long as they are mapped. */
    @Override
    public void close() {
        for (long slot = SLOT_BYTES; slot < INDEX_BYTES; slot += SLOT_BYTES) {
            WORD.setVolatile(index, slot, NOTHING);
        }
        remove(locked);
    }
}
