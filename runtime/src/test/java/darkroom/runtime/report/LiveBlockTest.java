package darkroom.runtime.report;

import static org.assertj.core.api.Assertions.assertThat;

import darkroom.runtime.base.Evaluations;
import darkroom.runtime.base.ManualClock;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.List;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.IntRange;
import org.jline.utils.AttributedString;
import org.junit.jupiter.api.Test;

final class LiveBlockTest {
    private final ManualClock clock = ManualClock.at("2026-11-24T12:00:00Z");
    private final LiveBlock block = new LiveBlock(LiveBlock.Signs.BLOCKS);

    @Test
    void a_stage_of_unknown_length_has_no_bar() {
        RunProgress progress = new RunProgress(clock);
        progress.stage("preparing", 0);
        clock.passSeconds(75);
        assertThat(lines(progress, 80)).containsExactly("preparing", "1m15s so far");
    }

    @Test
    void an_evaluation_counts_its_groups() {
        RunProgress progress = new RunProgress(clock);
        progress.stage("evaluating held-out tasks before", 96);
        for (int group = 0; group < 24; group++) {
            clock.pass(Duration.ofMillis(250));
            progress.heard(ScriptedEvents.evaluationGroup("held-out-before", group));
        }
        assertThat(lines(progress, 80))
                .containsExactly(
                        "evaluating held-out tasks before  24 of 96",
                        "█████████░░░░░░░░░░░░░░░░░░░░░░░░░░░░░   25 %  18s left  48 images/s  6s so far");
    }

    @Test
    void at_width_80_all_is_there() {
        assertThat(lines(longRun(), 80))
                .containsExactly(
                        "training  step 41 of 180  rollout and scoring, 1 of 4 groups",
                        "███████░░░░░░░░░░░░░░░░░░░░░░░░░░   22 %  4m40s left  22 images/s  1m20s so far",
                        "reward  0.595 ↑  ▁▁▁▂▂▂▂▂▂▃▃▃▃▃▄▄▄▄▄▄▅▅▅▅▅▅▆▆▆▆▆▇▇▇▇▇▇███",
                        "groups  120 kept  40 dropped  0 abandoned  40 images unscored",
                        "run-validation-40  reward 0.480  ground truth 0.412 (0.287 at first)");
    }

    @Test
    void at_width_40_whole_parts_are_left_out_from_the_right() {
        assertThat(lines(longRun(), 40))
                .containsExactly(
                        "training  step 41 of 180",
                        "██░░░░░░░░   22 %  4m40s left",
                        "reward  0.595 ↑  ▁▁▂▂▂▃▃▃▄▄▄▅▅▅▆▆▆▇▇▇██",
                        "groups  120 kept  40 dropped",
                        "run-validation-40  reward 0.480");
    }

    @Test
    void a_first_part_that_does_not_fit_is_cut() {
        RunProgress progress = new RunProgress(clock);
        progress.stage("evaluating held-out tasks before", 0);
        assertThat(lines(progress, 21).getFirst()).isEqualTo("evaluating held-out…");
    }

    @Test
    void held_out_rows_after_training_stand_beside_those_before_and_beside_no_validation() {
        RunProgress progress = longRun();
        progress.measured(Evaluations.HELD_OUT_AFTER, ScriptedEvents.measurement(.5, .4));
        assertThat(lines(progress, 80).getLast())
                .isEqualTo("held-out-after  reward 0.500  ground truth 0.400 (0.250 at first)");
    }

    @Test
    void while_a_validation_is_drawn_the_step_says_so() {
        RunProgress progress = longRun();
        progress.heard(ScriptedEvents.group(40, 1));
        progress.heard(ScriptedEvents.group(40, 2));
        progress.heard(ScriptedEvents.group(40, 3));
        progress.heard(ScriptedEvents.evaluationGroup("run-validation-40", 0));
        assertThat(lines(progress, 80).getFirst())
                .isEqualTo("training  step 41 of 180  updating weights  validating, 1 tasks done");
        progress.heard(ScriptedEvents.evaluated("run-validation-40", 40));
        assertThat(lines(progress, 80).getFirst()).isEqualTo("training  step 41 of 180  updating weights");
    }

    @Property(tries = 200)
    void no_line_is_ever_as_wide_as_the_terminal(@ForAll @IntRange(min = 2, max = 200) int columns) {
        List<AttributedString> lines = block.lines(longRun(), columns);
        assertThat(lines).hasSize(5).allSatisfy(line -> assertThat(line.columnLength())
                .isLessThan(columns));
    }

    @Test
    void wide_signs_count_twice() {
        RunProgress progress = new RunProgress(clock);
        progress.stage("画像を描く", 0);
        assertThat(block.lines(progress, 8).getFirst().columnLength()).isLessThan(8);
    }

    @Test
    void blocks_are_shown_where_the_encoding_has_them() {
        assertThat(LiveBlock.Signs.in(StandardCharsets.UTF_8)).isEqualTo(LiveBlock.Signs.BLOCKS);
        assertThat(LiveBlock.Signs.in(StandardCharsets.US_ASCII)).isEqualTo(LiveBlock.Signs.ASCII);
        assertThat(LiveBlock.Signs.in(StandardCharsets.ISO_8859_1)).isEqualTo(LiveBlock.Signs.ASCII);
    }

    @Test
    void durations_are_rounded_for_people() {
        assertThat(LiveBlock.text(Duration.ofMillis(499))).isEqualTo("0s");
        assertThat(LiveBlock.text(Duration.ofMillis(59_600))).isEqualTo("1m00s");
        assertThat(LiveBlock.text(Duration.ofMinutes(5).plusSeconds(7))).isEqualTo("5m07s");
        assertThat(LiveBlock.text(Duration.ofMinutes(125))).isEqualTo("2h05m");
    }

    private RunProgress longRun() {
        RunProgress progress = new RunProgress(clock);
        progress.measured(Evaluations.HELD_OUT_BEFORE, ScriptedEvents.measurement(.35, .25));
        progress.measured("run-validation-20", ScriptedEvents.measurement(.35, .287));
        progress.training(0, 180, 4);
        for (int step = 0; step < 40; step++) {
            for (int group = 0; group < 4; group++) {
                progress.heard(ScriptedEvents.group(step, group));
            }
            clock.passSeconds(2);
            progress.heard(ScriptedEvents.committed(step, .4 + .005 * step, 3));
        }
        progress.measured("run-validation-40", ScriptedEvents.measurement(.48, .412));
        progress.heard(ScriptedEvents.group(40, 0));
        return progress;
    }

    private List<String> lines(RunProgress progress, int columns) {
        return block.lines(progress, columns).stream()
                .map(AttributedString::toString)
                .toList();
    }
}
