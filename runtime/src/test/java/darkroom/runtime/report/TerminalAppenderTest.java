package darkroom.runtime.report;

import static org.assertj.core.api.Assertions.assertThat;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.LoggerContext;
import ch.qos.logback.classic.spi.LoggingEvent;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.slf4j.LoggerFactory;

/** All output goes through the holder of the terminal: nothing is written into the middle of a live view. */
class TerminalAppenderTest {
    @Test
    void what_people_are_told_goes_through_the_view_while_it_has_the_terminal() {
        TerminalAppender appender = new TerminalAppender();
        List<String> view = new ArrayList<>();
        StringWriter out = new StringWriter();
        appender.printThrough(view::add);
        appender.say("first", new PrintWriter(out));
        appender.printToStandardError();
        appender.say("second", new PrintWriter(out));
        assertThat(view).containsExactly("first");
        assertThat(out.toString().lines()).containsExactly("second");
    }

    private static LoggingEvent event(String logger, Level level, String message) {
        return new LoggingEvent(
                "", ((LoggerContext) LoggerFactory.getILoggerFactory()).getLogger(logger), level, message, null, null);
    }

    @Test
    void what_a_library_says_of_connections_is_for_the_log_and_its_errors_and_ours_are_for_people() {
        TerminalAppender appender = new TerminalAppender();
        List<String> view = new ArrayList<>();
        appender.printThrough(view::add);
        appender.append(event("org.apache.pekko.cluster.Cluster", Level.WARN, "Couldn't join seed nodes"));
        appender.append(event("org.apache.pekko.remote.artery.Decoder", Level.WARN, "Dropping message"));
        appender.append(event("org.apache.pekko.remote.artery.Decoder", Level.ERROR, "no port"));
        appender.append(event("darkroom.runtime.cluster.WorkerNode", Level.WARN, "ours"));
        assertThat(view).containsExactly("error: no port", "warn: ours");
        appender.setStackTraces(true);
        appender.append(event("org.apache.pekko.cluster.Cluster", Level.WARN, "Couldn't join seed nodes"));
        assertThat(view).as("--debug").hasSize(3);
    }
}
