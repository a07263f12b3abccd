package darkroom.runtime.charts;

import darkroom.runtime.base.HtmlPages;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/** The {@code figure} element of a chart: title, what is shown, how many values are not drawn, and the drawing. */
public final class Figure {
    /** Width of a chart, pixels; the page scales it. */
    static final int WIDTH = 560;

    /** Height of a chart, pixels. */
    static final int HEIGHT = 300;

    private Figure() {}

    /**
     * Returns the element, well-formed XML; a wider plot than {@link #WIDTH} has a row of the page for itself.
     *
     * @param dropped number of values that are not finite and are not drawn
     */
    public static String of(Labels labels, long dropped, Plot plot) {
        String missing = dropped == 0
                ? ""
                : dropped == 1
                        ? "1 value is not finite and is not drawn"
                        : dropped + " values are not finite and are not drawn";
        String note = Stream.of(labels.note(), missing)
                .filter(text -> !text.isEmpty())
                .collect(Collectors.joining("; "));
        return "<figure class=\"%s\"><figcaption>%s <span>%s</span></figcaption>%s</figure>"
                .formatted(
                        plot.width() > WIDTH ? "chart full" : "chart",
                        HtmlPages.escaped(labels.title()),
                        HtmlPages.escaped(note),
                        plot.svg("%s: %s by %s".formatted(labels.title(), labels.y(), labels.x())));
    }
}
