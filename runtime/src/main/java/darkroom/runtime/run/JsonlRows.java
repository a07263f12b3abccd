package darkroom.runtime.run;

import darkroom.config.DataSettings;
import darkroom.config.PictureView;
import darkroom.edittasks.datasets.DatasetDirectory;
import darkroom.edittasks.datasets.DatasetFaultException;
import darkroom.edittasks.datasets.DatasetFiles;
import darkroom.edittasks.datasets.DatasetImages;
import darkroom.edittasks.datasets.DatasetLine;
import darkroom.edittasks.datasets.DatasetReader;
import darkroom.edittasks.datasets.DatasetRow;
import darkroom.edittasks.pictures.FileFault;
import darkroom.edittasks.pictures.RgbImage;
import darkroom.edittasks.tasks.Split;
import darkroom.runtime.base.CommandFailedException;
import darkroom.runtime.base.ExitCode;
import darkroom.runtime.base.InputLine;
import darkroom.runtime.base.Row;
import darkroom.runtime.base.Rows;
import darkroom.runtime.report.InstructionLoss;
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
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * Rows of one split of a dataset directory, in the order of its file. Opening reads all lines and decodes all pictures
 * once; later, a row's line and pictures are read on each access and must be unchanged. Thread-safe.
 */
public final class JsonlRows implements Rows {
    /** Limit on the malformed lines of one split that are shown one by one; the rest are counted. */
    static final int SHOWN_MAX = 100;

    private static final long REPORT_EVERY_NANOS = TimeUnit.SECONDS.toNanos(5);
    /** Task type of rows that do not name one. */
    public static final String UNKNOWN = "unknown";

    private static final int DIGITS = 64;

    private final DatasetDirectory directory;
    private final Split split;
    private final int resolution;
    private final List<Entry> entries;
    private final InstructionLoss loss;

    /**
     * Position and content digests of a row.
     *
     * @param weight weight of the row, including the lines that repeat it
     * @param digests digests of what the row gives to a run except its weight, of its texts, and of each picture's
     *     file: {@link #DIGITS} digits each
     */
    private record Entry(long line, long offset, int bytes, double weight, String digests) {
        String whole() {
            return digests.substring(0, DIGITS);
        }

        String text() {
            return digests.substring(DIGITS, 2 * DIGITS);
        }

        /** Returns a digest of this row, including its weight if that is not 1. */
        String weighted(String digest) {
            return weight == 1 ? digest : JsonlRows.digest(List.of(digest, Double.toString(weight)));
        }

        Entry heavier(double more) {
            return new Entry(line, offset, bytes, weight + more, digests);
        }

        String file(int number) {
            return digests.substring((2 + number) * DIGITS, (3 + number) * DIGITS);
        }

        int files() {
            return digests.length() / DIGITS - 2;
        }
    }

    private JsonlRows(
            DatasetDirectory directory, Split split, int resolution, List<Entry> entries, InstructionLoss loss) {
        this.loss = loss;
        this.directory = directory;
        this.split = split;
        this.resolution = resolution;
        this.entries = entries;
    }

    /**
     * Reads a split. Malformed lines are reported to {@code warnings} and then left out or fatal, as
     * {@code data.on-malformed} says. A split other than {@link Split#TRAIN} whose file does not exist has no rows.
     *
     * @param resolution side of the pictures in pixels; see {@link DatasetImages#square}
     * @throws CommandFailedException with {@link ExitCode#USAGE} if the directory, the file of {@link Split#TRAIN} or
     *     every row is missing, or at the first malformed line if {@code data.on-malformed = stop}
     */
    static JsonlRows open(Path directory, Split split, DataSettings settings, int resolution, PrintWriter warnings) {
        DatasetDirectory dataset = dataset(directory, settings.pictures());
        Path file = dataset.metadata(split);
        if (!dataset.has(split)) {
            if (split == Split.TRAIN) {
                throw refused("data.source=%s has no %s; add it, or set data.source=embedded"
                        .formatted(directory, split.metadataFile()));
            }
            return new JsonlRows(dataset, split, resolution, List.of(), new InstructionLoss());
        }
        List<Entry> entries = new ArrayList<>();
        InstructionLoss loss = new InstructionLoss();
        long malformed = 0;
        long repeated = 0;
        long told = System.nanoTime();
        try (DatasetReader reader = dataset.reader(split)) {
            for (DatasetLine line = reader.next(); line != null; line = reader.next()) {
                switch (line) {
                    case DatasetLine.Usable usable -> {
                        loss.add(usable.row().prompt());
                        entries.add(new Entry(
                                usable.line(),
                                usable.offset(),
                                usable.bytes(),
                                usable.row().weight(),
                                digests(
                                        row(split, usable.row(), usable.images().square(resolution)),
                                        usable.files().sha256())));
                    }
                    case DatasetLine.Repeated again -> {
                        repeat(entries, again);
                        repeated++;
                    }
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
        } catch (IOException | UncheckedIOException e) {
            throw new CommandFailedException("%s cannot be read: %s".formatted(file, FileFault.reason(e, file)), e);
        }
        if (repeated > 0) {
            warnings.println(
                    "%s: %d lines repeat a row word for word; each row counts once, with the weights of its lines"
                                    .formatted(file, repeated)
                            + " added up");
            warnings.flush();
        }
        if (malformed > 0) {
            warnings.println("%s: %d of %d rows are malformed and left out"
                    .formatted(file, malformed, malformed + entries.size()));
            warnings.flush();
        }
        if (entries.isEmpty() && split == Split.TRAIN) {
            throw refused("%s has no usable row; add rows, or set data.source=embedded".formatted(file));
        }
        return new JsonlRows(dataset, split, resolution, List.copyOf(entries), loss);
    }

    /** Adds the weight of a line to that of the row it repeats. */
    private static void repeat(List<Entry> entries, DatasetLine.Repeated again) {
        int low = 0;
        int high = entries.size() - 1;
        while (low < high) {
            int middle = (low + high) >>> 1;
            if (entries.get(middle).line() < again.first()) {
                low = middle + 1;
            } else {
                high = middle;
            }
        }
        entries.set(low, entries.get(low).heavier(again.row().weight()));
    }

    private static DatasetDirectory dataset(Path directory, PictureView view) {
        try {
            return new DatasetDirectory(directory, view);
        } catch (IOException e) {
            throw refused(
                    "data.source=%s is no directory that can be read: %s; give a directory in the Edit-R1 layout, or embedded"
                            .formatted(directory, FileFault.reason(e, directory)));
        }
    }

    private static CommandFailedException refused(String message) {
        return new CommandFailedException(message, ExitCode.USAGE);
    }

    @Override
    public List<String> remarks() {
        return loss.lines().stream()
                .map(line -> directory.metadata(split) + ": " + line)
                .toList();
    }

    @Override
    public int size() {
        return entries.size();
    }

    @Override
    public double weight(int index) {
        return entries.get(index).weight();
    }

    /**
     * Reads a row.
     *
     * @throws UncheckedIOException if the row's line or one of its pictures has changed since the split was opened
     */
    @Override
    public Row row(int index) {
        Entry entry = entries.get(index);
        try {
            DatasetRow read = read(entry);
            DatasetFiles files = directory.read(read);
            Row row = row(split, read, files.images().square(resolution));
            String digests = digests(row, files.sha256());
            if (!entry.whole().equals(digests.substring(0, DIGITS))) {
                throw changed(entry, difference(entry, digests, files.sha256()), null);
            }
            return row;
        } catch (IOException | DatasetFaultException e) {
            throw changed(entry, FileFault.reason(e), e);
        }
    }

    private DatasetRow read(Entry entry) throws IOException, DatasetFaultException {
        try (FileChannel channel = FileChannel.open(directory.metadata(split), StandardOpenOption.READ)) {
            ByteBuffer bytes = ByteBuffer.allocate(entry.bytes());
            while (bytes.hasRemaining() && channel.read(bytes, entry.offset() + bytes.position()) >= 0) {}
            return DatasetRow.parse(new String(bytes.array(), StandardCharsets.UTF_8));
        }
    }

    private static String difference(Entry entry, String digests, Map<String, String> sha256) {
        if (!entry.text().equals(digests.substring(DIGITS, 2 * DIGITS))) {
            return "its text is another one";
        }
        int number = 0;
        for (var file : sha256.entrySet()) {
            if (number < entry.files() && !file.getValue().equals(entry.file(number))) {
                return "%s has SHA-256 %s and had %s".formatted(file.getKey(), file.getValue(), entry.file(number));
            }
            number++;
        }
        return "its pictures are others";
    }

    private UncheckedIOException changed(Entry entry, String detail, @Nullable Exception cause) {
        return new UncheckedIOException(new IOException(
                "%s:%d: the row is not what it was when the run began: %s; restore the dataset and resume the run"
                        .formatted(directory.metadata(split), entry.line(), detail),
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

    @Override
    public String digest() {
        MessageDigest digest = sha256();
        entries.forEach(entry -> digest.update(entry.weighted(entry.whole()).getBytes(StandardCharsets.US_ASCII)));
        return HexFormat.of().formatHex(digest.digest());
    }

    /**
     * Passes on a line for each row.
     *
     * @throws UncheckedIOException if a row's line has changed since the split was opened
     */
    @Override
    public void inputs(String input, Consumer<InputLine> each) {
        for (Entry entry : entries) {
            try {
                DatasetRow row = read(entry);
                Map<String, String> files = new LinkedHashMap<>();
                for (String path : paths(row)) {
                    files.put(path, entry.file(files.size()));
                }
                each.accept(new InputLine(
                        input,
                        split.metadataFile(),
                        entry.line(),
                        split.label() + "-" + row.identity(),
                        entry.weighted(entry.whole()),
                        entry.weighted(entry.text()),
                        files));
            } catch (IOException | DatasetFaultException e) {
                throw changed(entry, FileFault.reason(e), e);
            }
        }
    }

    /** Returns each path once, in reading order. */
    private static Set<String> paths(DatasetRow row) {
        Set<String> paths = new LinkedHashSet<>();
        Stream.of(row.image(), row.target(), row.reference())
                .filter(Objects::nonNull)
                .forEach(paths::add);
        return paths;
    }

    private static String digests(Row row, Map<String, String> files) {
        List<String> texts = List.of(row.id(), row.taskType(), row.instruction(), row.requirement());
        List<String> whole = new ArrayList<>(texts);
        whole.addAll(List.of(row.source().sha256(), sha256(row.reference()), sha256(row.target())));
        return digest(whole) + digest(texts) + String.join("", files.values());
    }

    private static String digest(List<String> parts) {
        MessageDigest digest = sha256();
        for (String part : parts) {
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
