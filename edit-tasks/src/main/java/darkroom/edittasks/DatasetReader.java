package darkroom.edittasks;

import java.io.BufferedInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * Reads a metadata file from its beginning, one line and its pictures at a time. A line that cannot be used is a value like any
 * other; none is left out. Blank lines hold no row and are counted. Memory grows with the number of rows by their ids
 * only.
 */
public final class DatasetReader implements AutoCloseable {
    /** Longest line without its end, in bytes. */
    public static final int LINE_BYTES_MAX = 1 << 20;

    /** Most rows of one file. */
    public static final int ROWS_MAX = 1_000_000;

    private static final char BYTE_ORDER_MARK = '\uFEFF';

    private final DatasetDirectory directory;
    private final Path file;
    private final InputStream in;
    private final int rowsMax;
    private final Map<String, Long> lineOfId = new HashMap<>();
    private long line;
    private long offset;
    private long blank;
    private boolean ended;

    DatasetReader(DatasetDirectory directory, Path file) throws IOException {
        this(directory, file, ROWS_MAX);
    }

    DatasetReader(DatasetDirectory directory, Path file, int rowsMax) throws IOException {
        this.directory = directory;
        this.file = file;
        this.rowsMax = rowsMax;
        this.in = new BufferedInputStream(Files.newInputStream(file), 1 << 16);
    }

    /** Lines read so far that hold nothing but white space. */
    public long blankLines() {
        return blank;
    }

    /** The next line, or null after the last. @throws IOException if the file cannot be read on */
    public @Nullable DatasetLine next() throws IOException {
        while (!ended) {
            long start = offset;
            ByteArrayOutputStream bytes = nextLine();
            if (bytes == null) {
                break;
            }
            line++;
            try {
                String text = text(bytes);
                if (text.isBlank()) {
                    blank++;
                    continue;
                }
                return usable(text, start, bytes.size());
            } catch (DatasetFaultException e) {
                return new DatasetLine.Malformed(file, line, e.fault(), e.reason());
            }
        }
        ended = true;
        return null;
    }

    private DatasetLine usable(String text, long start, int bytes) throws DatasetFaultException {
        if (lineOfId.size() == rowsMax) {
            ended = true;
            throw new DatasetFaultException(
                    DatasetFault.TOO_MANY_ROWS, "the file has more than " + rowsMax + " rows; reading ends here");
        }
        DatasetRow row = DatasetRow.parse(text);
        String id = row.identity();
        Long before = lineOfId.putIfAbsent(id, line);
        if (before != null) {
            throw new DatasetFaultException(
                    DatasetFault.DUPLICATE_ID,
                    row.id() == null
                            ? "line " + before + " holds the same row"
                            : "id=" + id + " is the id of line " + before);
        }
        return new DatasetLine.Usable(file, line, start, bytes, id, row, directory.images(row));
    }

    /** The text of a line. @throws DatasetFaultException if it is too long or not plain UTF-8 */
    static String text(ByteArrayOutputStream bytes) throws DatasetFaultException {
        if (bytes.size() > LINE_BYTES_MAX) {
            throw new DatasetFaultException(
                    DatasetFault.LINE_TOO_LONG, "the line is longer than the limit of " + LINE_BYTES_MAX + " bytes");
        }
        String text;
        try {
            text = StandardCharsets.UTF_8
                    .newDecoder()
                    .decode(ByteBuffer.wrap(bytes.toByteArray()))
                    .toString();
        } catch (CharacterCodingException e) {
            throw new DatasetFaultException(DatasetFault.NOT_UTF8, "the line is not UTF-8", e);
        }
        if (!text.isEmpty() && text.charAt(0) == BYTE_ORDER_MARK) {
            throw new DatasetFaultException(DatasetFault.BYTE_ORDER_MARK, "the line begins with a byte order mark");
        }
        return text;
    }

    /** The next line, cut after one byte too many; null at the end of the file. */
    private @Nullable ByteArrayOutputStream nextLine() throws IOException {
        int c = in.read();
        if (c < 0) {
            return null;
        }
        ByteArrayOutputStream bytes = new ByteArrayOutputStream(512);
        for (; c >= 0; c = in.read()) {
            offset++;
            if (c == '\n') {
                break;
            }
            if (bytes.size() <= LINE_BYTES_MAX) {
                bytes.write(c);
            }
        }
        return bytes;
    }

    @Override
    public void close() throws IOException {
        in.close();
    }
}
