package darkroom.gpuworkers;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import darkroom.config.OptimizerSettings;
import darkroom.config.TrainingSettings.OldPolicy;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class LearningSchedulesTest {
    private static final OptimizerSettings PLAIN = new OptimizerSettings(.1, 0, .9, .999, 1e-8, .01, 1);

    @ParameterizedTest
    @CsvSource({"1, .181818", "2, .25", "10, .55", "79, .898876", "80, .9", "81, .9", "5000, .9"})
    void evaluation_average_warms_up_to_its_cap(long step, double decay) {
        assertThat(EvaluationAverage.decay(step, .9)).isCloseTo(decay, within(5e-7));
    }

    @ParameterizedTest
    @CsvSource({"1, .001", "10, .01", "80, .08", "500, .5", "1000, .5"})
    void old_policy_of_the_public_code_slows_down_until_step_500(long step, double decay) {
        assertThat(OldPolicySchedule.decay(OldPolicy.PUBLIC, .7, step)).isCloseTo(decay, within(1e-15));
        assertThat(OldPolicySchedule.decay(OldPolicy.CONSTANT, .7, step)).isEqualTo(.7);
        assertThat(OldPolicySchedule.decay(OldPolicy.ON_POLICY, .7, step)).isZero();
    }

    @Test
    void the_first_step_moves_every_weight_by_the_rate() {
        AdamWReference after = AdamWReference.start(new double[] {1, -2}).step(new double[] {.3, -.4}, PLAIN);
        assertThat(after.weights()).containsExactly(new double[] {.999 - .1, -1.998 + .1}, within(1e-7));
        assertThat(after.steps()).isEqualTo(1);
    }

    @Test
    void a_gradient_is_clipped_by_its_whole_norm() {
        assertThat(AdamWReference.norm(new double[] {3, 4})).isEqualTo(5);
        assertThat(AdamWReference.clipFactor(5, 1)).isEqualTo(1 / 5.000001);
        assertThat(AdamWReference.clipFactor(.5, 1)).isEqualTo(1);
    }

    @Test
    void the_rate_warms_up_linearly() {
        OptimizerSettings warm = new OptimizerSettings(.1, 4, .9, .999, 1e-8, 0, 1);
        assertThat(AdamWReference.learningRate(warm, 1)).isCloseTo(.025, within(1e-15));
        assertThat(AdamWReference.learningRate(warm, 4)).isEqualTo(.1);
        assertThat(AdamWReference.learningRate(warm, 9)).isEqualTo(.1);
        assertThat(AdamWReference.learningRate(PLAIN, 1)).isEqualTo(.1);
    }
}
