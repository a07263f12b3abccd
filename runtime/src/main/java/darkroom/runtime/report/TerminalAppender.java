package darkroom.runtime.report;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.classic.spi.IThrowableProxy;
import ch.qos.logback.classic.spi.ThrowableProxyUtil;
import ch.qos.logback.core.AppenderBase;
import java.io.PrintWriter;
import java.util.List;
import java.util.function.Consumer;

/** Writes one line per warning to standard error, or through the live view that holds the terminal. */
public final class TerminalAppender extends AppenderBase<ILoggingEvent> {
    private static final Consumer<String> STANDARD_ERROR = System.err::println;

    /**
     * Loggers about connections and membership, which {@link Membership} and {@link SeedProbe} report more clearly. The
     * log of a run has their warnings, and so has the terminal with {@code --debug}.
     */
    private static final List<String> FOR_THE_LOG = List.of("org.apache.pekko.cluster", "org.apache.pekko.remote");

    private volatile Consumer<String> printer = STANDARD_ERROR;
    private volatile boolean stackTraces;

    /** Sends lines to {@code printer} from now on; it must not log. */
    void printThrough(Consumer<String> printer) {
        this.printer = printer;
    }

    void printToStandardError() {
        this.printer = STANDARD_ERROR;
    }

    /**
     * Prints a line that is not a log message: above the live view if one is open on the terminal, else on {@code out}.
     */
    public void say(String line, PrintWriter out) {
        if (printer.equals(STANDARD_ERROR)) {
            out.println(line);
            out.flush();
        } else {
            printer.accept(line);
        }
    }

    /** Prints a line that is not a log message: above the live view if one is open, else to standard error. */
    public void say(String line) {
        printer.accept(line);
    }

    void setStackTraces(boolean stackTraces) {
        this.stackTraces = stackTraces;
    }

    @Override
    protected void append(ILoggingEvent event) {
        if (!stackTraces
                && event.getLevel().equals(Level.WARN)
                && FOR_THE_LOG.stream().anyMatch(event.getLoggerName()::startsWith)) {
            return;
        }
        StringBuilder line = new StringBuilder()
                .append(event.getLevel().toString().toLowerCase(java.util.Locale.ROOT))
                .append(": ")
                .append(event.getFormattedMessage());
        if (event.getThrowableProxy() != null) {
            line.append(
                    stackTraces
                            ? System.lineSeparator() + ThrowableProxyUtil.asString(event.getThrowableProxy())
                            : " (" + reason(event.getThrowableProxy()) + ")");
        }
        printer.accept(line.toString());
    }

    /** Returns the message of an exception, or its class if it has none. */
    private static String reason(IThrowableProxy thrown) {
        return thrown.getMessage() == null ? thrown.getClassName() : thrown.getMessage();
    }
}
