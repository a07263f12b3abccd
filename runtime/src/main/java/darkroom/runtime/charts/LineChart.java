package darkroom.runtime.charts;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.stream.DoubleStream;

/** Curves over a common horizontal axis; the vertical axis spans the values. */
public final class LineChart {
    /** Points drawn per series; a longer series is averaged over as many stretches. */
    static final int POINTS_MAX = 240;

    /** Names beside each other in a row of the legend. */
    private static final int LEGEND_COLUMNS = 2;

    private LineChart() {}

    /** A value at a place of the horizontal axis. */
    public record Point(double x, double y) {
        private boolean isFinite() {
            return Double.isFinite(x) && Double.isFinite(y);
        }
    }

    /** Style in which a series is drawn. */
    public enum Mark {
        /** A thin pale line without a name in the legend, for scattered values. */
        PALE,
        LINE,
        /** A line with a dot at each point. */
        DOTS,
        /** Points only. */
        DIAMONDS,
        /** A dashed line. */
        DASHED
    }

    /** Points under a name, in one style. */
    public record Series(String name, PageColor color, Mark mark, List<Point> points) {
        public Series {
            points = List.copyOf(points);
        }

        private Series finite() {
            return new Series(
                    name, color, mark, points.stream().filter(Point::isFinite).toList());
        }
    }

    /** A dashed horizontal line across the whole chart. */
    public record Level(String name, PageColor color, double y) {}

    /**
     * Returns the chart as an HTML {@code figure}, well-formed XML. Points and levels that are not finite are dropped and
     * counted in its caption.
     */
    public static String of(Labels labels, List<Series> series, List<Level> levels) {
        long points = series.stream().mapToLong(one -> one.points().size()).sum();
        List<Series> shown = new ArrayList<>(series.stream()
                .map(Series::finite)
                .filter(one -> !one.points().isEmpty())
                .toList());
        long drawn = shown.stream().mapToLong(one -> one.points().size()).sum();
        List<Level> finite =
                levels.stream().filter(level -> Double.isFinite(level.y())).toList();
        double first = places(shown).min().orElse(0);
        double last = places(shown).max().orElse(1);
        double low = first < last ? first : first - .5;
        double high = first < last ? last : last + .5;
        finite.forEach(level -> shown.add(new Series(
                level.name(),
                level.color(),
                Mark.DASHED,
                List.of(new Point(low, level.y()), new Point(high, level.y())))));
        long dropped = points - drawn + levels.size() - finite.size();
        return Figure.of(labels, dropped, plot(labels, shown, low, high));
    }

    private static DoubleStream places(List<Series> series) {
        return series.stream().flatMap(one -> one.points().stream()).mapToDouble(Point::x);
    }

    private static Plot plot(Labels labels, List<Series> series, double low, double high) {
        Plot plot = new Plot(Figure.WIDTH, Figure.HEIGHT)
                .scale("x", labels.x(), Steps.breaks(low, high))
                .scale("y", labels.y(), Map.of());
        if (series.isEmpty()) {
            return plot.empty();
        }
        List<Series> named =
                series.stream().filter(one -> one.mark() != Mark.PALE).toList();
        series.stream()
                .filter(one -> one.mark() == Mark.PALE)
                .forEach(one -> plot.layer(
                        "line",
                        columns(List.of(one)),
                        Map.of("x", "x", "y", "y"),
                        Map.of("color", one.color().hex(), "alpha", .35, "size", .6, "show_legend", false)));
        List<String> names = named.stream().map(Series::name).toList();
        return plot.layer(
                        "line",
                        columns(named),
                        Map.of("x", "x", "y", "y", "color", "name", "linetype", "name", "alpha", "name"),
                        Map.of("size", 1))
                .layer(
                        "point",
                        columns(named),
                        Map.of("x", "x", "y", "y", "color", "name", "shape", "name", "size", "name"),
                        Map.of())
                .values(
                        "color",
                        names,
                        named.stream().map(one -> one.color().hex()).toList())
                .values(
                        "linetype",
                        names,
                        named.stream()
                                .map(one -> one.mark() == Mark.DASHED ? "dashed" : "solid")
                                .toList())
                .values(
                        "alpha",
                        names,
                        named.stream()
                                .map(one -> one.mark() == Mark.DIAMONDS ? 0.0 : 1.0)
                                .toList())
                .values(
                        "shape",
                        names,
                        named.stream().map(one -> shape(one.mark())).toList())
                .values("size", names, named.stream().map(LineChart::size).toList())
                .legend("color", rows(names))
                .legend("linetype", rows(names))
                .legend("alpha", rows(names))
                .legend("shape", rows(names))
                .legend("size", rows(names));
    }

    private static int rows(List<String> names) {
        return names.size() < 2 ? 0 : (names.size() + LEGEND_COLUMNS - 1) / LEGEND_COLUMNS;
    }

    private static Map<String, List<?>> columns(List<Series> series) {
        List<Double> xs = new ArrayList<>();
        List<Double> ys = new ArrayList<>();
        List<String> names = new ArrayList<>();
        for (Series one : series) {
            for (Point point : averaged(one.points())) {
                xs.add(point.x());
                ys.add(point.y());
                names.add(one.name());
            }
        }
        return Map.of("x", xs, "y", ys, "name", names);
    }

    private static List<Point> averaged(List<Point> points) {
        if (points.size() <= POINTS_MAX) {
            return points;
        }
        List<Double> xs = Stretches.means(points.stream().map(Point::x).toList(), POINTS_MAX);
        List<Double> ys = Stretches.means(points.stream().map(Point::y).toList(), POINTS_MAX);
        List<Point> fewer = new ArrayList<>();
        for (int i = 0; i < POINTS_MAX; i++) {
            fewer.add(new Point(xs.get(i), ys.get(i)));
        }
        return fewer;
    }

    /** Returns the number of a shape, as R counts them. */
    private static int shape(Mark mark) {
        return switch (mark) {
            case PALE, LINE, DOTS, DASHED -> 16;
            case DIAMONDS -> 18;
        };
    }

    private static double size(Series series) {
        return switch (series.mark()) {
            case LINE -> series.points().size() == 1 ? 3 : 0;
            case PALE, DASHED -> 0;
            case DOTS -> 3;
            case DIAMONDS -> 5;
        };
    }
}
