package darkroom.runtime;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.classic.spi.ThrowableProxyUtil;
import ch.qos.logback.core.AppenderBase;
import java.io.PrintWriter;
import java.util.List;
import java.util.function.Consumer;

/** Writes one line a warning to standard error, or through whoever has the terminal at the moment. */
public final class TerminalAppender extends AppenderBase<ILoggingEvent> {
    private static final Consumer<String> STANDARD_ERROR = System.err::println;

    /**
     * Warnings of these are about connections and membership, and say nothing to people that {@link Membership} and {@link SeedProbe} do
     * not say better. The log of a run has them, and so has the terminal with {@code --debug}.
     */
    private static final List<String> FOR_THE_LOG = List.of("org.apache.pekko.cluster", "org.apache.pekko.remote");

    private volatile Consumer<String> printer = STANDARD_ERROR;
    private volatile boolean stackTraces;

    /** From now on lines go to {@code printer}, which must not log. */
    void printThrough(Consumer<String> printer) {
        this.printer = printer;
    }

    void printToStandardError() {
        this.printer = STANDARD_ERROR;
    }

    /** A line that is no message of the log: above the live view if one is open on the terminal, else on {@code out}. */
    void say(String line, PrintWriter out) {
        if (printer.equals(STANDARD_ERROR)) {
            out.println(line);
            out.flush();
        } else {
            printer.accept(line);
        }
    }

    /** A line that is no message of the log: above the live view if one is open, else to standard error. */
    void say(String line) {
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
                            : " (" + event.getThrowableProxy().getMessage() + ")");
        }
        printer.accept(line.toString());
    }
}
