package darkroom.runtime.golden;

import static darkroom.runtime.golden.GoldenComparison.Arithmetic.JAVA_DOUBLE;
import static darkroom.runtime.golden.GoldenComparison.Arithmetic.SCRIPT_DOUBLE;
import static darkroom.runtime.golden.GoldenComparison.Arithmetic.SCRIPT_FLOAT;

import darkroom.gpuworkers.DeviceMath;
import darkroom.gpuworkers.DeviceMath.Precision;
import darkroom.gpuworkers.FlowGrpoLoss;
import darkroom.gpuworkers.SdeStep;
import darkroom.runtime.golden.GoldenComparison.Arithmetic;
import java.util.Arrays;

/** One step of the stochastic sampler, its log-probability, and the clipped ratio loss. */
final class FlowGrpoGolden implements GoldenFormat {
    private final DeviceMath exact = new DeviceMath(Precision.FLOAT64);
    private final DeviceMath device = new DeviceMath(Precision.FLOAT32);

    @Override
    public String mark() {
        return "noiseLevel";
    }

    @Override
    public void compare(GoldenCase golden, GoldenComparison comparison) {
        double sigma = golden.number("sigma");
        SdeStep step =
                SdeStep.of(golden.number("noiseLevel"), sigma, golden.number("nextSigma"), golden.number("sigmaOne"));
        double[] x = golden.numbers("x");
        double[] velocity = golden.numbers("velocity");
        double[] z = golden.numbers("z");
        double[] newVelocity = golden.numbers("newVelocity");
        double[] mean = golden.numbers("mean");
        double[] next = golden.numbers("next");
        for (double[] vector : new double[][] {velocity, z, newVelocity, mean, next}) {
            comparison.same(golden.where("x") + " and every other vector: length", x.length, vector.length);
        }
        if (!comparison.passed()) {
            return;
        }
        double advantage = golden.number("advantage");
        double clipRange = golden.number("clipRange");
        comparison.number(golden.where("std"), JAVA_DOUBLE, golden.number("std"), step.std());
        comparison.numbers(golden.where("mean"), JAVA_DOUBLE, mean, step.mean(x, velocity));
        double[] drawn = step.mean(x, velocity);
        Arrays.setAll(drawn, i -> drawn[i] + step.std() * z[i]);
        comparison.numbers(golden.where("next"), JAVA_DOUBLE, next, drawn);
        FlowGrpoLoss loss = FlowGrpoLoss.of(step, x, velocity, next, newVelocity, advantage, clipRange);
        compare(golden, comparison, JAVA_DOUBLE, loss, 0, 0);

        compareDevice(golden, comparison, SCRIPT_DOUBLE, exact, step, x, velocity, z, newVelocity);
        compareDevice(golden, comparison, SCRIPT_FLOAT, device, step, x, velocity, z, newVelocity);
    }

    private static void compareDevice(
            GoldenCase golden,
            GoldenComparison comparison,
            Arithmetic arithmetic,
            DeviceMath math,
            SdeStep step,
            double[] x,
            double[] velocity,
            double[] z,
            double[] newVelocity) {
        double sigma = golden.number("sigma");
        double[] next = golden.numbers("next");
        double[] none = new double[x.length];
        double scale = Math.max(largest(x), largest(velocity));
        comparison.numbers(
                golden.where("mean"),
                arithmetic,
                golden.numbers("mean"),
                math.stochasticStep(step, sigma, x, velocity, none),
                scale);
        comparison.numbers(
                golden.where("next"), arithmetic, next, math.stochasticStep(step, sigma, x, velocity, z), scale);
        double advantage = golden.number("advantage");
        double terms = Math.max(1, Math.max(scale, largest(next)) / step.std());
        compare(
                golden,
                comparison,
                arithmetic,
                math.flowGrpo(step, x, velocity, next, newVelocity, advantage, golden.number("clipRange")),
                terms,
                Math.abs(advantage) * terms);
    }

    private static void compare(
            GoldenCase golden,
            GoldenComparison comparison,
            Arithmetic arithmetic,
            FlowGrpoLoss got,
            double logScale,
            double lossScale) {
        comparison.number(
                golden.where("logProb"), arithmetic, golden.number("logProb"), got.logProbability(), logScale);
        comparison.number(
                golden.where("newLogProb"), arithmetic, golden.number("newLogProb"), got.newLogProbability(), logScale);
        comparison.number(golden.where("loss"), arithmetic, golden.number("loss"), got.loss(), lossScale);
    }

    private static double largest(double[] vector) {
        return Arrays.stream(vector).map(Math::abs).max().orElse(0);
    }

    @Override
    public void close() {
        exact.close();
        device.close();
    }
}
