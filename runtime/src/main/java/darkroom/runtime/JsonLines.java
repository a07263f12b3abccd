package darkroom.runtime;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.MapperFeature;
import com.fasterxml.jackson.databind.cfg.EnumFeature;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.datatype.jdk8.Jdk8Module;
import darkroom.config.ErrorReason;
import java.io.BufferedReader;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.List;
import java.util.OptionalDouble;
import java.util.function.Consumer;
import java.util.function.Predicate;

/**
 * A file of one JSON object a line, in the order in which they were appended. A figure that is not there is {@code null}.
 *
 * <p>A last line without its end is what a crash left: readers pass over it, and whoever appends cuts it.
 *
 * @param <T> what a line holds: a record that Jackson writes and reads
 */
final class JsonLines<T> implements AutoCloseable {
    /** How everything in a run directory is written and read. */
    static final JsonMapper JSON = JsonMapper.builder()
            .addModule(new Jdk8Module())
            .enable(EnumFeature.WRITE_ENUMS_TO_LOWERCASE)
            .enable(MapperFeature.ACCEPT_CASE_INSENSITIVE_ENUMS)
            .enable(DeserializationFeature.FAIL_ON_NULL_FOR_PRIMITIVES)
            .disable(DeserializationFeature.FAIL_ON_UNKNOWN_PROPERTIES)
            .build();

    private final Path file;
    private final FileChannel channel;

    private JsonLines(Path file, FileChannel channel) {
        this.file = file;
        this.channel = channel;
    }

    /**
     * Opens a file for appending; creates it if it is not there.
     *
     * @param keep lines that stay; all others are cut before anything is appended
     * @throws UncheckedIOException naming the file
     */
    static <T> JsonLines<T> open(Path file, Class<T> type, Predicate<T> keep) {
        try {
            if (Files.exists(file)) {
                cut(file, type, keep);
            }
            return new JsonLines<>(file, FileChannel.open(file, StandardOpenOption.CREATE, StandardOpenOption.APPEND));
        } catch (IOException e) {
            throw RunDirectory.failed("open", file, e);
        }
    }

    private static <T> void cut(Path file, Class<T> type, Predicate<T> keep) throws IOException {
        ByteArrayOutputStream kept = new ByteArrayOutputStream();
        forEach(file, type, line -> {
            if (keep.test(line)) {
                kept.writeBytes(bytes(line, file));
            }
        });
        if (kept.size() != Files.size(file)) {
            RunDirectory.write(file, kept.toByteArray());
        }
    }

    /** All lines; none if the file is not there. */
    static <T> List<T> read(Path file, Class<T> type) {
        List<T> lines = new ArrayList<>();
        forEach(file, type, lines::add);
        return lines;
    }

    /**
     * Shows every line, one at a time; none if the file is not there.
     *
     * @throws UncheckedIOException naming file and line, if a line is not what it should be
     */
    static <T> void forEach(Path file, Class<T> type, Consumer<T> each) {
        if (!Files.exists(file)) {
            return;
        }
        try (BufferedReader reader = Files.newBufferedReader(file)) {
            String line = reader.readLine();
            for (int number = 1; line != null; number++) {
                String next = reader.readLine();
                T value;
                try {
                    value = JSON.readValue(line, type);
                } catch (JsonProcessingException e) {
                    if (next == null && !endsWithNewline(file)) {
                        return;
                    }
                    throw new UncheckedIOException("%s line %d: %s".formatted(file, number, ErrorReason.of(e)), e);
                }
                each.accept(value);
                line = next;
            }
        } catch (IOException e) {
            throw RunDirectory.failed("read", file, e);
        }
    }

    private static boolean endsWithNewline(Path file) throws IOException {
        try (FileChannel channel = FileChannel.open(file, StandardOpenOption.READ)) {
            ByteBuffer last = ByteBuffer.allocate(1);
            return channel.size() > 0 && channel.read(last, channel.size() - 1) == 1 && last.get(0) == '\n';
        }
    }

    /**
     * @throws UncheckedIOException naming the file, if it cannot be written, or was deleted or replaced since it was opened: lines
     *     would go nowhere
     */
    void append(T value) {
        requireThere();
        try {
            ByteBuffer line = ByteBuffer.wrap(bytes(value, file));
            while (line.hasRemaining()) {
                channel.write(line);
            }
        } catch (IOException e) {
            throw RunDirectory.failed("write", file, e);
        }
    }

    /** @throws UncheckedIOException if lines that were appended are not in the file of that name any more */
    void requireThere() {
        try {
            if (!Files.exists(file) || Files.size(file) != channel.size()) {
                throw RunDirectory.gone(file);
            }
        } catch (IOException e) {
            throw RunDirectory.failed("look at", file, e);
        }
    }

    /** Returns when all lines are on the disk. */
    void force() {
        requireThere();
        try {
            channel.force(false);
        } catch (IOException e) {
            throw RunDirectory.failed("write", file, e);
        }
    }

    @Override
    public void close() {
        try {
            channel.close();
        } catch (IOException e) {
            throw RunDirectory.failed("close", file, e);
        }
    }

    /** JSON has no infinities: a figure that is none is not there. */
    static OptionalDouble finite(double value) {
        return Double.isFinite(value) ? OptionalDouble.of(value) : OptionalDouble.empty();
    }

    private static byte[] bytes(Object value, Path file) {
        try {
            ByteArrayOutputStream line = new ByteArrayOutputStream();
            line.writeBytes(JSON.writeValueAsBytes(value));
            line.write('\n');
            return line.toByteArray();
        } catch (JsonProcessingException e) {
            throw RunDirectory.failed("write", file, e);
        }
    }
}
