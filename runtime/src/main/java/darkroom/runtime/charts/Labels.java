package darkroom.runtime.charts;

/**
 * Texts of a chart.
 *
 * @param title of the chart
 * @param note what is shown, beside the title; may be empty
 * @param x name and unit of the horizontal axis
 * @param y name and unit of the vertical axis
 */
public record Labels(String title, String note, String x, String y) {}
