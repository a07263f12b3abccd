package darkroom.gpuworkers;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import darkroom.config.RolloutSettings.Schedule;
import java.util.Arrays;
import java.util.function.DoubleBinaryOperator;
import net.jqwik.api.Assume;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.DoubleRange;
import net.jqwik.api.constraints.IntRange;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class SolverStepTest {
    /** The script's figures come from noise levels that went through float32, as diffusers' do. */
    private static final double FLOAT32_SIGMAS = 1e-8;

    @ParameterizedTest
    @CsvSource({
        "KONTEXT, -0.8, 1.221398700, 1.195268543",
        "KONTEXT, 0.3, 1.604475488, 1.614274296",
        "KONTEXT, 1.7, 2.092027763, 2.147554346",
        "QWEN, -0.8, 1.222821343, 1.013999550",
        "QWEN, 0.3, 1.603941996, 1.682250169",
        "QWEN, 1.7, 2.089004645, 2.532750956"
    })
    void a_gaussian_with_exact_velocity_ends_where_an_independent_script_ends(
            Schedule schedule, double noise, double euler, double dpm2) {
        double[] sigmas = SigmaSchedule.sigmas(schedule, 6, 1024);
        DoubleBinaryOperator velocity = gaussian(1.5, 0.5);
        assertThat(last(rollout(SolverStep.euler(sigmas), velocity, noise))).isCloseTo(euler, within(FLOAT32_SIGMAS));
        assertThat(last(rollout(SolverStep.dpm2(sigmas), velocity, noise))).isCloseTo(dpm2, within(FLOAT32_SIGMAS));
    }

    @Test
    void six_steps_of_dpm2_have_the_orders_one_one_two_two_two_one() {
        SolverStep[] steps = SolverStep.dpm2(SigmaSchedule.sigmas(Schedule.KONTEXT, 6, 1024));
        assertThat(Arrays.stream(steps).mapToInt(SolverStep::order)).containsExactly(1, 1, 2, 2, 2, 1);
        assertThat(steps[1]).isEqualTo(SolverStep.euler(steps[1].sigma(), steps[1].nextSigma()));
    }

    @Property(tries = 200)
    void data_that_is_one_point_is_reached_exactly_by_every_solver(
            @ForAll Schedule schedule,
            @ForAll @IntRange(min = 1, max = 30) int count,
            @ForAll @DoubleRange(min = -3, max = 3) double point,
            @ForAll @DoubleRange(min = -3, max = 3) double noise) {
        Assume.that(schedule != Schedule.QWEN || count > 1);
        double[] sigmas = SigmaSchedule.sigmas(schedule, count, 1024);
        DoubleBinaryOperator velocity = (x, t) -> (x - point) / t;
        assertThat(last(rollout(SolverStep.euler(sigmas), velocity, noise))).isCloseTo(point, within(1e-12));
        assertThat(last(rollout(SolverStep.dpm2(sigmas), velocity, noise))).isCloseTo(point, within(1e-12));
        assertThat(last(sde(0, sigmas, velocity, noise))).isCloseTo(point, within(1e-12));
    }

    @Property(tries = 100)
    void dpm2_equals_the_public_codes_formula_term_by_term(
            @ForAll Schedule schedule,
            @ForAll @IntRange(min = 4, max = 30) int count,
            @ForAll @DoubleRange(min = -2, max = 2) double x,
            @ForAll @DoubleRange(min = -2, max = 2) double v,
            @ForAll @DoubleRange(min = -2, max = 2) double previous) {
        double[] sigmas = SigmaSchedule.sigmas(schedule, count, 1024);
        for (int i = 1; i < count - 1; i++) {
            double t = sigmas[i + 1];
            double s = sigmas[i];
            double m = x - s * v;
            double h = lambda(t) - lambda(s);
            double r = (lambda(s) - lambda(sigmas[i - 1])) / h;
            double slope = (m - previous) / r;
            double decay = Math.exp(-h) - 1;
            double expected = t / s * x - (1 - t) * decay * m - (1 - t) * decay * slope / 2;
            assertThat(apply(SolverStep.dpm2(sigmas, i), x, v, previous)).isCloseTo(expected, within(1e-12));
        }
    }

    @Test
    void the_last_step_lands_on_the_predicted_data() {
        SolverStep step = SolverStep.dpm2(new double[] {1, .5, .25, 0}, 2);
        assertThat(apply(step, .7, -.3, 99)).isEqualTo(.7 + .25 * .3);
    }

    @Test
    void noise_levels_that_rise_are_refused() {
        assertThatThrownBy(() -> SolverStep.euler(.3, .5)).hasMessageContaining("sigma=0.3 to 0.5");
    }

    @Test
    void the_stochastic_step_without_noise_is_eulers() {
        SdeStep step = SdeStep.of(0, .7, .5, .9);
        assertThat(step.state()).isEqualTo(1);
        assertThat(step.velocity()).isCloseTo(-.2, within(1e-15));
        assertThat(step.std()).isZero();
    }

    @Test
    void the_stochastic_first_step_is_finite() {
        SdeStep step = SdeStep.of(.7, SigmaSchedule.sigmas(Schedule.KONTEXT, 6, 1024), 0);
        assertThat(step.std()).isFinite().isPositive();
        assertThat(step.state()).isFinite();
    }

    @Test
    void log_probability_is_that_of_a_normal_density() {
        SdeStep step = new SdeStep(1, 0, 1, 1);
        assertThat(step.logProbability(0)).isCloseTo(-.9189385332046727, within(1e-15));
        assertThat(step.logProbability(4)).isCloseTo(-2.9189385332046727, within(1e-15));
    }

    static DoubleBinaryOperator gaussian(double mean, double std) {
        return (x, t) -> {
            double a = 1 - t;
            double variance = a * a * std * std + t * t;
            double d = x - mean * a;
            return t / variance * d - (mean + a * std * std / variance * d);
        };
    }

    private static double[] rollout(SolverStep[] steps, DoubleBinaryOperator velocity, double noise) {
        double[] trajectory = new double[steps.length + 1];
        trajectory[0] = noise;
        double previous = 0;
        for (int i = 0; i < steps.length; i++) {
            double x = trajectory[i];
            double v = velocity.applyAsDouble(x, steps[i].sigma());
            trajectory[i + 1] = apply(steps[i], x, v, previous);
            previous = x - steps[i].sigma() * v;
        }
        return trajectory;
    }

    private static double[] sde(double noiseLevel, double[] sigmas, DoubleBinaryOperator velocity, double noise) {
        double[] trajectory = new double[sigmas.length];
        trajectory[0] = noise;
        for (int i = 0; i + 1 < sigmas.length; i++) {
            SdeStep step = SdeStep.of(noiseLevel, sigmas[i], sigmas[i + 1], .5);
            trajectory[i + 1] =
                    step.state() * trajectory[i] + step.velocity() * velocity.applyAsDouble(trajectory[i], sigmas[i]);
        }
        return trajectory;
    }

    private static double apply(SolverStep step, double x, double v, double previous) {
        return step.state() * x + step.velocity() * v + step.previousPrediction() * previous;
    }

    private static double lambda(double t) {
        return Math.log(1 - t) - Math.log(t);
    }

    private static double last(double[] trajectory) {
        return trajectory[trajectory.length - 1];
    }
}
