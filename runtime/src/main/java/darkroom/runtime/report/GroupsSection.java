package darkroom.runtime.report;

import darkroom.runtime.charts.Histogram;
import darkroom.runtime.charts.Labels;
import darkroom.runtime.charts.Layer;
import darkroom.runtime.charts.PageColor;
import darkroom.runtime.charts.StackedBars;
import freemarker.core.TemplateHTMLOutputModel;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.function.Function;

/** Charts of groups: their spread, and what was decided on them. */
final class GroupsSection {
    private static final int BINS = 16;

    private final ReportFiles files;

    GroupsSection(ReportFiles files) {
        this.files = files;
    }

    /** Returns the charts; none before the first step. */
    List<TemplateHTMLOutputModel> groups() {
        if (files.steps().isEmpty()) {
            return List.of();
        }
        int tenth = Math.max(1, files.steps().size() / 10);
        int tail = Math.max(tenth, files.steps().size() - tenth);
        List<Layer> spreads = new ArrayList<>();
        spreads.add(new Layer(
                "first %s %s".formatted(ReportText.grouped(tenth), tenth == 1 ? "step" : "steps"),
                PageColor.ORANGE,
                spread(files.steps().subList(0, tenth))));
        if (tail < files.steps().size()) {
            int last = files.steps().size() - tail;
            spreads.add(new Layer(
                    "last %s %s".formatted(ReportText.grouped(last), last == 1 ? "step" : "steps"),
                    PageColor.BLUE,
                    spread(files.steps().subList(tail, files.steps().size()))));
        }
        return ReportText.charts(List.of(
                Optional.of(Histogram.of(
                        new Labels(
                                "Spread within groups",
                                "standard deviation of the rewards of each",
                                "standard deviation of the rewards",
                                "% of the groups"),
                        spreads,
                        BINS)),
                Optional.of(StackedBars.of(
                        new Labels("Decisions", "on the groups of each step", "steps", "groups per step"),
                        List.of(
                                layer("kept", PageColor.GREEN, step ->
                                        (double) step.groups().kept()),
                                layer("dropped", PageColor.ORANGE, step ->
                                        (double) step.groups().dropped()),
                                layer("abandoned", PageColor.RED, step ->
                                        (double) step.groups().abandoned()))))));
    }

    private static List<Double> spread(List<StepMetrics> steps) {
        return steps.stream().flatMap(step -> step.spread().stream()).toList();
    }

    private Layer layer(String name, PageColor color, Function<StepMetrics, Double> value) {
        return new Layer(name, color, files.steps().stream().map(value).toList());
    }
}
