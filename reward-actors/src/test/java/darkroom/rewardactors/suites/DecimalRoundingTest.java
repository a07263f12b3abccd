package darkroom.rewardactors.suites;

import static org.assertj.core.api.Assertions.assertThat;

import java.math.BigInteger;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.DoubleRange;
import net.jqwik.api.constraints.IntRange;
import net.jqwik.api.constraints.Size;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class DecimalRoundingTest {
    /** From CPython 3: {@code round(value, 2)}, {@code f"{value:.2f}"}. */
    @ParameterizedTest
    @CsvSource({
        "2.675, 2.67, 2.67",
        "0.125, 0.12, 0.12",
        "0.375, 0.38, 0.38",
        "3.125, 3.12, 3.12",
        "1.005, 1.0, 1.00",
        "2.5, 2.5, 2.50",
        "4.665, 4.67, 4.67",
        "3.335, 3.33, 3.33",
        "4.345, 4.34, 4.34",
        "0.005, 0.01, 0.01",
        "0.015, 0.01, 0.01",
        "0.025, 0.03, 0.03",
        "1e-09, 0.0, 0.00",
        "5.0, 5.0, 5.00",
        "3.603737892159415, 3.6, 3.60",
        "2.462755667650342, 2.46, 2.46",
        "4.90502042237168, 4.91, 4.91",
        "2.158437145326705, 2.16, 2.16"
    })
    void it_rounds_as_python_does(double value, double rounded, String text) {
        assertThat(DecimalRounding.round(value, 2)).isEqualTo(rounded);
        assertThat(DecimalRounding.text(value, 2)).isEqualTo(text);
    }

    /**
     * Integer arithmetic only: value = m 2^e, and the hundredths are the nearest integer to 100 m 2^e, halves to the even
     * one.
     */
    @Property
    void it_is_the_nearest_hundredth_of_the_binary_value(@ForAll @DoubleRange(min = 0, max = 10) double value) {
        assertThat(DecimalRounding.round(value, 2)).isEqualTo(hundredths(value).doubleValue() / 100);
    }

    /** Eighths lie exactly between two hundredths. */
    @Property
    void exact_halves_go_to_the_even_hundredth(@ForAll @IntRange(max = 1000) int eighths) {
        double value = eighths / 8.0;
        assertThat(DecimalRounding.round(value, 2)).isEqualTo(hundredths(value).doubleValue() / 100);
    }

    private static BigInteger hundredths(double value) {
        long bits = Double.doubleToLongBits(value);
        int exponent = Math.max(1, (int) (bits >> 52)) - 1075;
        long mantissa = (bits & ((1L << 52) - 1)) | (bits >> 52 == 0 ? 0 : 1L << 52);
        BigInteger scaled = BigInteger.valueOf(mantissa).multiply(BigInteger.valueOf(100));
        if (exponent >= 0) {
            return scaled.shiftLeft(exponent);
        }
        BigInteger one = BigInteger.ONE.shiftLeft(-exponent);
        BigInteger[] parts = scaled.divideAndRemainder(one);
        int toHalf = parts[1].shiftLeft(1).compareTo(one);
        boolean up = toHalf > 0 || (toHalf == 0 && parts[0].testBit(0));
        return up ? parts[0].add(BigInteger.ONE) : parts[0];
    }

    @Property
    void a_mean_does_not_depend_on_the_order(
            @ForAll @Size(min = 1, max = 60) List<@DoubleRange(min = 0, max = 10) Double> values) {
        List<Double> otherWay = new ArrayList<>(values);
        Collections.reverse(otherWay);
        double mean = DecimalRounding.mean(values);
        assertThat(DecimalRounding.mean(otherWay)).isEqualTo(mean);
        assertThat(mean).isBetween(Collections.min(values) - 1e-9, Collections.max(values) + 1e-9);
    }
}
