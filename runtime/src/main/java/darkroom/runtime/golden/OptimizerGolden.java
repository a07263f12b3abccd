package darkroom.runtime.golden;

import static darkroom.runtime.golden.GoldenComparison.Arithmetic.JAVA_DOUBLE;
import static darkroom.runtime.golden.GoldenComparison.Arithmetic.SCRIPT_DOUBLE;
import static darkroom.runtime.golden.GoldenComparison.Arithmetic.SCRIPT_FLOAT;

import darkroom.config.OptimizerSettings;
import darkroom.config.TrainingSettings.OldPolicy;
import darkroom.gpuworkers.AdamWReference;
import darkroom.gpuworkers.DeviceMath;
import darkroom.gpuworkers.DeviceMath.Precision;
import darkroom.gpuworkers.EvaluationAverage;
import darkroom.gpuworkers.OldPolicySchedule;
import darkroom.runtime.golden.GoldenComparison.Arithmetic;
import java.util.Arrays;
import java.util.List;

/** Steps of AdamW, with the evaluation average and the old policy that follow the weights by the public schedules. */
final class OptimizerGolden implements GoldenFormat {
    private static final double EMA_CAP = 0.9;

    private final DeviceMath exact = new DeviceMath(Precision.FLOAT64);
    private final DeviceMath device = new DeviceMath(Precision.FLOAT32);

    /** The arithmetic of one column of the comparison. */
    private interface Steps {
        DeviceMath.OptimizerStep step(AdamWReference state, double[] gradient, OptimizerSettings settings);

        double[] follow(double decay, double[] follower, double[] leader);
    }

    @Override
    public String mark() {
        return "gradients";
    }

    @Override
    public void compare(GoldenCase golden, GoldenComparison comparison) {
        OptimizerSettings settings = new OptimizerSettings(
                golden.number("lr"),
                0,
                golden.number("beta1"),
                golden.number("beta2"),
                golden.number("epsilon"),
                golden.number("weightDecay"),
                golden.number("gradClip"));
        List<double[]> gradients = golden.rows("gradients");
        List<GoldenCase> history = golden.objects("history");
        comparison.same(golden.where("history") + " length", gradients.size(), history.size());
        for (double[] gradient : gradients) {
            comparison.same(
                    golden.where("start") + " and every gradient: length",
                    golden.numbers("start").length,
                    gradient.length);
        }
        if (comparison.passed()) {
            run(golden, settings, gradients, history, comparison, JAVA_DOUBLE, inJava());
            run(golden, settings, gradients, history, comparison, SCRIPT_DOUBLE, onDevice(exact));
            run(golden, settings, gradients, history, comparison, SCRIPT_FLOAT, onDevice(device));
        }
    }

    private static void run(
            GoldenCase golden,
            OptimizerSettings settings,
            List<double[]> gradients,
            List<GoldenCase> history,
            GoldenComparison comparison,
            Arithmetic arithmetic,
            Steps steps) {
        AdamWReference state = AdamWReference.start(golden.numbers("start"));
        double[] average = state.weights();
        double[] old = state.weights();
        for (int i = 0; i < history.size(); i++) {
            DeviceMath.OptimizerStep taken = steps.step(state, gradients.get(i), settings);
            state = taken.state();
            double emaDecay = EvaluationAverage.decay(state.steps(), EMA_CAP);
            double oldDecay = OldPolicySchedule.decay(OldPolicy.PUBLIC, 0, state.steps());
            average = steps.follow(emaDecay, average, state.weights());
            old = steps.follow(oldDecay, old, state.weights());
            GoldenCase expected = history.get(i);
            comparison.same(expected.where("step"), (long) expected.integer("step"), state.steps());
            comparison.number(expected.where("emaDecay"), arithmetic, expected.number("emaDecay"), emaDecay);
            comparison.number(expected.where("oldDecay"), arithmetic, expected.number("oldDecay"), oldDecay);
            comparison.number(
                    expected.where("gradNorm"), arithmetic, expected.number("gradNorm"), taken.gradientNorm());
            comparison.numbers(expected.where("weights"), arithmetic, expected.numbers("weights"), state.weights());
            comparison.numbers(expected.where("ema"), arithmetic, expected.numbers("ema"), average);
            comparison.numbers(expected.where("old"), arithmetic, expected.numbers("old"), old);
        }
    }

    private static Steps inJava() {
        return new Steps() {
            @Override
            public DeviceMath.OptimizerStep step(AdamWReference state, double[] gradient, OptimizerSettings settings) {
                return new DeviceMath.OptimizerStep(state.step(gradient, settings), AdamWReference.norm(gradient));
            }

            @Override
            public double[] follow(double decay, double[] follower, double[] leader) {
                double[] followed = new double[follower.length];
                Arrays.setAll(followed, i -> decay * follower[i] + (1 - decay) * leader[i]);
                return followed;
            }
        };
    }

    private static Steps onDevice(DeviceMath math) {
        return new Steps() {
            @Override
            public DeviceMath.OptimizerStep step(AdamWReference state, double[] gradient, OptimizerSettings settings) {
                return math.step(state, gradient, settings);
            }

            @Override
            public double[] follow(double decay, double[] follower, double[] leader) {
                return math.follow(decay, follower, leader);
            }
        };
    }

    @Override
    public void close() {
        exact.close();
        device.close();
    }
}
