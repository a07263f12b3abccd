package darkroom.runtime.charts;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.OptionalDouble;

/** One line per name, from a value before to a value after, on a common axis from 0 to 1. */
public final class ChangeChart {
    private static final int WIDTH = 1120;
    private static final int ROW_HEIGHT = 26;
    private static final int FRAME_HEIGHT = 96;

    private ChangeChart() {}

    /**
     * Values of one name, from 0 to 1; absent ones are not drawn.
     *
     * @param reference a value to compare with
     */
    public record Change(String name, OptionalDouble before, OptionalDouble after, OptionalDouble reference) {}

    /**
     * Returns the chart as an HTML {@code figure}, well-formed XML. Values that are not finite are dropped and counted in
     * its caption.
     *
     * @param changes with different names, from the top
     * @param reference name of the references in the legend
     */
    public static String of(Labels labels, List<Change> changes, String reference) {
        List<String> names = changes.stream().map(Change::name).toList();
        List<String> kinds = List.of("before", "after", reference);
        List<Double> xs = new ArrayList<>();
        List<String> ys = new ArrayList<>();
        List<String> marks = new ArrayList<>();
        List<Double> from = new ArrayList<>();
        List<Double> to = new ArrayList<>();
        List<String> rows = new ArrayList<>();
        long dropped = 0;
        for (Change change : changes) {
            List<OptionalDouble> values = List.of(change.before(), change.after(), change.reference());
            for (int i = 0; i < values.size(); i++) {
                if (isFinite(values.get(i))) {
                    xs.add(values.get(i).getAsDouble());
                    ys.add(change.name());
                    marks.add(kinds.get(i));
                } else if (values.get(i).isPresent()) {
                    dropped++;
                }
            }
            if (isFinite(change.before()) && isFinite(change.after())) {
                from.add(change.before().getAsDouble());
                to.add(change.after().getAsDouble());
                rows.add(change.name());
            }
        }
        List<String> shown = kinds.stream().filter(marks::contains).toList();
        Plot plot = new Plot(WIDTH, FRAME_HEIGHT + ROW_HEIGHT * changes.size())
                .scale("x", labels.x(), Map.of("limits", List.of(0.0, 1.0), "expand", List.of(0.0, .015)))
                .scale("y", "", Map.of("limits", names.reversed(), "discrete", true, "expand", List.of(0.0, .7)))
                .layer(
                        "segment",
                        Map.of("from", from, "to", to, "row", rows),
                        Map.of("x", "from", "xend", "to", "y", "row", "yend", "row"),
                        Map.of("color", PageColor.BLUE.hex(), "size", 1.2, "show_legend", false))
                .layer(
                        "point",
                        Map.of("x", xs, "row", ys, "mark", marks),
                        Map.of("x", "x", "y", "row", "shape", "mark", "color", "mark", "size", "mark"),
                        Map.of("fill", PageColor.CARD.hex(), "stroke", 1.5))
                .values("shape", shown, shown.stream().map(ChangeChart::shape).toList())
                .values("size", shown, shown.stream().map(ChangeChart::size).toList())
                .values("color", shown, shown.stream().map(ChangeChart::color).toList())
                .legend("shape", 1)
                .legend("size", 1)
                .legend("color", 1);
        return Figure.of(labels, dropped, plot);
    }

    private static boolean isFinite(OptionalDouble value) {
        return value.isPresent() && Double.isFinite(value.getAsDouble());
    }

    /** Returns the number of a shape, as R counts them: a ring, a disc, a diamond. */
    private static int shape(String kind) {
        return switch (kind) {
            case "before" -> 21;
            case "after" -> 16;
            default -> 18;
        };
    }

    private static double size(String kind) {
        return switch (kind) {
            case "before" -> 3.2;
            case "after" -> 4;
            default -> 6;
        };
    }

    private static String color(String kind) {
        return switch (kind) {
            case "before", "after" -> PageColor.BLUE.hex();
            default -> PageColor.PURPLE.hex();
        };
    }
}
