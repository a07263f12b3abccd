package darkroom.rewardactors.suites;

import java.math.BigDecimal;
import java.math.RoundingMode;
import java.util.Collection;

/**
 * Means and roundings of the suites, as computed by Python, the language of the protocols.
 *
 * <p>A mean is the exact sum, rounded once to a double, divided by the count: like {@code math.fsum}, it does not depend on
 * the order. The public scripts add up in the order in which answers arrived, which can differ in the last bit.
 */
public final class DecimalRounding {
    private DecimalRounding() {}

    /**
     * Computes Python's {@code round(value, decimals)}: the nearest decimal to the exact binary value; where that lies
     * exactly between two,
     * the one whose last digit is even. So 2.675 becomes 2.67, since the double is slightly less, and 0.125 becomes 0.12.
     *
     * @param value finite
     */
    public static double round(double value, int decimals) {
        return new BigDecimal(value).setScale(decimals, RoundingMode.HALF_EVEN).doubleValue();
    }

    /** Returns the rounded value as text with all its decimals, as Python's {@code format} writes it. */
    public static String text(double value, int decimals) {
        return new BigDecimal(value).setScale(decimals, RoundingMode.HALF_EVEN).toPlainString();
    }

    /**
     * Computes the mean.
     *
     * @param values finite, at least one
     */
    static double mean(Collection<Double> values) {
        BigDecimal sum = values.stream().map(BigDecimal::new).reduce(BigDecimal.ZERO, BigDecimal::add);
        return sum.doubleValue() / values.size();
    }
}
