package darkroom.runtime;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import picocli.CommandLine;

/** The help of every command, as the user sees it. */
class HelpTest {
    /** F19. */
    @Test
    void the_help_of_no_command_makes_the_library_warn_or_shows_a_format() {
        List<String> shown = new ArrayList<>();
        ByteArrayOutputStream warnings = new ByteArrayOutputStream();
        PrintStream before = System.err;
        System.setErr(new PrintStream(warnings, true, StandardCharsets.UTF_8));
        try {
            show(Darkroom.commandLine(), shown);
        } finally {
            System.setErr(before);
        }
        assertThat(shown).hasSizeGreaterThan(20);
        assertThat(warnings.toString(StandardCharsets.UTF_8)).isEmpty();
        assertThat(shown).allSatisfy(text -> assertThat(text).doesNotContain("%%", "%n", "%s", "%d"));
    }

    private static void show(CommandLine command, List<String> shown) {
        shown.add(command.getUsageMessage(CommandLine.Help.Ansi.OFF));
        command.getSubcommands().values().forEach(sub -> show(sub, shown));
    }
}
