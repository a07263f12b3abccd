package darkroom.actors.statistics;

import java.util.Collection;

/**
 * Mean and population standard deviation of some rewards.
 *
 * @param mean 0 if there are none
 * @param std exactly 0 if all are equal, so that a unanimous group gets no advantages from rounding
 */
record Spread(int count, double mean, double std) {

    static Spread of(Collection<Double> rewards) {
        if (rewards.isEmpty()) {
            return new Spread(0, 0, 0);
        }
        double[] values = rewards.stream().mapToDouble(Double::doubleValue).toArray();
        double first = values[0];
        boolean unanimous = true;
        for (double value : values) {
            unanimous &= value == first;
        }
        if (unanimous) {
            return new Spread(values.length, first, 0);
        }
        double mean = sum(values) / values.length;
        double[] squares = new double[values.length];
        for (int i = 0; i < values.length; i++) {
            squares[i] = (values[i] - mean) * (values[i] - mean);
        }
        return new Spread(values.length, mean, Math.sqrt(sum(squares) / values.length));
    }

    /** Neumaier's compensated sum: the order of the rewards affects at most the last bit. */
    private static double sum(double[] values) {
        double sum = 0;
        double lost = 0;
        for (double value : values) {
            double next = sum + value;
            lost += Math.abs(sum) >= Math.abs(value) ? (sum - next) + value : (value - next) + sum;
            sum = next;
        }
        return sum + lost;
    }
}
