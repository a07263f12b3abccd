package darkroom.runtime.report;

import static org.assertj.core.api.Assertions.assertThat;

import ch.qos.logback.classic.Logger;
import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.core.read.ListAppender;
import darkroom.actors.device.GroupOutcome;
import darkroom.actors.device.ScoreOutcome;
import darkroom.actors.events.RunEvent;
import darkroom.runtime.base.JsonLines;
import java.nio.file.Path;
import java.util.Collections;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.slf4j.LoggerFactory;

/** U3: the scorers of a run are recorded, and a change is reported. */
class ScorerRecordTest {
    private final Logger log = (Logger) LoggerFactory.getLogger(ScorerRecord.class);
    private final ListAppender<ILoggingEvent> told = new ListAppender<>();

    @TempDir
    Path run = Path.of("unset");

    @BeforeEach
    void listen() {
        told.start();
        log.addAppender(told);
    }

    @AfterEach
    void leave() {
        log.detachAppender(told);
    }

    @Test
    void a_resumed_run_that_another_model_or_version_scores_says_so() {
        try (ScorerRecord record = new ScorerRecord(run, 0)) {
            step(record, 0, "a:1 judge-7b [top-20, version 0.9, prompt 1]");
            step(record, 1, "b:2 judge-7b [top-20, version 0.9, prompt 1]");
            assertThat(told.list).as("the host does not matter").isEmpty();
        }
        try (ScorerRecord record = new ScorerRecord(run, 2)) {
            step(record, 2, "a:1 judge-7b [top-20, version 0.10, prompt 1]");
        }
        assertThat(told.list).singleElement().satisfies(event -> assertThat(event.getFormattedMessage())
                .contains(
                        "from step 2 on",
                        "judge-7b [top-20, version 0.10, prompt 1]",
                        "until then by judge-7b [top-20, version 0.9, prompt 1]"));
        assertThat(JsonLines.read(run.resolve("scorers.jsonl"), ScorerRecord.Line.class))
                .containsExactly(
                        new ScorerRecord.Line(0, "judge-7b [top-20, version 0.9, prompt 1]"),
                        new ScorerRecord.Line(2, "judge-7b [top-20, version 0.10, prompt 1]"));
    }

    /** RR-2. */
    @Test
    void what_a_crash_left_behind_is_cut_and_recorded_again() {
        try (ScorerRecord record = new ScorerRecord(run, 0)) {
            step(record, 0, "a:1 one");
            step(record, 1, "a:1 two");
        }
        told.list.clear();
        try (ScorerRecord record = new ScorerRecord(run, 1)) {
            step(record, 1, "a:1 one");
            assertThat(record.describe()).isEqualTo("one");
        }
        assertThat(told.list).isEmpty();
        assertThat(JsonLines.read(run.resolve("scorers.jsonl"), ScorerRecord.Line.class))
                .containsExactly(new ScorerRecord.Line(0, "one"));
    }

    @Test
    void of_several_rewards_neither_hosts_nor_scores_are_in_the_name() {
        assertThat(ScorerRecord.withoutHosts(
                        "scoring 0.75 (127.0.0.1:1 judge (7b) [top-20]) + edit-score 8.0E-4 (there:2 adapter)"))
                .isEqualTo("scoring (judge (7b) [top-20]) + edit-score (adapter)");
    }

    private static void step(ScorerRecord record, int step, String scorer) {
        GroupOutcome.Finished like =
                (GroupOutcome.Finished) ScriptedEvents.group(step, 0).ending();
        List<ScoreOutcome> scores =
                Collections.nCopies(ScriptedEvents.SLOTS, new ScoreOutcome.Scored(.5, 1, 1, scorer));
        RunEvent.StepCommitted committed = ScriptedEvents.step(step, ScriptedEvents.SLOTS, .1);
        record.heard(new RunEvent.GroupCompared(
                step,
                new GroupOutcome.Finished(like.rollout(), like.generated(), scores, like.generatedAt()),
                committed.statistics().groups().getFirst()));
        record.heard(committed);
    }
}
