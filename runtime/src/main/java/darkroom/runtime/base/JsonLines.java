package darkroom.runtime.base;

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
 * A file of one JSON object per line, in the order of appending. A missing figure is {@code null}.
 *
 * <p>A crash may leave an incomplete last line: readers skip it, and the next writer removes it.
 *
 * @param <T> content of a line: a record that Jackson writes and reads
 */
public final class JsonLines<T> implements AutoCloseable {
    /** Reads and writes everything in a run directory. */
    public static final JsonMapper JSON = JsonMapper.builder()
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
     * Opens a file for appending; creates it if it does not exist.
     *
     * @param keep selects the lines that stay; all others are removed before anything is appended
     * @throws UncheckedIOException naming the file
     */
    public static <T> JsonLines<T> open(Path file, Class<T> type, Predicate<T> keep) {
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

    /** Returns all lines; none if the file does not exist. */
    public static <T> List<T> read(Path file, Class<T> type) {
        List<T> lines = new ArrayList<>();
        forEach(file, type, lines::add);
        return lines;
    }

    /**
     * Passes on every line, one at a time; none if the file does not exist.
     *
     * @throws UncheckedIOException naming file and line, if a line is malformed
     */
    public static <T> void forEach(Path file, Class<T> type, Consumer<T> each) {
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
     * Appends a line.
     *
     * @throws UncheckedIOException naming the file, if it cannot be written, or was deleted or replaced since it was
     *     opened, so that the line would be lost
     */
    public void append(T value) {
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

    /**
     * Checks that the appended lines are still in the file of that name.
     *
     * @throws UncheckedIOException if they are not
     */
    public void requireThere() {
        try {
            if (!Files.exists(file) || Files.size(file) != channel.size()) {
                throw RunDirectory.gone(file);
            }
        } catch (IOException e) {
            throw RunDirectory.failed("look at", file, e);
        }
    }

    /** Returns when all lines are on the disk. */
    public void force() {
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

    /** Returns a finite value; empty for any other, since JSON has no infinities. */
    public static OptionalDouble finite(double value) {
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
