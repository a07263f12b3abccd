package darkroom.runtime.report;

import darkroom.runtime.base.EvaluationResult;
import darkroom.runtime.base.Evaluations;
import darkroom.runtime.base.Measurement;
import darkroom.runtime.charts.Labels;
import darkroom.runtime.charts.LineChart;
import darkroom.runtime.charts.PageColor;
import freemarker.core.TemplateHTMLOutputModel;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.function.Function;
import java.util.stream.IntStream;

/** Charts of reward, ground truth and the optimizer over the steps. */
final class LearningSection {
    private final ReportFiles files;

    LearningSection(ReportFiles files) {
        this.files = files;
    }

    /** Returns the charts of ground truth and reward; none for a run that measured neither. */
    List<TemplateHTMLOutputModel> learning() {
        return ReportText.charts(List.of(
                curves(
                        new Labels("Ground truth", "agreement with the exact target", "steps", "ground truth, 0 to 1"),
                        StepMetrics::groundTruth,
                        Measurement.Averages::groundTruth),
                curves(
                        new Labels("Reward", "the judge’s score", "steps", "reward, 0 to 1"),
                        step -> step.reward().mean(),
                        Measurement.Averages::reward)));
    }

    /** Returns the curves; empty if none of the values was measured. */
    private Optional<String> curves(
            Labels labels,
            Function<StepMetrics, OptionalDouble> ofStep,
            Function<Measurement.Averages, OptionalDouble> ofEvaluation) {
        List<LineChart.Point> training = files.points(ofStep);
        List<LineChart.Point> validation = files.evaluations().stream()
                .filter(result -> Evaluations.isValidation(result.name()))
                .sorted(Comparator.comparingLong(EvaluationResult::version))
                .flatMap(result -> ofEvaluation.apply(result.overall()).stream()
                        .mapToObj(value -> new LineChart.Point(result.version(), value)))
                .toList();
        List<LineChart.Point> heldOut = new ArrayList<>();
        files.evaluation(Evaluations.HELD_OUT_BEFORE)
                .map(result -> ofEvaluation.apply(result.overall()))
                .ifPresent(value -> value.ifPresent(start -> heldOut.add(new LineChart.Point(0, start))));
        files.evaluation(Evaluations.HELD_OUT_AFTER)
                .map(result -> ofEvaluation.apply(result.overall()))
                .ifPresent(value -> value.ifPresent(end -> heldOut.add(new LineChart.Point(committed(), end))));
        List<LineChart.Level> clean =
                files
                        .evaluation(Evaluations.CLEAN_REFERENCE)
                        .map(result -> ofEvaluation.apply(result.overall()))
                        .stream()
                        .flatMapToDouble(OptionalDouble::stream)
                        .mapToObj(value -> new LineChart.Level("held-out, clean base", PageColor.PURPLE, value))
                        .toList();
        if (training.isEmpty() && validation.isEmpty() && heldOut.isEmpty()) {
            return Optional.empty();
        }
        int window = Math.max(1, training.size() / 20);
        List<LineChart.Series> series = new ArrayList<>();
        if (window > 1) {
            series.add(new LineChart.Series("training images", PageColor.BLUE, LineChart.Mark.PALE, training));
        }
        String mean =
                window > 1 ? "training, mean of %s steps".formatted(ReportText.grouped(window)) : "training images";
        series.add(new LineChart.Series(mean, PageColor.BLUE, LineChart.Mark.LINE, moving(training, window)));
        series.add(new LineChart.Series("validation tasks", PageColor.ORANGE, LineChart.Mark.DOTS, validation));
        series.add(new LineChart.Series("held-out, start and end", PageColor.GREEN, LineChart.Mark.DIAMONDS, heldOut));
        String note = clean.isEmpty()
                ? labels.note()
                : labels.note() + "; dashed: the clean base without reinforcement, on held-out tasks";
        return Optional.of(LineChart.of(new Labels(labels.title(), note, labels.x(), labels.y()), series, clean));
    }

    private int committed() {
        return files.steps().isEmpty() ? 0 : files.steps().getLast().step() + 1;
    }

    /** Returns the mean of each point and up to {@code window - 1} points before it. */
    private static List<LineChart.Point> moving(List<LineChart.Point> points, int window) {
        return IntStream.range(0, points.size())
                .mapToObj(i -> new LineChart.Point(
                        points.get(i).x(),
                        points.subList(Math.max(0, i - window + 1), i + 1).stream()
                                .mapToDouble(LineChart.Point::y)
                                .average()
                                .orElseThrow()))
                .toList();
    }

    /** Returns the charts of loss, gradient and distance; none for values that are zero throughout. */
    List<TemplateHTMLOutputModel> optimizer() {
        return ReportText.charts(List.of(
                passes(
                        "Policy loss",
                        "mean over samples and optimizer steps",
                        "loss",
                        PageColor.BLUE,
                        StepMetrics.Pass::policyLoss),
                passes(
                        "Gradient norm",
                        "before clipping, mean of the optimizer steps",
                        "L2 norm",
                        PageColor.RED,
                        StepMetrics.Pass::gradientNorm),
                passes(
                        "Distance to the reference",
                        "mean over samples and optimizer steps",
                        "KL loss",
                        PageColor.PURPLE,
                        StepMetrics.Pass::klLoss)));
    }

    /** Returns the chart; empty if the value is zero throughout. A value that is not finite is absent from the files. */
    private Optional<String> passes(
            String title,
            String note,
            String unit,
            PageColor color,
            Function<StepMetrics.Pass, OptionalDouble> figure) {
        List<LineChart.Point> points = files.points(step -> step.passes().stream()
                .map(figure)
                .flatMapToDouble(OptionalDouble::stream)
                .average());
        long passes =
                files.steps().stream().mapToLong(step -> step.passes().size()).sum();
        long missing = files.steps().stream()
                .flatMap(step -> step.passes().stream())
                .map(figure)
                .filter(OptionalDouble::isEmpty)
                .count();
        if (missing == 0 && points.stream().allMatch(point -> point.y() == 0)) {
            return Optional.empty();
        }
        String whole = missing == 0
                ? note
                : "%s; the value of %s of %s optimizer steps is not finite and is left out"
                        .formatted(note, ReportText.grouped(missing), ReportText.grouped(passes));
        return Optional.of(LineChart.of(
                new Labels(title, whole, "steps", unit),
                List.of(new LineChart.Series(title, color, LineChart.Mark.LINE, points)),
                List.of()));
    }
}
