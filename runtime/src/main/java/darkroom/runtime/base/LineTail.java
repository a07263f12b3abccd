package darkroom.runtime.base;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.BasicFileAttributes;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * Reads what was added to a file of lines since the last read. The cost depends on the new lines only, not on the
 * length of the file. A file that was replaced or became shorter is read from its beginning. An incomplete last line
 * waits for the next read.
 */
public final class LineTail {
    private final Path file;
    private @Nullable Object key;
    private long offset;
    private int lines;

    public LineTail(Path file) {
        this.file = file;
    }

    /** Returns the number of complete lines in the file, as of the last read. */
    public int count() {
        return lines;
    }

    /**
     * Returns the new lines, in order; none if the file does not exist. After the file was replaced, returns all of its
     * lines, and {@link #count} counts these.
     */
    public List<String> more() throws IOException {
        if (!Files.exists(file)) {
            return List.of();
        }
        BasicFileAttributes now = Files.readAttributes(file, BasicFileAttributes.class);
        if (!Objects.equals(key, now.fileKey()) || now.size() < offset) {
            key = now.fileKey();
            offset = 0;
            lines = 0;
        }
        ByteBuffer bytes = ByteBuffer.allocate(Math.toIntExact(now.size() - offset));
        try (FileChannel channel = FileChannel.open(file, StandardOpenOption.READ)) {
            while (bytes.hasRemaining() && channel.read(bytes, offset + bytes.position()) > 0) {}
        }
        List<String> all = new ArrayList<>();
        byte[] read = bytes.array();
        int from = 0;
        for (int at = 0; at < bytes.position(); at++) {
            if (read[at] == '\n') {
                all.add(new String(read, from, at - from, StandardCharsets.UTF_8));
                from = at + 1;
            }
        }
        offset += from;
        lines += all.size();
        return all;
    }
}
