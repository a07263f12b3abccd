package darkroom.rewardactors;

import java.math.BigDecimal;
import java.math.RoundingMode;
import java.util.Collection;

/**
 * Means and roundings of the suites, as Python computes them, in which the protocols are written.
 *
 * <p>A mean is the exact sum, rounded once to a double, divided by the count: it does not depend on the order, as {@code math.fsum} does
 * not. The public scripts add up in the order in which answers happened to come, which can differ in the last bit.
 */
public final class DecimalRounding {
    private DecimalRounding() {}

    /**
     * Python's {@code round(value, decimals)}: the nearest decimal to the exact binary value; where that lies exactly between two,
     * the one whose last digit is even. So 2.675 becomes 2.67, since the double is slightly less, and 0.125 becomes 0.12.
     *
     * @param value finite
     */
    public static double round(double value, int decimals) {
        return new BigDecimal(value).setScale(decimals, RoundingMode.HALF_EVEN).doubleValue();
    }

    /** The same as text with all its decimals, as Python's {@code format} writes it. */
    public static String text(double value, int decimals) {
        return new BigDecimal(value).setScale(decimals, RoundingMode.HALF_EVEN).toPlainString();
    }

    /**
     * The mean.
     *
     * @param values finite, at least one
     */
    static double mean(Collection<Double> values) {
        BigDecimal sum = values.stream().map(BigDecimal::new).reduce(BigDecimal.ZERO, BigDecimal::add);
        return sum.doubleValue() / values.size();
    }
}
