package darkroom.runtime;

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
 * What is added to a file of lines, read from where the last look ended: however long the file is, a look costs what is new. A file
 * that was replaced or became shorter is read from its beginning. The end of a line that is not written yet waits for the next look.
 */
final class LineTail {
    private final Path file;
    private @Nullable Object key;
    private long offset;
    private int lines;

    LineTail(Path file) {
        this.file = file;
    }

    /** Whole lines that the file has now, as of the last look. */
    int count() {
        return lines;
    }

    /**
     * Lines that are new, in order; none if the file is not there. After the file was replaced: all that it has, and {@link #count}
     * is of these.
     */
    List<String> more() throws IOException {
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
