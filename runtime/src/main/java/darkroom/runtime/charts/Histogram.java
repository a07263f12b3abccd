package darkroom.runtime.charts;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;

/** Two or more samples over the same bins, side by side, each as a share of its own size. */
public final class Histogram {
    private static final double HIGH_MIN = 1e-6;

    private Histogram() {}

    /**
     * Returns the chart as an HTML {@code figure}, well-formed XML. Values that are not finite are dropped and counted in
     * its caption.
     *
     * @param samples values, not counts, from 0; those without a finite value are left out
     * @param bins number of bins, from 0 to the largest value
     */
    public static String of(Labels labels, List<Layer> samples, int bins) {
        long dropped = samples.stream().mapToLong(Layer::infinite).sum();
        List<Layer> shown = samples.stream()
                .map(layer -> new Layer(
                        layer.name(),
                        layer.color(),
                        layer.values().stream().filter(Double::isFinite).toList()))
                .filter(layer -> !layer.values().isEmpty())
                .toList();
        double high = shown.stream()
                .flatMap(layer -> layer.values().stream())
                .mapToDouble(Double::doubleValue)
                .reduce(HIGH_MIN, Math::max);
        List<Double> xs = new ArrayList<>();
        List<Double> ys = new ArrayList<>();
        List<String> names = new ArrayList<>();
        for (Layer layer : shown) {
            double[] shares = shares(layer.values(), high, bins);
            for (int bin = 0; bin < bins; bin++) {
                xs.add((bin + .5) * high / bins);
                ys.add(shares[bin]);
                names.add(layer.name());
            }
        }
        Plot plot = new Plot(Figure.WIDTH, Figure.HEIGHT)
                .scale("x", labels.x(), Map.of())
                .scale("y", labels.y(), Map.of("expand", List.of(0.0, 0.0)));
        if (shown.isEmpty()) {
            return Figure.of(labels, dropped, plot.empty());
        }
        plot.layer(
                        "bar",
                        Map.of("x", xs, "y", ys, "name", names),
                        Map.of("x", "x", "y", "y", "fill", "name"),
                        Map.of("stat", "identity", "position", "dodge", "width", .86, "size", 0))
                .values(
                        "fill",
                        shown.stream().map(Layer::name).toList(),
                        shown.stream().map(layer -> layer.color().hex()).toList())
                .legend("fill", shown.size() < 2 ? 0 : 1);
        return Figure.of(labels, dropped, plot);
    }

    /** Returns the share of each bin, percent. */
    private static double[] shares(List<Double> values, double high, int bins) {
        int[] counts = new int[bins];
        for (double value : values) {
            counts[Math.clamp((long) (value / high * bins), 0, bins - 1)]++;
        }
        return Arrays.stream(counts)
                .mapToDouble(count -> 100.0 * count / values.size())
                .toArray();
    }
}
