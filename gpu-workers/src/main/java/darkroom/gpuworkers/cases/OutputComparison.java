package darkroom.gpuworkers.cases;

import java.util.Arrays;
import java.util.List;
import java.util.Locale;

/**
 * How far one output of a case is from what diffusers computed.
 *
 * @param output name of the tensor
 * @param error largest difference, in the unit of {@code tolerance}; NaN if a value is not finite
 * @param tolerance largest error accepted
 * @param problem why the output fails although its error is within the tolerance; empty if it does not
 */
public record OutputComparison(String output, double error, double tolerance, String problem) {

    /** How an output is compared. */
    public sealed interface Measure {
        /** Largest difference divided by the root mean square of the expected tensor. */
        record Relative(double tolerance) implements Measure {}

        /** Largest absolute difference, and the mean one. */
        record Absolute(double tolerance, double mean) implements Measure {}

        /** Levels of 8-bit values, of which at most a share may differ at all. */
        record Levels(int tolerance, double share) implements Measure {}
    }

    /** Whether the output is accepted. */
    public boolean passed() {
        return problem.isEmpty() && error <= tolerance;
    }

    /** Returns a comparison of an output that was not computed. */
    public static OutputComparison failed(String output, String problem) {
        return new OutputComparison(output, Double.NaN, 0, problem);
    }

    /**
     * Compares an output.
     *
     * @param shape of the computed tensor
     * @param computed its values
     */
    public static OutputComparison of(
            String output, ModelCase.Values expected, List<Integer> shape, double[] computed, Measure measure) {
        if (!expected.shape().equals(shape)) {
            return failed(output, "shape %s, expected %s".formatted(shape, expected.shape()));
        }
        double[] wanted = expected.values();
        double largest = 0;
        double sum = 0;
        double squares = 0;
        long differing = 0;
        for (int i = 0; i < wanted.length; i++) {
            double difference = Math.abs(computed[i] - wanted[i]);
            if (!Double.isFinite(difference)) {
                return failed(output, "value %d is %s, expected %s".formatted(i, computed[i], wanted[i]));
            }
            largest = Math.max(largest, difference);
            sum += difference;
            squares += wanted[i] * wanted[i];
            differing += difference == 0 ? 0 : 1;
        }
        double count = Math.max(1, wanted.length);
        double rms = Math.sqrt(squares / count);
        return switch (measure) {
            case Measure.Relative relative ->
                new OutputComparison(output, rms == 0 ? largest : largest / rms, relative.tolerance(), "");
            case Measure.Absolute absolute ->
                new OutputComparison(
                        output,
                        largest,
                        absolute.tolerance(),
                        sum / count <= absolute.mean()
                                ? ""
                                : String.format(
                                        Locale.ROOT,
                                        "mean difference %.2g, at most %.2g accepted",
                                        sum / count,
                                        absolute.mean()));
            case Measure.Levels levels ->
                new OutputComparison(
                        output,
                        largest,
                        levels.tolerance(),
                        differing / count <= levels.share()
                                ? ""
                                : String.format(
                                        Locale.ROOT,
                                        "%.2g of the values differ, at most %.2g accepted",
                                        differing / count,
                                        levels.share()));
        };
    }

    /** Returns values as float64. */
    static double[] doubles(float[] values) {
        double[] doubles = new double[values.length];
        Arrays.setAll(doubles, i -> values[i]);
        return doubles;
    }
}
