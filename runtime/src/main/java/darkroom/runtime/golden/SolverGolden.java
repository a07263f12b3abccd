package darkroom.runtime.golden;

import static darkroom.runtime.golden.GoldenComparison.Arithmetic.JAVA_DOUBLE;
import static darkroom.runtime.golden.GoldenComparison.Arithmetic.SCRIPT_DOUBLE;
import static darkroom.runtime.golden.GoldenComparison.Arithmetic.SCRIPT_FLOAT;

import darkroom.config.RolloutSettings.Schedule;
import darkroom.config.RolloutSettings.Solver;
import darkroom.gpuworkers.DeviceMath;
import darkroom.gpuworkers.DeviceMath.Precision;
import darkroom.gpuworkers.SigmaSchedule;
import darkroom.gpuworkers.SolverStep;
import java.util.function.DoubleBinaryOperator;

/** Noise levels, and the trajectory of one number under the exact velocity of normally distributed data. */
final class SolverGolden implements GoldenFormat {
    private final DeviceMath exact = new DeviceMath(Precision.FLOAT64);
    private final DeviceMath device = new DeviceMath(Precision.FLOAT32);

    @Override
    public String mark() {
        return "trajectory";
    }

    @Override
    public void compare(GoldenCase golden, GoldenComparison comparison) {
        Schedule schedule = golden.constant(Schedule.class, "schedule");
        Solver solver = golden.constant(Solver.class, "solver");
        double initial = golden.number("initial");
        GoldenCase velocity = golden.object("velocity");
        if (!velocity.text("kind").equals("gaussian")) {
            throw new GoldenCase.FormatException(
                    velocity.where("kind") + "=" + velocity.text("kind") + ": known is gaussian");
        }
        double mean = velocity.number("mean");
        double std = velocity.number("std");
        double[] sigmas = SigmaSchedule.sigmas(schedule, golden.integer("steps"), golden.integer("latentTokens"));
        comparison.numbers(golden.where("sigmas"), JAVA_DOUBLE, golden.numbers("sigmas"), sigmas);
        SolverStep[] steps =
                switch (solver) {
                    case EULER -> SolverStep.euler(sigmas);
                    case DPM2 -> SolverStep.dpm2(sigmas);
                    case SDE ->
                        throw new GoldenCase.FormatException(
                                golden.where("solver") + "=sde has no trajectory without its noise");
                };
        String where = golden.where("trajectory");
        double[] expected = golden.numbers("trajectory");
        double[] inJava = draw(steps, gaussian(mean, std), initial);
        comparison.numbers(where, JAVA_DOUBLE, expected, inJava);
        comparison.numbers(where, SCRIPT_DOUBLE, expected, exact.rolloutGaussian(steps, mean, std, initial));
        comparison.numbers(
                where, SCRIPT_FLOAT, expected, device.rolloutGaussian(steps, mean, std, initial), Math.abs(mean));
    }

    private static DoubleBinaryOperator gaussian(double mean, double std) {
        return (x, t) -> {
            double a = 1 - t;
            double d = (x - a * mean) / (a * a * std * std + t * t);
            return t * d - (mean + a * std * std * d);
        };
    }

    private static double[] draw(SolverStep[] steps, DoubleBinaryOperator velocity, double initial) {
        double[] trajectory = new double[steps.length + 1];
        trajectory[0] = initial;
        double previous = 0;
        for (int i = 0; i < steps.length; i++) {
            SolverStep step = steps[i];
            double x = trajectory[i];
            double v = velocity.applyAsDouble(x, step.sigma());
            trajectory[i + 1] = step.state() * x + step.velocity() * v + step.previousPrediction() * previous;
            previous = x - step.sigma() * v;
        }
        return trajectory;
    }

    @Override
    public void close() {
        exact.close();
        device.close();
    }
}
