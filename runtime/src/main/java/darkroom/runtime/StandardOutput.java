package darkroom.runtime;

import darkroom.config.ErrorReason;
import java.io.BufferedOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.io.PrintStream;
import java.io.PrintWriter;
import org.jspecify.annotations.Nullable;

/** Standard output of a command. The printers above it pass over errors; this remembers the first, which decides how the command ends. */
final class StandardOutput extends OutputStream {
    /** What the system says of a reader that has gone, as {@code head} does. */
    private static final String BROKEN_PIPE = "Broken pipe";

    private final OutputStream out;
    private @Nullable IOException failure;

    StandardOutput(OutputStream out) {
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
     * The exit code of a command that has ended with {@code code}: {@link ExitCode#FAILED} if something it printed is lost. A
     * reader that has gone wants no more, and loses nothing.
     *
     * @param printed what commands print to, which is flushed
     * @param err gets the reason
     */
    int ended(int code, PrintStream printed, PrintWriter err) {
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
