package darkroom.runtime.report;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import darkroom.runtime.base.ManualClock;
import darkroom.runtime.base.ProgressRate;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.IntRange;
import net.jqwik.api.constraints.LongRange;
import net.jqwik.api.constraints.Size;
import org.junit.jupiter.api.Test;

final class RunProgressTest {
    private final ManualClock clock = ManualClock.at("2026-11-24T12:00:00Z");

    @Property
    void at_a_constant_pace_time_so_far_and_time_left_add_up_to_the_whole(
            @ForAll @LongRange(min = 1, max = 100_000) long millisPerStep,
            @ForAll @IntRange(min = 1, max = 50) int done,
            @ForAll @IntRange(min = 0, max = 50) int left,
            @ForAll @IntRange(min = 1, max = 20) int remembered,
            @ForAll @IntRange(min = 0, max = 100) int percentOfNextStep) {
        Duration step = Duration.ofMillis(millisPerStep);
        ProgressRate rate = new ProgressRate(Instant.EPOCH, remembered);
        for (int i = 1; i <= done; i++) {
            rate.mark(Instant.EPOCH.plus(step.multipliedBy(i)));
        }
        Duration intoNext =
                left == 0 ? Duration.ZERO : step.multipliedBy(percentOfNextStep).dividedBy(100);
        Duration soFar = step.multipliedBy(done).plus(intoNext);
        assertThat(soFar.plus(rate.remaining(left, Instant.EPOCH.plus(soFar)).orElseThrow()))
                .isEqualTo(step.multipliedBy(done + (long) left));
    }

    @Property
    void time_left_is_never_negative_and_never_grows_between_two_marks(
            @ForAll @Size(min = 1, max = 20) List<@IntRange(min = 0, max = 5000) Integer> gaps,
            @ForAll @IntRange(min = 0, max = 50) int left,
            @ForAll @IntRange(min = 0, max = 100_000) int early,
            @ForAll @IntRange(min = 0, max = 100_000) int later) {
        ProgressRate rate = new ProgressRate(Instant.EPOCH, 8);
        Instant now = Instant.EPOCH;
        for (int gap : gaps) {
            now = now.plusMillis(gap);
            rate.mark(now);
        }
        Duration first = rate.remaining(left, now.plusMillis(early)).orElseThrow();
        Duration second =
                rate.remaining(left, now.plusMillis(early).plusMillis(later)).orElseThrow();
        assertThat(second).isBetween(Duration.ZERO, first);
    }

    @Test
    void the_time_left_follows_the_latest_steps_only() {
        RunProgress progress = new RunProgress(clock);
        progress.training(0, 40, 4);
        commits(progress, 0, 10, 60);
        commits(progress, 10, 30, 1);
        assertThat(progress.remaining()).contains(Duration.ofSeconds(10));
    }

    @Test
    void nothing_is_known_of_the_time_left_before_the_first_step() {
        RunProgress progress = new RunProgress(clock);
        progress.training(0, 40, 4);
        clock.passSeconds(5);
        assertThat(progress.remaining()).isEmpty();
        assertThat(progress.trend()).isEmpty();
        assertThat(progress.imagesPerSecond()).isEmpty();
    }

    @Test
    void a_resumed_run_counts_the_steps_that_are_left() {
        RunProgress progress = new RunProgress(clock);
        progress.training(30, 40, 4);
        commits(progress, 30, 32, 3);
        assertThat(progress.remaining()).contains(Duration.ofSeconds(24));
        assertThat(progress.activity().getFirst()).isEqualTo("step 33 of 40");
        assertThat(progress.fraction()).hasValue(.8);
    }

    @Test
    void images_a_second_are_those_of_late_and_a_pause_shows() {
        RunProgress progress = new RunProgress(clock);
        progress.stage("evaluating", 100);
        for (int group = 0; group < 60; group++) {
            clock.passSeconds(1);
            progress.heard(ScriptedEvents.evaluationGroup("held-out", group));
        }
        assertThat(progress.imagesPerSecond().orElseThrow()).isCloseTo(12, within(1e-9));
        clock.passSeconds(10);
        assertThat(progress.imagesPerSecond().orElseThrow()).isCloseTo(6, within(1e-9));
        clock.passSeconds(10);
        assertThat(progress.imagesPerSecond()).isEmpty();
    }

    @Test
    void a_trend_is_a_change_that_passes_the_noise() {
        assertThat(trend(.40, .41, .42, .43)).isEqualTo(RunProgress.Trend.RISING);
        assertThat(trend(.43, .42, .41, .40)).isEqualTo(RunProgress.Trend.FALLING);
        assertThat(trend(.40, .41, .40, .41)).isEqualTo(RunProgress.Trend.LEVEL);
        assertThat(trend(.1, .2, .3, .40, .41, .40, .41, .40, .41, .40, .41)).isEqualTo(RunProgress.Trend.LEVEL);
    }

    private RunProgress.Trend trend(double... means) {
        RunProgress progress = new RunProgress(clock);
        progress.training(0, means.length, 4);
        for (int step = 0; step < means.length; step++) {
            progress.heard(ScriptedEvents.committed(step, means[step], 3));
        }
        return progress.trend().orElseThrow();
    }

    private void commits(RunProgress progress, int from, int to, int seconds) {
        for (int step = from; step < to; step++) {
            clock.passSeconds(seconds);
            progress.heard(ScriptedEvents.committed(step, .4, 3));
        }
    }
}
