package darkroom.runtime.charts;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/** One stacked bar per step, from 0. */
public final class StackedBars {
    /** Bars drawn; more are averaged over as many stretches. */
    static final int BARS_MAX = 80;

    private StackedBars() {}

    /**
     * Returns the chart as an HTML {@code figure}, well-formed XML. Values that are not finite are dropped and counted in
     * its caption.
     *
     * @param layers of equal length, from the bottom; one value per step
     */
    public static String of(Labels labels, List<Layer> layers) {
        int steps = layers.getFirst().values().size();
        int bars = Math.min(steps, BARS_MAX);
        List<Double> xs = new ArrayList<>();
        List<Double> ys = new ArrayList<>();
        List<String> names = new ArrayList<>();
        for (Layer layer : layers.reversed()) {
            List<Double> heights = Stretches.means(
                    layer.values().stream()
                            .map(value -> Double.isFinite(value) ? value : 0)
                            .toList(),
                    bars);
            for (int bar = 0; bar < bars; bar++) {
                xs.add((bar + .5) * steps / bars - .5);
                ys.add(heights.get(bar));
                names.add(layer.name());
            }
        }
        List<String> all = layers.stream().map(Layer::name).toList();
        Plot plot = new Plot(Figure.WIDTH, Figure.HEIGHT)
                .scale("x", labels.x(), Steps.breaks(0, Math.max(0, steps - 1)))
                .scale("y", labels.y(), Map.of("expand", List.of(0.0, 0.0)))
                .layer(
                        "bar",
                        Map.of("x", xs, "y", ys, "name", names),
                        Map.of("x", "x", "y", "y", "fill", "name"),
                        Map.of("stat", "identity", "position", "stack", "width", .86, "size", 0))
                .values(
                        "fill",
                        all,
                        layers.stream().map(layer -> layer.color().hex()).toList())
                .legend("fill", 1);
        return Figure.of(labels, layers.stream().mapToLong(Layer::infinite).sum(), plot);
    }
}
