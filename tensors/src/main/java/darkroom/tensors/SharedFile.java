package darkroom.tensors;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;

/**
 * Creates files that several processes map. Every byte is written before the file is mapped: where memory is short, writing
 * fails with an exception, whereas touching a mapping kills the process.
 */
final class SharedFile {
    private static final int BLANK_BYTES = 1 << 20;

    private SharedFile() {}

    /** Creates a file of zeros, mapped for reading and writing. */
    static MemorySegment created(Path file, long bytes, Arena arena) throws IOException {
        try (FileChannel channel = FileChannel.open(
                file, StandardOpenOption.CREATE_NEW, StandardOpenOption.READ, StandardOpenOption.WRITE)) {
            blank(channel, bytes);
            return channel.map(FileChannel.MapMode.READ_WRITE, 0, bytes, arena);
        }
    }

    /** Allocates all memory of a sparse file in which nothing has been written yet. */
    static void allocate(Path file) throws IOException {
        try (FileChannel channel = FileChannel.open(file, StandardOpenOption.WRITE)) {
            blank(channel, channel.size());
        }
    }

    private static void blank(FileChannel channel, long bytes) throws IOException {
        ByteBuffer blank = ByteBuffer.allocateDirect((int) Math.min(bytes, BLANK_BYTES));
        for (long at = 0; at < bytes; ) {
            at += channel.write(blank.clear().limit((int) Math.min(bytes - at, blank.capacity())), at);
        }
    }

    /** Returns the file with that name, which exists whole or not at all; the first process that asks for it creates it. */
    static Path shared(Path file, byte[] content) throws IOException {
        if (Files.exists(file)) {
            return file;
        }
        Path own = file.resolveSibling(file.getFileName() + "-" + Token.suffix());
        try {
            Files.write(own, content, StandardOpenOption.CREATE_NEW);
            Files.createLink(file, own);
        } catch (FileAlreadyExistsException another) {
            return file;
        } finally {
            Files.deleteIfExists(own);
        }
        return file;
    }
}
