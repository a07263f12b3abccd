package darkroom.runtime.report;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import org.junit.jupiter.api.Test;

/** Charts of a run that has diverged. */
final class ChartTest {
    private static final Chart.Labels LABELS = new Chart.Labels("Loss", "step", "loss");

    @Test
    void points_that_are_not_finite_are_left_out_and_counted() {
        String chart = Chart.lines(
                LABELS,
                List.of(new Chart.Series(
                        "policy",
                        0,
                        Chart.Mark.DOTS,
                        List.of(
                                new Chart.Point(0, 1),
                                new Chart.Point(1, Double.NaN),
                                new Chart.Point(2, Double.POSITIVE_INFINITY),
                                new Chart.Point(3, 2)))),
                List.of(new Chart.Level("bound", 1, Double.NaN)));
        assertThat(chart)
                .doesNotContain("NaN", "Infinity")
                .contains("3 values are not finite and are not drawn", "class=\"tick");
        assertThat(chart.split("<circle", -1)).hasSize(3);
    }

    @Test
    void a_series_without_one_finite_point_leaves_an_empty_chart() {
        String chart = Chart.lines(
                LABELS,
                List.of(new Chart.Series("policy", 0, Chart.Mark.LINE, List.of(new Chart.Point(0, Double.NaN)))),
                List.of());
        assertThat(chart).doesNotContain("NaN").contains("1 values are not finite");
    }

    @Test
    void bars_that_are_not_finite_are_left_out_and_counted() {
        List<Chart.Layer> layers = List.of(
                new Chart.Layer("a", 0, List.of(1.0, Double.NaN)),
                new Chart.Layer("b", 1, List.of(Double.NEGATIVE_INFINITY, 2.0)));
        assertThat(Chart.stacks(LABELS, layers))
                .doesNotContain("NaN", "Infinity")
                .contains("2 values are not finite");
        assertThat(Chart.histogram(LABELS, layers, 4))
                .doesNotContain("NaN", "Infinity")
                .contains("2 values are not finite");
        assertThat(Chart.stacks(LABELS, List.of(new Chart.Layer("a", 0, List.of(1.0, 2.0)))))
                .doesNotContain("not finite");
    }
}
