package darkroom.edittasks.datasets;

import java.io.IOException;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * Reads a metadata file from its beginning, one line and its pictures at a time. A line that cannot be used is also returned;
 * none is left out. A line that repeats a usable row word for word is {@link DatasetLine.Repeated}. Blank lines contain no
 * row and are counted. Memory grows with the number of rows only by their ids.
 */
public final class DatasetReader implements AutoCloseable {
    /** Longest line without its end, in bytes. */
    public static final int LINE_BYTES_MAX = 1 << 20;

    /** Maximum number of rows of one file. */
    public static final int ROWS_MAX = 1_000_000;

    private final DatasetDirectory directory;
    private final Path file;
    private final BoundedLines lines;
    private final int rowsMax;
    private final Map<String, Seen> seen = new HashMap<>();
    private int rows;
    private long blank;
    private boolean ended;

    /** A usable row: its line and the digest of its content. */
    private record Seen(long line, String content) {}

    DatasetReader(DatasetDirectory directory, Path file) throws IOException {
        this(directory, file, ROWS_MAX);
    }

    DatasetReader(DatasetDirectory directory, Path file, int rowsMax) throws IOException {
        this.directory = directory;
        this.file = file;
        this.rowsMax = rowsMax;
        this.lines = new BoundedLines(file, LINE_BYTES_MAX);
    }

    /** Returns the number of blank lines so far. */
    public long blankLines() {
        return blank;
    }

    /** Returns the next line, or null after the last. @throws IOException if the file cannot be read further */
    public @Nullable DatasetLine next() throws IOException {
        while (!ended && lines.advance()) {
            try {
                String text = lines.text();
                if (!text.isBlank()) {
                    return usable(text);
                }
                blank++;
            } catch (DatasetFaultException e) {
                return new DatasetLine.Malformed(file, lines.line(), e.fault(), e.reason());
            }
        }
        ended = true;
        return null;
    }

    private DatasetLine usable(String text) throws DatasetFaultException {
        if (rows++ == rowsMax) {
            ended = true;
            throw new DatasetFaultException(
                    DatasetFault.TOO_MANY_ROWS, "the file has more than " + rowsMax + " rows; reading ends here");
        }
        DatasetRow row = DatasetRow.parse(text);
        String id = row.identity();
        Seen before = seen.get(id);
        if (before != null && before.content().equals(row.contentDigest())) {
            return new DatasetLine.Repeated(file, lines.line(), before.line(), row);
        }
        if (before != null) {
            throw new DatasetFaultException(
                    DatasetFault.DUPLICATE_ID, "id=" + id + " is the id of line " + before.line() + ", another row");
        }
        DatasetFiles files = directory.read(row);
        seen.put(id, new Seen(lines.line(), row.contentDigest()));
        return new DatasetLine.Usable(file, lines.line(), lines.offset(), lines.length(), id, row, files);
    }

    @Override
    public void close() throws IOException {
        lines.close();
    }
}
