package darkroom.runtime.report;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.Logger;
import ch.qos.logback.classic.LoggerContext;
import ch.qos.logback.classic.encoder.PatternLayoutEncoder;
import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.core.FileAppender;
import java.nio.file.Path;
import org.slf4j.LoggerFactory;

/** Destinations of log lines: warnings and errors go to the terminal, everything goes to a run's {@code run.log}. */
public final class Logging {
    private static final String TO_TERMINAL = "terminal";

    private Logging() {}

    /** Closes an appender. */
    @FunctionalInterface
    public interface Handle extends AutoCloseable {
        @Override
        void close();
    }

    /**
     * Configures logging.
     *
     * @param debug log Darkroom's packages at level DEBUG, and print stack traces to the terminal too
     */
    public static void start(boolean debug) {
        if (debug) {
            context().getLogger("darkroom").setLevel(Level.DEBUG);
            terminal().setStackTraces(true);
        }
    }

    /** Appends the log of this process to {@code file} until the returned handle is closed. */
    public static Handle alsoTo(Path file) {
        LoggerContext context = context();
        PatternLayoutEncoder encoder = new PatternLayoutEncoder();
        encoder.setContext(context);
        encoder.setPattern("%d{yyyy-MM-dd'T'HH:mm:ss.SSSZZZZZ} %-5level [%thread] %logger{20} %msg%n");
        encoder.start();
        FileAppender<ILoggingEvent> appender = new FileAppender<>();
        appender.setContext(context);
        appender.setName(file.toString());
        appender.setFile(file.toString());
        appender.setEncoder(encoder);
        appender.start();
        root().addAppender(appender);
        return () -> {
            root().detachAppender(appender);
            appender.stop();
        };
    }

    /** Returns the appender that writes warnings to the terminal, so that a live view can make room for a line. */
    public static TerminalAppender terminal() {
        if (root().getAppender(TO_TERMINAL) instanceof TerminalAppender terminal) {
            return terminal;
        }
        throw new IllegalStateException("logback.xml names no appender '" + TO_TERMINAL + "'");
    }

    private static Logger root() {
        return context().getLogger(Logger.ROOT_LOGGER_NAME);
    }

    private static LoggerContext context() {
        return (LoggerContext) LoggerFactory.getILoggerFactory();
    }
}
