package darkroom.runtime.base;

import darkroom.config.ErrorReason;
import java.io.BufferedOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.io.PrintStream;
import java.io.PrintWriter;
import org.jspecify.annotations.Nullable;

/**
 * Standard output of a command. The printers above it ignore errors; this class keeps the first one, which decides how
 * the command ends.
 */
public final class StandardOutput extends OutputStream {
    /** System message for a reader that has closed the pipe, as {@code head} does. */
    private static final String BROKEN_PIPE = "Broken pipe";

    private final OutputStream out;
    private @Nullable IOException failure;

    public StandardOutput(OutputStream out) {
        this.out = new BufferedOutputStream(out, 1 << 13);
    }

    @FunctionalInterface
    private interface Writing {
        void run() throws IOException;
    }

    private synchronized void attempt(Writing writing) throws IOException {
        if (failure != null) {
            throw failure;
        }
        try {
            writing.run();
        } catch (IOException e) {
            failure = e;
            throw e;
        }
    }

    @Override
    public void write(int one) throws IOException {
        attempt(() -> out.write(one));
    }

    @Override
    public void write(byte[] bytes, int offset, int length) throws IOException {
        attempt(() -> out.write(bytes, offset, length));
    }

    @Override
    public void flush() throws IOException {
        attempt(out::flush);
    }

    /**
     * Returns the exit code of a command that has ended with {@code code}: {@link ExitCode#FAILED} if some of its
     * output is lost. A reader that has closed the pipe wants no more, and loses nothing.
     *
     * @param printed the stream that commands print to, which is flushed
     * @param err receives the reason
     */
    public int ended(int code, PrintStream printed, PrintWriter err) {
        printed.flush();
        IOException lost;
        synchronized (this) {
            lost = failure;
        }
        if (lost == null || String.valueOf(lost.getMessage()).contains(BROKEN_PIPE)) {
            return code;
        }
        err.println("darkroom: standard output could not be written: " + ErrorReason.of(lost));
        err.flush();
        return code == ExitCode.OK.code() || code == ExitCode.UNSCORED.code() ? ExitCode.FAILED.code() : code;
    }
}
