package darkroom.runtime;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.PrintWriter;
import java.io.StringWriter;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

/** Whoever has the terminal prints for everyone: nothing is written into the middle of a live view. */
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
}
