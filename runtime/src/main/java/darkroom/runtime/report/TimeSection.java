package darkroom.runtime.report;

import darkroom.runtime.charts.Labels;
import darkroom.runtime.charts.LineChart;
import darkroom.runtime.charts.PageColor;
import freemarker.core.TemplateHTMLOutputModel;
import java.util.List;
import java.util.Optional;

/** Time by stage, and speed over the steps. */
final class TimeSection {
    private final ReportFiles files;

    TimeSection(ReportFiles files) {
        this.files = files;
    }

    /** Returns the stages; none while the run has not ended. */
    List<ReportPage.Stage> stages() {
        Summary known = files.summary();
        if (known == null) {
            return List.of();
        }
        double whole = known.timings().getOrDefault("steps", 0.0);
        return known.timings().entrySet().stream()
                .map(stage -> new ReportPage.Stage(
                        ReportText.plain(stage.getKey()),
                        ReportText.time(stage.getValue()),
                        whole > 0
                                        && List.of("rollout", "scoring", "waiting", "learning")
                                                .contains(stage.getKey())
                                ? ReportText.fixed(Math.min(100, 100 * stage.getValue() / whole), 0)
                                : ""))
                .toList();
    }

    /** Returns the chart; none if no step has a time. */
    List<TemplateHTMLOutputModel> speed() {
        List<LineChart.Point> points = files.points(StepMetrics::imagesPerSecond);
        return points.isEmpty()
                ? List.of()
                : ReportText.charts(List.of(Optional.of(LineChart.of(
                        new Labels("Speed", "generated, scored and trained on", "steps", "images per second"),
                        List.of(new LineChart.Series("images per second", PageColor.BLUE, LineChart.Mark.LINE, points)),
                        List.of()))));
    }
}
