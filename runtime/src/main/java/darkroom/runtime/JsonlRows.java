package darkroom.runtime;

import darkroom.config.DataSettings;
import darkroom.edittasks.DatasetDirectory;
import darkroom.edittasks.DatasetFaultException;
import darkroom.edittasks.DatasetImages;
import darkroom.edittasks.DatasetLine;
import darkroom.edittasks.DatasetReader;
import darkroom.edittasks.DatasetRow;
import darkroom.edittasks.RgbImage;
import darkroom.edittasks.Split;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * Rows of one split of a dataset directory, in the order of its file. Opening reads all lines and decodes all pictures once;
 * afterwards a row's line and pictures are read whenever it is asked for, and must be what they were. For all threads.
 */
final class JsonlRows implements Rows {
    /** Malformed lines of one split that are shown one by one; the rest are counted. */
    static final int SHOWN_MAX = 100;

    private static final long REPORT_EVERY_NANOS = TimeUnit.SECONDS.toNanos(5);
    /** Task type of rows that do not say. */
    static final String UNKNOWN = "unknown";

    private final DatasetDirectory directory;
    private final Split split;
    private final int resolution;
    private final List<Entry> entries;

    /**
     * Where a row is and what it was.
     *
     * @param digest of what the row gives to a run
     */
    private record Entry(long line, long offset, int bytes, String digest) {}

    private JsonlRows(DatasetDirectory directory, Split split, int resolution, List<Entry> entries) {
        this.directory = directory;
        this.split = split;
        this.resolution = resolution;
        this.entries = entries;
    }

    /**
     * Reads a split. Malformed lines are told to {@code warnings}, then left out or the end of the matter, as
     * {@code data.on-malformed} says. A split other than {@link Split#TRAIN} whose file is not there has no rows.
     *
     * @param resolution side of the pictures in pixels; see {@link DatasetImages#square}
     * @throws CommandFailedException with {@link ExitCode#USAGE} if the directory, the file of {@link Split#TRAIN} or every
     *     row is missing, or at the first malformed line where {@code data.on-malformed = stop}
     */
    static JsonlRows open(Path directory, Split split, DataSettings settings, int resolution, PrintWriter warnings) {
        DatasetDirectory dataset = dataset(directory);
        Path file = dataset.metadata(split);
        if (!dataset.has(split)) {
            if (split == Split.TRAIN) {
                throw refused("data.source=%s has no %s; add it, or set data.source=embedded"
                        .formatted(directory, split.metadataFile()));
            }
            return new JsonlRows(dataset, split, resolution, List.of());
        }
        List<Entry> entries = new ArrayList<>();
        long malformed = 0;
        long told = System.nanoTime();
        try (DatasetReader reader = dataset.reader(split)) {
            for (DatasetLine line = reader.next(); line != null; line = reader.next()) {
                switch (line) {
                    case DatasetLine.Usable usable ->
                        entries.add(new Entry(
                                usable.line(),
                                usable.offset(),
                                usable.bytes(),
                                digest(row(split, usable.row(), usable.images().square(resolution)))));
                    case DatasetLine.Malformed bad -> {
                        if (settings.onMalformed() == DataSettings.OnMalformed.STOP) {
                            throw refused(bad.message()
                                    + ". `darkroom dataset validate` lists all such lines; data.on-malformed=skip"
                                    + " leaves them out.");
                        }
                        if (malformed++ < SHOWN_MAX) {
                            warnings.println("left out: " + bad.message());
                        }
                    }
                }
                if (System.nanoTime() - told > REPORT_EVERY_NANOS) {
                    told = System.nanoTime();
                    warnings.println("%s: %d rows read".formatted(file, entries.size()));
                    warnings.flush();
                }
            }
        } catch (IOException e) {
            throw new CommandFailedException("%s cannot be read: %s".formatted(file, e.getMessage()), e);
        }
        if (malformed > 0) {
            warnings.println("%s: %d of %d rows are malformed and left out"
                    .formatted(file, malformed, malformed + entries.size()));
            warnings.flush();
        }
        if (entries.isEmpty() && split == Split.TRAIN) {
            throw refused("%s has no usable row; add rows, or set data.source=embedded".formatted(file));
        }
        return new JsonlRows(dataset, split, resolution, List.copyOf(entries));
    }

    private static DatasetDirectory dataset(Path directory) {
        try {
            return new DatasetDirectory(directory);
        } catch (IOException e) {
            throw refused(
                    "data.source=%s is no directory that can be read; give a directory in the Edit-R1 layout, or embedded"
                            .formatted(directory));
        }
    }

    private static CommandFailedException refused(String message) {
        return new CommandFailedException(message, ExitCode.USAGE);
    }

    @Override
    public int size() {
        return entries.size();
    }

    /** @throws UncheckedIOException if the row's line or one of its pictures is not what it was when the split was opened */
    @Override
    public Row row(int index) {
        Entry entry = entries.get(index);
        Path file = directory.metadata(split);
        Row row;
        try (FileChannel channel = FileChannel.open(file, StandardOpenOption.READ)) {
            ByteBuffer bytes = ByteBuffer.allocate(entry.bytes());
            while (bytes.hasRemaining() && channel.read(bytes, entry.offset() + bytes.position()) >= 0) {}
            DatasetRow read = DatasetRow.parse(new String(bytes.array(), StandardCharsets.UTF_8));
            row = row(split, read, directory.images(read).square(resolution));
        } catch (IOException | DatasetFaultException e) {
            throw changed(file, entry, String.valueOf(e.getMessage()), e);
        }
        if (!entry.digest().equals(digest(row))) {
            throw changed(file, entry, "its text or a picture is another one", null);
        }
        return row;
    }

    private static UncheckedIOException changed(Path file, Entry entry, String detail, @Nullable Exception cause) {
        return new UncheckedIOException(new IOException(
                "%s:%d: the row is not what it was when the run began: %s; restore the dataset and resume the run"
                        .formatted(file, entry.line(), detail),
                cause));
    }

    private static Row row(Split split, DatasetRow row, DatasetImages images) {
        return new Row(
                split.label() + "-" + row.identity(),
                row.taskType() == null ? UNKNOWN : row.taskType(),
                row.prompt(),
                row.requirement(),
                images.source(),
                images.reference(),
                images.target());
    }

    /** SHA-256 over all rows as a run sees them, in hexadecimal: equal where a run would be the same. */
    String digest() {
        MessageDigest digest = sha256();
        entries.forEach(entry -> digest.update(entry.digest().getBytes(StandardCharsets.US_ASCII)));
        return HexFormat.of().formatHex(digest.digest());
    }

    private static String digest(Row row) {
        MessageDigest digest = sha256();
        for (String part : Arrays.asList(
                row.id(),
                row.taskType(),
                row.instruction(),
                row.requirement(),
                row.source().sha256(),
                sha256(row.reference()),
                sha256(row.target()))) {
            byte[] bytes = part.getBytes(StandardCharsets.UTF_8);
            digest.update(
                    ByteBuffer.allocate(Integer.BYTES).putInt(bytes.length).flip());
            digest.update(bytes);
        }
        return HexFormat.of().formatHex(digest.digest());
    }

    private static String sha256(@Nullable RgbImage image) {
        return image == null ? "" : image.sha256();
    }

    private static MessageDigest sha256() {
        try {
            return MessageDigest.getInstance("SHA-256");
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException(e);
        }
    }
}
