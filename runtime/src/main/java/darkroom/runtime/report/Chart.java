package darkroom.runtime.report;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.stream.DoubleStream;

/**
 * A figure of the report: title, legend, and an SVG drawing with labelled axes. Well-formed XML; colours come from the
 * classes {@code c0} to {@code c4} of the enclosing page, for light and dark.
 */
public final class Chart {
    private static final int WIDTH = 560;
    private static final int HEIGHT = 280;
    private static final int LEFT = 52;
    private static final int RIGHT = 14;
    private static final int TOP = 12;
    private static final int BOTTOM = 42;
    private static final int TICKS = 5;

    /** Points drawn per series; a longer series is averaged over as many stretches. */
    private static final int POINTS_MAX = 240;

    /** Bars drawn in a stacked chart; more are averaged. */
    private static final int BARS_MAX = 80;

    private final List<String> legend = new ArrayList<>();
    private final StringBuilder marks = new StringBuilder();
    private final Range x;
    private final Range y;
    private final long left;

    /** @param left number of values that are not finite and are not drawn */
    private Chart(Range x, Range y, long left) {
        this.x = x;
        this.y = y;
        this.left = left;
    }

    record Point(double x, double y) {
        private boolean isFinite() {
            return Double.isFinite(x) && Double.isFinite(y);
        }
    }

    /** Style in which a series is drawn. */
    enum Mark {
        /** A thin pale line, for scattered values. */
        PALE,
        LINE,
        /** A line with a dot at each point. */
        DOTS,
        /** Points only. */
        DIAMONDS
    }

    /** @param colour index of the colour, 0 to 4 */
    record Series(String name, int colour, Mark mark, List<Point> points) {
        Series {
            points = List.copyOf(points);
        }

        private Series finite() {
            return new Series(
                    name, colour, mark, points.stream().filter(Point::isFinite).toList());
        }
    }

    /** A horizontal dashed line across the whole chart. */
    record Level(String name, int colour, double y) {}

    /**
     * Title and axis labels of a chart.
     *
     * @param title title of the chart
     * @param x name and unit of the horizontal axis
     * @param y name and unit of the vertical axis
     */
    public record Labels(String title, String x, String y) {}

    /** One colour of stacked bars. */
    public record Layer(String name, int colour, List<Double> values) {
        public Layer {
            values = List.copyOf(values);
        }

        private double[] figures() {
            return values.stream().mapToDouble(Double::doubleValue).toArray();
        }

        private long infinite() {
            return values.stream().filter(value -> !Double.isFinite(value)).count();
        }

        /** Returns this layer without the values that are not finite. */
        private Layer finite() {
            return new Layer(
                    name, colour, values.stream().filter(Double::isFinite).toList());
        }

        /** Returns this layer with 0 in place of values that are not finite. */
        private Layer drawable() {
            return new Layer(
                    name,
                    colour,
                    values.stream()
                            .map(value -> Double.isFinite(value) ? value : 0)
                            .toList());
        }
    }

    /** Returns curves over a common axis; the vertical axis spans the values. Needs at least one point or level. */
    static String lines(Labels labels, List<Series> series, List<Level> all) {
        List<Level> levels =
                all.stream().filter(level -> Double.isFinite(level.y())).toList();
        List<Series> shown = series.stream()
                .map(Series::finite)
                .filter(one -> !one.points().isEmpty())
                .toList();
        long left = all.size()
                - levels.size()
                + series.stream()
                        .flatMap(one -> one.points().stream())
                        .filter(point -> !point.isFinite())
                        .count();
        double[] xs = shown.stream()
                .flatMap(one -> one.points().stream())
                .mapToDouble(Point::x)
                .toArray();
        double[] ys = DoubleStream.concat(
                        shown.stream().flatMap(one -> one.points().stream()).mapToDouble(Point::y),
                        levels.stream().mapToDouble(Level::y))
                .toArray();
        Chart chart = new Chart(Range.tight(xs), Range.round(ys), left);
        levels.forEach(chart::level);
        shown.forEach(chart::curve);
        levels.forEach(level -> chart.swatch("level", level.colour(), level.name()));
        return chart.figure(labels, chart.xTicks());
    }

    /**
     * Returns one stacked bar per step, from 0.
     *
     * @param all layers of equal length, from the bottom
     */
    static String stacks(Labels labels, List<Layer> all) {
        List<Layer> layers = all.stream().map(Layer::drawable).toList();
        long left = all.stream().mapToLong(Layer::infinite).sum();
        int steps = layers.getFirst().values().size();
        int bars = Math.min(steps, BARS_MAX);
        List<double[]> heights =
                layers.stream().map(layer -> averaged(layer.figures(), bars)).toList();
        double[] tops = new double[bars];
        heights.forEach(layer -> Arrays.setAll(tops, bar -> tops[bar] + layer[bar]));
        Chart chart = new Chart(
                new Range(0, Math.max(1, steps), Range.step(0, Math.max(1, steps))),
                Range.round(DoubleStream.concat(DoubleStream.of(0), Arrays.stream(tops))
                        .toArray()),
                left);
        double[] from = new double[bars];
        for (int i = 0; i < layers.size(); i++) {
            double[] layer = heights.get(i);
            chart.swatch("bar", layers.get(i).colour(), layers.get(i).name());
            for (int bar = 0; bar < bars; bar++) {
                double begin = (double) bar * steps / bars;
                double right = (double) (bar + 1) * steps / bars;
                chart.bar(layers.get(i).colour(), begin, right, from[bar], from[bar] + layer[bar]);
                from[bar] += layer[bar];
            }
        }
        return chart.figure(labels, chart.xTicks());
    }

    /**
     * Returns two or more samples over the same bins, side by side, each as a share of its own size in percent.
     *
     * @param layers samples, not counts; empty ones are left out
     * @param bins number of bins, from 0 to the largest value rounded up
     */
    public static String histogram(Labels labels, List<Layer> layers, int bins) {
        long left = layers.stream().mapToLong(Layer::infinite).sum();
        List<Layer> shown = layers.stream()
                .map(Layer::finite)
                .filter(layer -> !layer.values().isEmpty())
                .toList();
        Range x = Range.round(DoubleStream.concat(
                        DoubleStream.of(0, 1e-6),
                        shown.stream().flatMapToDouble(layer -> Arrays.stream(layer.figures())))
                .toArray());
        List<double[]> shares = shown.stream()
                .map(layer -> shares(layer.figures(), x.high(), bins))
                .toList();
        Chart chart = new Chart(
                x,
                Range.round(
                        DoubleStream.concat(DoubleStream.of(0), shares.stream().flatMapToDouble(Arrays::stream))
                                .toArray()),
                left);
        double width = x.high() / bins;
        for (int i = 0; i < shown.size(); i++) {
            chart.swatch("bar", shown.get(i).colour(), shown.get(i).name());
            for (int bin = 0; bin < bins; bin++) {
                double begin = width * (bin + .08 + .84 * i / shown.size());
                double right = width * (bin + .08 + .84 * (i + 1) / shown.size());
                chart.bar(shown.get(i).colour(), begin, right, 0, shares.get(i)[bin]);
            }
        }
        return chart.figure(labels, chart.xTicks());
    }

    private static double[] shares(double[] values, double high, int bins) {
        double[] shares = new double[bins];
        for (double value : values) {
            int bin = Math.clamp((long) (value / high * bins), 0, bins - 1);
            shares[bin] += 100.0 / values.length;
        }
        return shares;
    }

    private static double[] averaged(double[] values, int count) {
        double[] means = new double[count];
        for (int i = 0; i < count; i++) {
            int from = (int) ((long) i * values.length / count);
            int to = (int) ((long) (i + 1) * values.length / count);
            means[i] = Arrays.stream(values, from, to).average().orElse(0);
        }
        return means;
    }

    private static List<Point> averaged(List<Point> points) {
        if (points.size() <= POINTS_MAX) {
            return points;
        }
        double[] xs = averaged(points.stream().mapToDouble(Point::x).toArray(), POINTS_MAX);
        double[] ys = averaged(points.stream().mapToDouble(Point::y).toArray(), POINTS_MAX);
        List<Point> fewer = new ArrayList<>();
        for (int i = 0; i < xs.length; i++) {
            fewer.add(new Point(xs[i], ys[i]));
        }
        return fewer;
    }

    private void level(Level level) {
        marks.append(String.format(
                Locale.ROOT,
                "<line class=\"level c%d\" x1=\"%d\" x2=\"%d\" y1=\"%s\" y2=\"%s\"><title>%s: %s</title></line>",
                level.colour(),
                LEFT,
                WIDTH - RIGHT,
                y(level.y()),
                y(level.y()),
                escaped(level.name()),
                figure(level.y())));
    }

    private void curve(Series series) {
        List<Point> points = averaged(series.points());
        if (series.mark() != Mark.PALE) {
            swatch(series.mark() == Mark.DIAMONDS ? "diamond" : "line", series.colour(), series.name());
        }
        if (series.mark() != Mark.DIAMONDS) {
            StringBuilder path = new StringBuilder();
            for (Point point : points) {
                path.append(path.isEmpty() ? "M" : "L")
                        .append(x(point.x()))
                        .append(' ')
                        .append(y(point.y()));
            }
            String kind = series.mark() == Mark.PALE ? "line pale" : "line";
            marks.append(String.format(Locale.ROOT, "<path class=\"%s c%d\" d=\"%s\"/>", kind, series.colour(), path));
        }
        switch (series.mark()) {
            case PALE, LINE -> {}
            case DOTS ->
                points.forEach(point -> marks.append(String.format(
                        Locale.ROOT,
                        "<circle class=\"dot c%d\" cx=\"%s\" cy=\"%s\" r=\"3.2\">%s</circle>",
                        series.colour(),
                        x(point.x()),
                        y(point.y()),
                        tip(series, point))));
            case DIAMONDS ->
                points.forEach(point -> marks.append(String.format(
                        Locale.ROOT,
                        "<path class=\"dot c%d\" d=\"M%s %sl6 6l-6 6l-6 -6z\">%s</path>",
                        series.colour(),
                        x(point.x()),
                        pixel(yAt(point.y()) - 6),
                        tip(series, point))));
        }
    }

    private static String tip(Series series, Point point) {
        return String.format(
                Locale.ROOT,
                "<title>%s, step %s: %s</title>",
                escaped(series.name()),
                figure(point.x()),
                figure(point.y()));
    }

    private void bar(int colour, double left, double right, double low, double high) {
        if (high > low) {
            marks.append(String.format(
                    Locale.ROOT,
                    "<rect class=\"bar c%d\" x=\"%s\" y=\"%s\" width=\"%s\" height=\"%s\"/>",
                    colour,
                    x(left),
                    y(high),
                    pixel(Math.max(.5, xAt(right) - xAt(left) - .6)),
                    pixel(yAt(low) - yAt(high))));
        }
    }

    private void swatch(String kind, int colour, String name) {
        String drawing =
                switch (kind) {
                    case "bar" -> "<rect class=\"bar c%d\" x=\"4\" y=\"1\" width=\"10\" height=\"10\"/>";
                    case "diamond" -> "<path class=\"dot c%d\" d=\"M9 1l5 5l-5 5l-5 -5z\"/>";
                    case "level" -> "<line class=\"level c%d\" x1=\"0\" x2=\"18\" y1=\"6\" y2=\"6\"/>";
                    default -> "<line class=\"line c%d\" x1=\"0\" x2=\"18\" y1=\"6\" y2=\"6\"/>";
                };
        legend.add(String.format(
                Locale.ROOT,
                "<li><svg class=\"swatch\" viewBox=\"0 0 18 12\" aria-hidden=\"true\">" + drawing + "</svg>%s</li>",
                colour,
                escaped(name)));
    }

    private String figure(Labels labels, List<Double> xTicks) {
        StringBuilder axes = new StringBuilder();
        for (double tick : y.ticks()) {
            axes.append(String.format(
                    Locale.ROOT,
                    "<line class=\"grid\" x1=\"%d\" x2=\"%d\" y1=\"%s\" y2=\"%s\"/>"
                            + "<text class=\"tick end\" x=\"%d\" y=\"%s\">%s</text>",
                    LEFT,
                    WIDTH - RIGHT,
                    y(tick),
                    y(tick),
                    LEFT - 8,
                    pixel(yAt(tick) + 4),
                    figure(tick)));
        }
        for (double tick : xTicks) {
            axes.append(String.format(
                    Locale.ROOT,
                    "<line class=\"grid\" x1=\"%s\" x2=\"%s\" y1=\"%d\" y2=\"%d\"/>"
                            + "<text class=\"tick middle\" x=\"%s\" y=\"%d\">%s</text>",
                    x(tick),
                    x(tick),
                    HEIGHT - BOTTOM,
                    HEIGHT - BOTTOM + 4,
                    x(tick),
                    HEIGHT - BOTTOM + 18,
                    figure(tick)));
        }
        return String.format(
                Locale.ROOT,
                "<figure class=\"chart\"><figcaption>%s <span>%s</span></figcaption>%s"
                        + "<svg viewBox=\"0 0 %d %d\" role=\"img\" aria-label=\"%s\">%s"
                        + "<line class=\"axis\" x1=\"%d\" x2=\"%d\" y1=\"%d\" y2=\"%d\"/>%s"
                        + "<text class=\"tick middle\" x=\"%d\" y=\"%d\">%s</text></svg></figure>",
                escaped(labels.title()),
                escaped(labels.y()) + (left == 0 ? "" : "; " + left + " values are not finite and are not drawn"),
                legend.size() > 1 ? "<ul class=\"legend\">" + String.join("", legend) + "</ul>" : "",
                WIDTH,
                HEIGHT,
                escaped(labels.title() + ", " + labels.y() + ", by " + labels.x()),
                axes,
                LEFT,
                WIDTH - RIGHT,
                HEIGHT - BOTTOM,
                HEIGHT - BOTTOM,
                marks,
                (LEFT + WIDTH - RIGHT) / 2,
                HEIGHT - 6,
                escaped(labels.x()));
    }

    private List<Double> xTicks() {
        return x.ticks();
    }

    private double xAt(double value) {
        return LEFT + (value - x.low()) / (x.high() - x.low()) * (WIDTH - LEFT - RIGHT);
    }

    private double yAt(double value) {
        return HEIGHT - BOTTOM - (value - y.low()) / (y.high() - y.low()) * (HEIGHT - TOP - BOTTOM);
    }

    private String x(double value) {
        return pixel(xAt(value));
    }

    private String y(double value) {
        return pixel(yAt(value));
    }

    private static String pixel(double value) {
        return String.format(Locale.ROOT, "%.1f", value);
    }

    /** Formats a value with up to four significant digits, without trailing zeros. */
    static String figure(double value) {
        if (value == 0) {
            return "0";
        }
        if (Math.abs(value) >= 1e6 || Math.abs(value) < 1e-4) {
            return String.format(Locale.ROOT, "%.2e", value);
        }
        int decimals = Math.clamp(3 - (long) Math.floor(Math.log10(Math.abs(value))), 0, 6);
        String digits = String.format(Locale.ROOT, "%." + decimals + "f", value);
        return digits.contains(".") ? digits.replaceAll("\\.?0+$", "") : digits;
    }

    static String escaped(String text) {
        return text.replace("&", "&amp;")
                .replace("<", "&lt;")
                .replace(">", "&gt;")
                .replace("\"", "&quot;");
    }

    /**
     * Span of an axis.
     *
     * @param step distance between its ticks: 1, 2 or 5 times a power of ten
     */
    private record Range(double low, double high, double step) {
        /** Returns the range from the smallest to the largest value. */
        static Range tight(double[] values) {
            double low = Arrays.stream(values).min().orElse(0);
            double high = Arrays.stream(values).max().orElse(1);
            if (high > low) {
                return new Range(low, high, step(low, high));
            }
            double half = low == 0 ? 1 : Math.abs(low) / 2;
            return new Range(low - half, low + half, step(low - half, low + half));
        }

        /** Returns the range from a tick below to a tick above all values. */
        static Range round(double[] values) {
            Range tight = tight(values);
            double step = tight.step();
            double low = Math.floor(tight.low() / step + 1e-9) * step;
            double high = Math.ceil(tight.high() / step - 1e-9) * step;
            return new Range(low, high > low ? high : low + step, step);
        }

        static double step(double low, double high) {
            double rough = (high - low) / TICKS;
            double power = Math.pow(10, Math.floor(Math.log10(rough)));
            double digit = rough / power;
            return power * (digit <= 1 ? 1 : digit <= 2 ? 2 : digit <= 5 ? 5 : 10);
        }

        List<Double> ticks() {
            List<Double> ticks = new ArrayList<>();
            for (long i = (long) Math.ceil(low / step - 1e-9); i * step <= high + step * 1e-9; i++) {
                ticks.add(i * step);
            }
            return ticks;
        }
    }
}
