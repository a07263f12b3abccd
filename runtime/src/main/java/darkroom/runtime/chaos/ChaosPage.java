package darkroom.runtime.chaos;

import darkroom.runtime.base.HtmlPages;
import freemarker.core.TemplateHTMLOutputModel;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.OptionalDouble;
import java.util.TreeMap;

/** The data model of {@code chaos.html}. */
public record ChaosPage(
        String title,
        String decision,
        boolean passed,
        List<Fact> facts,
        List<Kind> kinds,
        List<Shown> runs,
        List<Line> lines,
        String command) {
    /** Number of runs shown in detail: failed ones first, then the first ones. */
    private static final int SHOWN_MAX = 40;

    public ChaosPage {
        facts = List.copyOf(facts);
        kinds = List.copyOf(kinds);
        runs = List.copyOf(runs);
        lines = List.copyOf(lines);
    }

    /** A figure. */
    public record Fact(String name, String value) {}

    /** A kind of fault over all runs. */
    public record Kind(String kind, int injected, int witnessed, String detected, String recovered) {}

    /** A run shown in detail. */
    public record Shown(
            String name,
            String decision,
            boolean passed,
            TemplateHTMLOutputModel timeline,
            List<Row> faults,
            List<String> wrong) {}

    /** A fault in a table. */
    public record Row(
            int id,
            String at,
            String step,
            String what,
            String node,
            String witness,
            boolean seen,
            String detected,
            String recovered) {}

    /** A run in the table of all. */
    public record Line(
            String name,
            String seconds,
            int faults,
            int deaths,
            int redone,
            String goodput,
            boolean passed,
            String digest) {}

    public static ChaosPage of(ChaosReport report) {
        List<ChaosReport.Run> shown = new ArrayList<>();
        report.runs().stream().filter(run -> !run.passed()).limit(SHOWN_MAX).forEach(shown::add);
        report.runs().stream()
                .filter(ChaosReport.Run::passed)
                .limit(SHOWN_MAX - (long) shown.size())
                .forEach(shown::add);
        int faults = report.runs().stream().mapToInt(run -> run.faults().size()).sum();
        return new ChaosPage(
                report.title(),
                report.passed()
                        ? "Every run ended in the weights, the optimizer and the decisions of the undisturbed one."
                        : "Not every run ended as the undisturbed one did, or something is without a witness.",
                report.passed(),
                List.of(
                        new Fact(
                                "disturbed runs", Integer.toString(report.runs().size())),
                        new Fact("faults", Integer.toString(faults)),
                        new Fact("deaths of processes", Integer.toString(report.deaths())),
                        new Fact("steps per run", Integer.toString(report.steps())),
                        new Fact("undisturbed", number(report.undisturbed().seconds()) + " s"),
                        new Fact(
                                "goodput, median",
                                median(report.runs().stream()
                                        .map(ChaosReport.Run::goodput)
                                        .toList()))),
                kinds(report),
                shown.stream().map(ChaosPage::shown).toList(),
                report.runs().stream().map(ChaosPage::line).toList(),
                "darkroom chaos --plan %s --seed %d --nodes %s --steps %d --runs %d"
                        .formatted(
                                report.plan(),
                                report.seed(),
                                report.nodes(),
                                report.steps(),
                                report.runs().size()));
    }

    private static List<Kind> kinds(ChaosReport report) {
        TreeMap<String, List<ChaosReport.Fault>> byKind = new TreeMap<>();
        report.runs().forEach(run -> run.faults()
                .forEach(fault -> byKind.computeIfAbsent(fault.kind().toString(), _ -> new ArrayList<>())
                        .add(fault)));
        return byKind.entrySet().stream()
                .map(entry -> new Kind(
                        entry.getKey(),
                        entry.getValue().size(),
                        (int) entry.getValue().stream()
                                .filter(fault -> !fault.witness().isEmpty())
                                .count(),
                        median(entry.getValue().stream()
                                .map(ChaosReport.Fault::detected)
                                .toList()),
                        median(entry.getValue().stream()
                                .map(ChaosReport.Fault::recovered)
                                .toList())))
                .toList();
    }

    private static Shown shown(ChaosReport.Run run) {
        return new Shown(
                run.name(),
                "%s after %s s, %d deaths, %d units done again"
                        .formatted(
                                run.passed() ? "passed" : "failed", number(run.seconds()), run.deaths(), run.redone()),
                run.passed(),
                HtmlPages.markup(ChaosTimeline.of(run)),
                run.faults().stream()
                        .map(fault -> new Row(
                                fault.id(),
                                number(fault.at()),
                                Integer.toString(fault.step()),
                                fault.what(),
                                fault.node() + ", " + fault.pid(),
                                fault.witness().isEmpty() ? fault.remark() : fault.witness(),
                                !fault.witness().isEmpty(),
                                number(fault.detected()),
                                number(fault.recovered())))
                        .toList(),
                run.wrong());
    }

    private static Line line(ChaosReport.Run run) {
        return new Line(
                run.name(),
                number(run.seconds()),
                run.faults().size(),
                run.deaths(),
                run.redone(),
                number(run.goodput()),
                run.passed(),
                run.digests() == null ? "" : run.digests().weights().substring(0, 12));
    }

    public static String median(List<OptionalDouble> values) {
        double[] sorted = values.stream()
                .filter(OptionalDouble::isPresent)
                .mapToDouble(OptionalDouble::getAsDouble)
                .sorted()
                .toArray();
        return sorted.length == 0 ? "–" : number((sorted[(sorted.length - 1) / 2] + sorted[sorted.length / 2]) / 2);
    }

    private static String number(OptionalDouble value) {
        return value.isPresent() ? number(value.getAsDouble()) : "–";
    }

    private static String number(double value) {
        return String.format(Locale.ROOT, value < 10 ? "%.2f" : "%.1f", value);
    }
}
