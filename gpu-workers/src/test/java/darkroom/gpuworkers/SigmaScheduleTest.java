package darkroom.gpuworkers;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import darkroom.config.RolloutSettings.Schedule;
import net.jqwik.api.Assume;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.IntRange;
import org.junit.jupiter.api.Test;

class SigmaScheduleTest {

    @Test
    void kontext_noise_levels_are_those_of_the_public_code() {
        assertThat(SigmaSchedule.sigmas(Schedule.KONTEXT, 6, 1024))
                .containsExactly(new double[] {1, 0.903736, 0.789705, 0.652489, 0.484218, 0.273003, 0}, within(5e-7));
        assertThat(SigmaSchedule.sigmas(Schedule.KONTEXT, 15, 1024))
                .containsExactly(
                        new double[] {
                            1, .963352, .924268, .882497, .837753, .789705, .737974, .682120, .621629, .555899, .484218,
                            .405741, .319451, .224122, .118255, 0
                        },
                        within(5e-7));
    }

    @Test
    void qwen_noise_levels_end_at_two_hundredths_before_zero() {
        assertThat(SigmaSchedule.sigmas(Schedule.QWEN, 6, 1024))
                .containsExactly(new double[] {1, 0.862482, 0.702794, 0.515106, 0.291343, 0.02, 0}, within(5e-7));
        assertThat(SigmaSchedule.sigmas(Schedule.QWEN, 15, 1024))
                .containsExactly(
                        new double[] {
                            1, .955989, .909391, .859969, .807460, .751566, .691946, .628217, .559938, .486604, .407632,
                            .322347, .229958, .129540, .02, 0
                        },
                        within(5e-7));
    }

    @Test
    void linear_noise_levels_are_evenly_spaced() {
        assertThat(SigmaSchedule.sigmas(Schedule.LINEAR, 4, 1)).containsExactly(1, .75, .5, .25, 0);
    }

    @Property(tries = 200)
    void every_schedule_falls_from_one_to_zero(
            @ForAll Schedule schedule,
            @ForAll @IntRange(min = 1, max = 60) int steps,
            @ForAll @IntRange(min = 1, max = 8192) int latentTokens) {
        Assume.that(schedule != Schedule.QWEN || steps > 1);
        double[] sigmas = SigmaSchedule.sigmas(schedule, steps, latentTokens);
        assertThat(sigmas).hasSize(steps + 1).startsWith(1.0).endsWith(0.0);
        for (int i = 0; i < steps; i++) {
            assertThat(sigmas[i + 1]).isLessThan(sigmas[i]);
        }
    }

    @Test
    void no_steps_are_refused() {
        assertThatThrownBy(() -> SigmaSchedule.sigmas(Schedule.QWEN, 0, 1024)).hasMessageContaining("steps=0");
    }

    /** The stretch would divide 0 by 0, as it does in diffusers. */
    @Test
    void one_step_of_the_schedule_that_is_stretched_is_refused() {
        assertThatThrownBy(() -> SigmaSchedule.sigmas(Schedule.QWEN, 1, 1024))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("steps=1")
                .hasMessageContaining("at least 2");
        assertThat(SigmaSchedule.sigmas(Schedule.KONTEXT, 1, 1024)).containsExactly(1, 0);
    }
}
