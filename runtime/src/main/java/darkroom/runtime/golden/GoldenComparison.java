package darkroom.runtime.golden;

import java.util.ArrayList;
import java.util.EnumMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/**
 * Result of the comparison of one case: differences, and the largest relative error of each arithmetic.
 *
 * <p>The relative error of a number is |got - expected| / max(|expected|, scale). For an element of a vector the scale
 * is the vector's largest element; where terms cancel it is the largest of the terms; it is 0 where neither applies.
 */
public final class GoldenComparison {
    /** Arithmetic of the computation, and the largest relative error that passes. */
    public enum Arithmetic {
        JAVA_DOUBLE("double precision in Java", 1e-9),
        SCRIPT_DOUBLE("TorchScript in float64", 1e-9),
        SCRIPT_FLOAT("TorchScript in float32", 1e-6);

        private final String words;
        private final double tolerance;

        Arithmetic(String words, double tolerance) {
            this.words = words;
            this.tolerance = tolerance;
        }

        public String words() {
            return words;
        }

        double tolerance() {
            return tolerance;
        }
    }

    private final List<String> differences = new ArrayList<>();
    private final Map<Arithmetic, Double> worst = new EnumMap<>(Arithmetic.class);

    /** Compares one number. */
    void number(String where, Arithmetic arithmetic, double expected, double got) {
        number(where, arithmetic, expected, got, 0);
    }

    /** Compares one number whose terms are as large as {@code scale}. */
    void number(String where, Arithmetic arithmetic, double expected, double got, double scale) {
        double difference = Math.abs(got - expected);
        double error = difference == 0 ? 0 : difference / Math.max(Math.abs(expected), scale);
        worst.merge(arithmetic, Double.isNaN(error) ? Double.POSITIVE_INFINITY : error, Math::max);
        if (!(error <= arithmetic.tolerance)) {
            differences.add(String.format(
                    Locale.ROOT,
                    "%s: expected %s, got %s, relative error %.3g > %.0e (%s)",
                    where,
                    expected,
                    got,
                    error,
                    arithmetic.tolerance,
                    arithmetic.words));
        }
    }

    /** Compares a vector, element by element. */
    void numbers(String where, Arithmetic arithmetic, double[] expected, double[] got) {
        numbers(where, arithmetic, expected, got, 0);
    }

    /** Compares a vector whose terms are as large as {@code scale}. */
    void numbers(String where, Arithmetic arithmetic, double[] expected, double[] got, double scale) {
        if (expected.length != got.length) {
            difference(where, expected.length + " numbers", got.length + " numbers");
            return;
        }
        double largest = scale;
        for (double element : expected) {
            largest = Math.max(largest, Math.abs(element));
        }
        for (int i = 0; i < expected.length; i++) {
            number(where + "[" + i + "]", arithmetic, expected[i], got[i], largest);
        }
    }

    /** Compares two values for equality. */
    void same(String where, Object expected, Object got) {
        if (!expected.equals(got)) {
            difference(where, expected, got);
        }
    }

    /** Records a failure that is not a comparison. */
    void failure(String message) {
        differences.add(message);
    }

    private void difference(String where, Object expected, Object got) {
        differences.add("%s: expected %s, got %s".formatted(where, expected, got));
    }

    boolean passed() {
        return differences.isEmpty();
    }

    List<String> differences() {
        return List.copyOf(differences);
    }

    /** Returns the largest relative error of each arithmetic that was compared. */
    Map<Arithmetic, Double> worst() {
        return worst;
    }
}
