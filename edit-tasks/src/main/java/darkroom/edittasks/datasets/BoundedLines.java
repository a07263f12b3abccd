package darkroom.edittasks.datasets;

import java.io.BufferedInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;

/** Lines of UTF-8, each bounded, with their places in the file. Used by one thread. */
final class BoundedLines implements AutoCloseable {
    private static final char BYTE_ORDER_MARK = '\uFEFF';

    private final InputStream in;
    private final int bytesMax;
    private final ByteArrayOutputStream bytes = new ByteArrayOutputStream(512);
    private long line;
    private long offset;
    private long next;

    BoundedLines(Path file, int bytesMax) throws IOException {
        this.in = new BufferedInputStream(Files.newInputStream(file), 1 << 16);
        this.bytesMax = bytesMax;
    }

    /** Moves to the next line; false after the last. */
    boolean advance() throws IOException {
        int c = in.read();
        if (c < 0) {
            return false;
        }
        line++;
        offset = next;
        bytes.reset();
        for (; c >= 0; c = in.read()) {
            next++;
            if (c == '\n') {
                break;
            }
            if (bytes.size() <= bytesMax) {
                bytes.write(c);
            }
        }
        return true;
    }

    /** Returns the number of the line, from 1. */
    long line() {
        return line;
    }

    /** Returns the offset of the line, in bytes. */
    long offset() {
        return offset;
    }

    /** Returns the length of a line that is not too long, without its end, in bytes. */
    int length() {
        return bytes.size();
    }

    /** Returns the text of the line. @throws DatasetFaultException if the line is too long or not plain UTF-8 */
    String text() throws DatasetFaultException {
        if (bytes.size() > bytesMax) {
            throw new DatasetFaultException(
                    DatasetFault.LINE_TOO_LONG, "the line is longer than the limit of " + bytesMax + " bytes");
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

    @Override
    public void close() throws IOException {
        in.close();
    }
}
