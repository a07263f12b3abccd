package darkroom.runtime.report;

import darkroom.runtime.base.EvaluationResult;
import darkroom.runtime.base.JsonLines;
import darkroom.runtime.base.RunDirectory;
import darkroom.runtime.charts.LineChart;
import java.nio.file.Files;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/** The files of a run that several sections of its report read. */
final class ReportFiles {
    private final RunDirectory directory;
    private final @Nullable Summary summary;
    private final List<StepMetrics> steps;
    private final Map<String, EvaluationResult> evaluations = new LinkedHashMap<>();

    /** Reads the files that exist. */
    ReportFiles(RunDirectory directory) {
        this.directory = directory;
        this.summary = Files.exists(directory.summary()) ? Summary.read(directory.path()) : null;
        this.steps = JsonLines.read(directory.metrics(), StepMetrics.class);
        JsonLines.forEach(
                directory.evaluations(), EvaluationResult.class, result -> evaluations.put(result.name(), result));
    }

    RunDirectory directory() {
        return directory;
    }

    /** Returns {@code null} while the run has not ended. */
    @Nullable
    Summary summary() {
        return summary;
    }

    /** Returns the committed steps in order. */
    List<StepMetrics> steps() {
        return steps;
    }

    /** Returns the last result of each evaluation, in the order of their first results. */
    Collection<EvaluationResult> evaluations() {
        return evaluations.values();
    }

    Optional<EvaluationResult> evaluation(String name) {
        return Optional.ofNullable(evaluations.get(name));
    }

    /** Returns one point for each step that has the value. */
    List<LineChart.Point> points(Function<StepMetrics, OptionalDouble> value) {
        return steps.stream()
                .flatMap(step -> value.apply(step).stream().mapToObj(found -> new LineChart.Point(step.step(), found)))
                .toList();
    }
}
