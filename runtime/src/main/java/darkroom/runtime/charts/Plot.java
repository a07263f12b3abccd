package darkroom.runtime.charts;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jetbrains.letsPlot.commons.encoding.UnsupportedRGBEncoder;
import org.jetbrains.letsPlot.commons.geometry.DoubleVector;
import org.jetbrains.letsPlot.core.util.PlotSvgExportCommon;

/**
 * A chart as Lets-Plot's specification: layers of marks over columns of data, scales, and the theme of the pages. Source:
 * the JSON form of <a href="https://lets-plot.org">Lets-Plot</a>'s grammar of graphics, of which this class has the part
 * that the pages need.
 */
public final class Plot {
    private static final int TEXT_SIZE = 12;
    private static final Map<String, Object> BLANK = Map.of("name", "blank", "blank", true);

    private final int width;
    private final int height;
    private final List<Map<String, Object>> layers = new ArrayList<>();
    private final List<Map<String, Object>> scales = new ArrayList<>();
    private final Map<String, Object> theme = new LinkedHashMap<>();
    private final Map<String, Object> guides = new LinkedHashMap<>();

    /**
     * Begins a plot without layers.
     *
     * @param width of the drawing, pixels, with texts of 12 pixels
     * @param height of the drawing, pixels
     */
    public Plot(int width, int height) {
        this.width = width;
        this.height = height;
        theme.put("name", "none");
        theme.put("text", text(PageColor.SOFT));
        theme.put("axis_title", text(PageColor.SOFT));
        theme.put("axis_text", text(PageColor.SOFT));
        theme.put("legend_text", text(PageColor.SOFT));
        theme.put("legend_title", BLANK);
        theme.put("legend_position", "top");
        theme.put("legend_justification", List.of(0.0, 1.0));
        theme.put("legend_direction", "horizontal");
        theme.put("panel_grid_minor", BLANK);
        theme.put("panel_grid_major_x", BLANK);
        theme.put("panel_grid_major_y", line(PageColor.GRID));
        theme.put("axis_line_y", BLANK);
        theme.put("axis_line_x", line(PageColor.SOFT));
        theme.put("axis_ticks_x", line(PageColor.SOFT));
        theme.put("axis_ticks_y", BLANK);
        theme.put("plot_background", BLANK);
        theme.put("panel_background", BLANK);
        theme.put("legend_background", BLANK);
    }

    int width() {
        return width;
    }

    /**
     * Adds marks.
     *
     * @param geometry for example {@code line} or {@code point}
     * @param columns data: a list of numbers or texts, of equal length, by name
     * @param mapping column by aesthetic, for example {@code y} or {@code color}
     * @param constants further options of the layer, and aesthetics that are the same for all marks
     * @throws IllegalArgumentException if a number is not finite
     */
    public Plot layer(
            String geometry,
            Map<String, ? extends List<?>> columns,
            Map<String, String> mapping,
            Map<String, Object> constants) {
        columns.forEach((name, values) -> {
            if (values.stream().anyMatch(value -> value instanceof Double number && !Double.isFinite(number))) {
                throw new IllegalArgumentException(
                        "column \"%s\" of a %s layer has a value that is not finite. Drop and count it."
                                .formatted(name, geometry));
            }
        });
        Map<String, Object> layer = new LinkedHashMap<>(constants);
        layer.put("geom", geometry);
        layer.put("data", new LinkedHashMap<>(columns));
        layer.put("mapping", new LinkedHashMap<>(mapping));
        layer.put("tooltips", "none");
        layers.add(layer);
        return this;
    }

    /** Adds a layer that has axes from 0 to 1 and no visible mark, for a plot without data. */
    public Plot empty() {
        List<Double> ends = List.of(0.0, 1.0);
        return layer(
                "point", Map.of("x", ends, "y", ends), Map.of("x", "x", "y", "y"), Map.of("alpha", 0.0, "size", 0.0));
    }

    /** Sets name and options of an axis or of another scale. */
    public Plot scale(String aesthetic, String name, Map<String, Object> options) {
        Map<String, Object> scale = new LinkedHashMap<>(options);
        scale.put("aesthetic", aesthetic);
        scale.put("name", name);
        scales.add(scale);
        return this;
    }

    /** Gives each of the {@code names} in a column its own value of an aesthetic, in this order. */
    public Plot values(String aesthetic, List<String> names, List<?> values) {
        return scale(aesthetic, "", Map.of("values", values, "breaks", names, "limits", names, "discrete", true));
    }

    /** Draws the legend of an aesthetic in rows, or none for 0 rows. */
    public Plot legend(String aesthetic, int rows) {
        guides.put(aesthetic, rows == 0 ? "none" : Map.of("name", "legend", "nrow", rows, "byrow", true));
        return this;
    }

    /** Draws vertical grid lines instead of horizontal ones. */
    public Plot verticalGrid() {
        theme.put("panel_grid_major_x", line(PageColor.GRID));
        theme.put("panel_grid_major_y", BLANK);
        return this;
    }

    /**
     * Returns the drawing: an {@code svg} element without references to anything outside it.
     *
     * @param description text for readers who do not see it
     * @throws IllegalStateException if Lets-Plot refuses the specification
     */
    public String svg(String description) {
        Map<String, Object> specification = new LinkedHashMap<>();
        specification.put("kind", "plot");
        specification.put("layers", layers);
        specification.put("scales", scales);
        specification.put("theme", theme);
        specification.put("guides", guides);
        String svg;
        try {
            svg = PlotSvgExportCommon.INSTANCE.buildSvgImageFromRawSpecs(
                    specification, new DoubleVector(width, height), new UnsupportedRGBEncoder(), false);
        } catch (RuntimeException e) {
            throw new IllegalStateException("the chart \"%s\" cannot be drawn".formatted(description), e);
        }
        return PlotSvg.forPage(svg, width, height, description);
    }

    private static Map<String, Object> text(PageColor color) {
        return Map.of("name", "text", "blank", false, "size", TEXT_SIZE, "color", color.hex());
    }

    private static Map<String, Object> line(PageColor color) {
        return Map.of("name", "line", "blank", false, "size", 1, "color", color.hex());
    }
}
