package darkroom.gpuworkers;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import darkroom.config.TrainingSettings.Weighting;
import darkroom.gpuworkers.NftLoss.Sample;
import java.util.List;
import java.util.Random;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.DoubleRange;
import org.junit.jupiter.api.Test;

class NftLossTest {
    private static final Sample BY_HAND = new Sample(
            new double[] {.2, -.4, 1, 0},
            new double[] {1, -1, .5, .25},
            .6,
            .7,
            true,
            new double[] {.7, -.5, -.4, .3},
            new double[] {.75, -.55, -.45, .2},
            new double[] {.6, -.5, -.3, .3});

    @Test
    void one_sample_by_hand() {
        NftLoss.Evaluation evaluation = new NftLoss(Weighting.ADAPTIVE, 1, 5, 1e-4).evaluate(List.of(BY_HAND));
        NftLoss.Terms terms = evaluation.samples().getFirst();

        assertThat(BY_HAND.noisy()).containsExactly(new double[] {.68, -.76, .7, .15}, within(1e-15));
        assertThat(terms.positive()).isCloseTo(.03, within(1e-12));
        assertThat(terms.negative()).isCloseTo(.09, within(1e-12));
        assertThat(terms.policy()).isCloseTo(.24, within(1e-12));
        assertThat(terms.kl()).isCloseTo(.014375, within(1e-12));
        assertThat(evaluation.loss()).isCloseTo(.2400014375, within(1e-12));
        assertThat(evaluation.gradients().getFirst())
                .containsExactly(new double[] {-.5999925, .5999975, .5999925, -1.500005}, within(1e-12));
    }

    @Property(tries = 100)
    void the_gradient_without_weighting_is_the_slope_of_the_loss(@ForAll long seed) {
        NftLoss loss = new NftLoss(Weighting.NONE, .5, 1, .01);
        Sample sample = random(seed, .3);
        double[] gradient = loss.evaluate(List.of(sample)).gradients().getFirst();
        for (int d = 0; d < gradient.length; d++) {
            double step = 1e-5;
            double above = loss.evaluate(List.of(moved(sample, d, step))).loss();
            double below = loss.evaluate(List.of(moved(sample, d, -step))).loss();
            assertThat(gradient[d]).isCloseTo((above - below) / (2 * step), within(1e-8));
        }
    }

    @Property(tries = 100)
    void the_adaptive_gradient_is_the_slope_with_the_divisors_held_constant(@ForAll long seed) {
        NftLoss loss = new NftLoss(Weighting.ADAPTIVE, .5, 5, .01);
        Sample sample = random(seed, .6);
        NftLoss.Evaluation evaluation = loss.evaluate(List.of(sample));
        double plusDivisor = meanAbsoluteError(sample, .5, 1);
        double minusDivisor = meanAbsoluteError(sample, .5, -1);
        for (int d = 0; d < 4; d++) {
            double step = 1e-5;
            double above = heldConstant(moved(sample, d, step), plusDivisor, minusDivisor);
            double below = heldConstant(moved(sample, d, -step), plusDivisor, minusDivisor);
            assertThat(evaluation.gradients().getFirst()[d]).isCloseTo((above - below) / (2 * step), within(1e-7));
        }
    }

    @Property(tries = 100)
    void on_policy_the_loss_says_nothing_of_the_reward_and_the_gradient_all(
            @ForAll long seed, @ForAll @DoubleRange(min = 0, max = 1) double optimality) {
        NftLoss loss = new NftLoss(Weighting.ADAPTIVE, 1, 5, 0);
        Sample generated = onPolicy(random(seed, optimality));
        NftLoss.Terms terms = loss.evaluate(List.of(generated)).samples().getFirst();
        NftLoss.Terms best =
                loss.evaluate(List.of(onPolicy(random(seed, 1)))).samples().getFirst();

        assertThat(terms.positive()).isEqualTo(terms.negative());
        for (int d = 0; d < terms.gradient().length; d++) {
            assertThat(terms.gradient()[d]).isCloseTo((2 * optimality - 1) * best.gradient()[d], within(1e-9));
        }
    }

    @Test
    void an_invalid_sample_neither_counts_nor_dilutes() {
        NftLoss loss = new NftLoss(Weighting.ADAPTIVE, 1, 5, 1e-4);
        Sample invalid = new Sample(
                BY_HAND.x0(), BY_HAND.noise(), .6, .1, false, BY_HAND.vOld(), BY_HAND.vTheta(), BY_HAND.vRef());
        NftLoss.Evaluation evaluation = loss.evaluate(List.of(invalid, BY_HAND));

        assertThat(evaluation.loss()).isCloseTo(.2400014375, within(1e-12));
        assertThat(evaluation.gradients().getFirst()).containsOnly(0);
        assertThat(loss.evaluate(List.of(invalid)).loss()).isZero();
    }

    @Property(tries = 100)
    void flow_grpos_gradient_is_the_slope_of_its_loss(@ForAll long seed) {
        Random random = new Random(seed);
        double[] x = random.doubles(5, -1, 1).toArray();
        double[] old = random.doubles(5, -1, 1).toArray();
        double[] next = random.doubles(5, -1, 1).toArray();
        double[] theta = random.doubles(5, -1, 1).toArray();
        double advantage = random.nextGaussian();
        SdeStep step = SdeStep.of(.7, .7, .5, .9);
        FlowGrpoLoss loss = FlowGrpoLoss.of(step, x, old, next, theta, advantage, 1e-4);
        for (int d = 0; d < 5; d++) {
            double by = 1e-6;
            double[] above = theta.clone();
            above[d] += by;
            double[] below = theta.clone();
            below[d] -= by;
            double slope =
                    (FlowGrpoLoss.of(step, x, old, next, above, advantage, 1e-4).loss()
                                    - FlowGrpoLoss.of(step, x, old, next, below, advantage, 1e-4)
                                            .loss())
                            / (2 * by);
            assertThat(loss.gradient()[d]).isCloseTo(slope, within(1e-6 * Math.max(1, Math.abs(slope))));
        }
    }

    /** (mean - mean')^2 / (2 s^2) with s before the step's sqrt(-dt), which is public, and not the divergence. */
    @Property(tries = 50)
    void flow_grpos_distance_to_the_reference_is_that_of_the_public_code(@ForAll long seed) {
        Random random = new Random(seed);
        double[] v = random.doubles(5, -1, 1).toArray();
        double[] reference = random.doubles(5, -1, 1).toArray();
        double[] x = random.doubles(5, -1, 1).toArray();
        double sigma = .7;
        double next = .5;
        SdeStep step = SdeStep.of(.9, sigma, next, .9);
        double[] mean = step.mean(x, v);
        double[] other = step.mean(x, reference);
        double squares = 0;
        for (int d = 0; d < 5; d++) {
            squares += (mean[d] - other[d]) * (mean[d] - other[d]);
        }
        double scale = .9 * Math.sqrt(sigma / (1 - sigma));
        double expected = squares / 5 / (2 * scale * scale);
        assertThat(step.std()).isCloseTo(scale * Math.sqrt(sigma - next), within(1e-15));
        assertThat(FlowGrpoLoss.kl(step, v, reference)).isCloseTo(expected, within(1e-12));
        try (DeviceMath math = new DeviceMath(DeviceMath.Precision.FLOAT64)) {
            assertThat(math.flowGrpoKl(step, v, reference)).isCloseTo(expected, within(1e-12));
        }
    }

    private static Sample onPolicy(Sample sample) {
        return new Sample(
                sample.x0(),
                sample.noise(),
                sample.t(),
                sample.optimality(),
                true,
                sample.vOld(),
                sample.vOld(),
                sample.vRef());
    }

    private static double heldConstant(Sample sample, double plusDivisor, double minusDivisor) {
        double kl = 0;
        for (int d = 0; d < 4; d++) {
            kl += Math.pow(sample.vTheta()[d] - sample.vRef()[d], 2) / 4;
        }
        return 5
                        / .5
                        * (sample.optimality() * meanSquaredError(sample, .5, 1) / plusDivisor
                                + (1 - sample.optimality()) * meanSquaredError(sample, .5, -1) / minusDivisor)
                + .01 * kl;
    }

    private static double meanAbsoluteError(Sample sample, double beta, int sign) {
        double sum = 0;
        for (int d = 0; d < 4; d++) {
            sum += Math.abs(error(sample, beta, sign, d)) / 4;
        }
        return sum;
    }

    private static double meanSquaredError(Sample sample, double beta, int sign) {
        double sum = 0;
        for (int d = 0; d < 4; d++) {
            sum += Math.pow(error(sample, beta, sign, d), 2) / 4;
        }
        return sum;
    }

    private static double error(Sample sample, double beta, int sign, int d) {
        double velocity = sample.vOld()[d] + sign * beta * (sample.vTheta()[d] - sample.vOld()[d]);
        return sample.t() * (sample.noise()[d] - sample.x0()[d] - velocity);
    }

    private static Sample random(long seed, double optimality) {
        Random random = new Random(seed);
        return new Sample(
                random.doubles(4, -1, 1).toArray(),
                random.doubles(4, -2, 2).toArray(),
                random.nextDouble(.05, 1),
                optimality,
                true,
                random.doubles(4, -2, 2).toArray(),
                random.doubles(4, -2, 2).toArray(),
                random.doubles(4, -2, 2).toArray());
    }

    private static Sample moved(Sample sample, int dimension, double by) {
        double[] theta = sample.vTheta().clone();
        theta[dimension] += by;
        return new Sample(
                sample.x0(),
                sample.noise(),
                sample.t(),
                sample.optimality(),
                true,
                sample.vOld(),
                theta,
                sample.vRef());
    }
}
