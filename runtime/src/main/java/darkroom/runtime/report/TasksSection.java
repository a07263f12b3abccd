package darkroom.runtime.report;

import darkroom.runtime.base.EvaluationResult;
import darkroom.runtime.base.Evaluations;
import darkroom.runtime.base.Measurement;
import darkroom.runtime.charts.ChangeChart;
import darkroom.runtime.charts.Labels;
import freemarker.core.TemplateHTMLOutputModel;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalDouble;

/** Held-out figures by task type: a table and a chart. */
final class TasksSection {
    private final ReportFiles files;

    TasksSection(ReportFiles files) {
        this.files = files;
    }

    /** Returns the lines of the table; none if the run was not measured before its first step. */
    List<ReportPage.Task> tasks() {
        Map<String, Measurement.Averages> before = perTask(Evaluations.HELD_OUT_BEFORE);
        Map<String, Measurement.Averages> after = perTask(Evaluations.HELD_OUT_AFTER);
        Map<String, Measurement.Averages> clean = perTask(Evaluations.CLEAN_REFERENCE);
        List<ReportPage.Task> tasks = new ArrayList<>();
        before.forEach((type, start) -> {
            Optional<Measurement.Averages> end = Optional.ofNullable(after.get(type));
            OptionalDouble truthAfter = truth(after, type);
            OptionalDouble truthClean = truth(clean, type);
            OptionalDouble rewardAfter = end.map(Measurement.Averages::reward).orElse(OptionalDouble.empty());
            tasks.add(new ReportPage.Task(
                    ReportText.plain(type),
                    start.edits(),
                    ReportText.fixed(start.groundTruth(), 3),
                    ReportText.fixed(truthAfter, 3),
                    gain(start.groundTruth(), truthAfter),
                    ReportText.fixed(truthClean, 3),
                    ReportText.fixed(start.reward(), 3),
                    ReportText.fixed(rewardAfter, 3),
                    gain(start.reward(), rewardAfter)));
        });
        return tasks;
    }

    /** Returns the chart of ground truth before and after; none if it was not measured. */
    List<TemplateHTMLOutputModel> changes() {
        List<ChangeChart.Change> changes = new ArrayList<>();
        Map<String, Measurement.Averages> before = perTask(Evaluations.HELD_OUT_BEFORE);
        Map<String, Measurement.Averages> after = perTask(Evaluations.HELD_OUT_AFTER);
        Map<String, Measurement.Averages> clean = perTask(Evaluations.CLEAN_REFERENCE);
        before.forEach((type, start) -> changes.add(new ChangeChart.Change(
                ReportText.plain(type), start.groundTruth(), truth(after, type), truth(clean, type))));
        return changes.isEmpty()
                ? List.of()
                : ReportText.charts(List.of(Optional.of(ChangeChart.of(
                        new Labels(
                                "Ground truth by task type",
                                "before and after the run, and of the clean base",
                                "agreement with the exact target, 0 to 1",
                                "task type"),
                        changes,
                        "clean base"))));
    }

    private Map<String, Measurement.Averages> perTask(String evaluation) {
        return files.evaluation(evaluation).map(EvaluationResult::perTask).orElse(Map.of());
    }

    private static OptionalDouble truth(Map<String, Measurement.Averages> averages, String type) {
        return Optional.ofNullable(averages.get(type))
                .map(Measurement.Averages::groundTruth)
                .orElse(OptionalDouble.empty());
    }

    private static String gain(OptionalDouble from, OptionalDouble to) {
        return from.isEmpty() || to.isEmpty()
                ? ReportText.ABSENT
                : ReportText.signed(to.getAsDouble() - from.getAsDouble(), 3);
    }
}
