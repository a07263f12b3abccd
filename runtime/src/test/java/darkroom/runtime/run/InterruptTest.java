package darkroom.runtime.run;

import static org.assertj.core.api.Assertions.assertThat;

import darkroom.runtime.report.Logging;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Supplier;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** U5, G6: what a user reads after Ctrl-C. */
final class InterruptTest {
    private static final Duration LONG = Duration.ofMinutes(10);
    private static final String OTHERWISE = "The last checkpoint stands. Resume with: darkroom train --resume run";

    @TempDir
    Path directory = Path.of("unset");

    private final List<String> told = new ArrayList<>();

    private Interrupt interrupt(Duration grace) {
        return new Interrupt(grace, () -> told.add(LocalRun.howToContinue(directory)), told::add);
    }

    @Test
    void a_run_that_is_interrupted_before_anything_is_written_starts_again_by_the_same_command() {
        try (Interrupt interrupt = interrupt(LONG)) {
            interrupt.hold();
            assertThat(interrupt.isRaised()).isTrue();
        }
        assertThat(told)
                .containsExactly("Interrupted while preparing; nothing is written. The same command starts the run.");
    }

    @Test
    void a_run_that_is_interrupted_while_preparing_is_resumed_once_its_settings_are_written() throws IOException {
        Files.createFile(directory.resolve(LocalRun.SETTINGS));
        try (Interrupt interrupt = interrupt(LONG)) {
            interrupt.hold();
        }
        assertThat(told)
                .containsExactly("Interrupted while preparing. Resume with: darkroom train --resume " + directory);
    }

    @Test
    void an_interrupt_during_a_step_requests_the_end_and_names_what_it_waits_for_and_until_when() {
        List<String> requested = new ArrayList<>();
        Supplier<String> what = () -> "step 3 of 9 to be committed";
        try (Interrupt interrupt = interrupt(LONG)) {
            Runnable committed = interrupt::close;
            interrupt.finishing(
                    () -> {
                        requested.add("end");
                        committed.run();
                    },
                    what,
                    OTHERWISE);
            assertThat(logged(interrupt::hold)).doesNotContain("has not ended");
        }
        assertThat(requested).containsExactly("end");
        assertThat(told)
                .singleElement()
                .asString()
                .matches("asked to end: waits for step 3 of 9 to be committed, until \\S+Z at the latest"
                        + " \\(limits.shutdown-grace=600s\\)");
    }

    /** The terminal has the warning too, by the appender of warnings. */
    @Test
    void a_step_that_does_not_end_within_the_grace_period_is_named_with_the_setting_and_the_command_that_resumes() {
        try (Interrupt interrupt = interrupt(Duration.ofMillis(20))) {
            interrupt.finishing(() -> {}, () -> "step 3 of 9 to be committed", OTHERWISE);
            assertThat(logged(interrupt::hold))
                    .contains("WARN")
                    .contains("step 3 of 9 to be committed has not ended within limits.shutdown-grace=20ms. "
                            + OTHERWISE);
        }
    }

    @Test
    void work_without_a_description_is_requested_to_end_without_a_line_and_named_only_if_it_is_late() {
        try (Interrupt interrupt = interrupt(Duration.ofMillis(20))) {
            interrupt.finishing(() -> {});
            assertThat(logged(interrupt::hold)).contains("the work has not ended within limits.shutdown-grace=20ms.");
        }
        assertThat(told).isEmpty();
    }

    /** A second Ctrl-C, or SIGTERM after it. */
    @Test
    void a_second_interrupt_requests_nothing_more_and_repeats_no_line() {
        List<String> requested = new ArrayList<>();
        try (Interrupt interrupt = interrupt(Duration.ofMillis(20))) {
            interrupt.finishing(() -> requested.add("end"), () -> "step 3 of 9 to be committed", OTHERWISE);
            interrupt.hold();
            interrupt.hold();
        }
        assertThat(requested).containsExactly("end");
        assertThat(told).hasSize(1);
    }

    private String logged(Runnable work) {
        Path file = directory.resolve("log");
        try (Logging.Handle _ = Logging.alsoTo(file)) {
            work.run();
        }
        try {
            return Files.readString(file);
        } catch (IOException e) {
            throw new AssertionError(e);
        }
    }
}
