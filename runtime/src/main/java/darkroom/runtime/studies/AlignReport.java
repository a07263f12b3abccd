package darkroom.runtime.studies;

import com.fasterxml.jackson.databind.node.ObjectNode;
import darkroom.runtime.base.HtmlPages;
import darkroom.runtime.base.JsonLines;
import darkroom.runtime.base.RunDirectory;
import darkroom.runtime.base.TextTable;
import darkroom.runtime.charts.Histogram;
import darkroom.runtime.charts.Labels;
import darkroom.runtime.charts.Layer;
import darkroom.runtime.charts.PageColor;
import darkroom.runtime.studies.AnnotatedPair.Preferred;
import darkroom.runtime.studies.PairAgreement.Judged;
import darkroom.runtime.studies.PairAgreement.Share;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.OptionalInt;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import java.util.stream.Stream;

/**
 * Result of {@code align}: the paper's Table 4 and Figures 9 to 12, for the user's own pairs.
 *
 * @param file file of the pairs
 * @param scorer description of the scorer, for people
 */
public record AlignReport(Path file, String scorer, List<AnnotatedPair> pairs, List<Column> columns) {
    public static final String PAGE = "align.html";

    private static final int BINS = 20;

    public AlignReport {
        pairs = List.copyOf(pairs);
        columns = List.copyOf(columns);
    }

    /**
     * One method against all pairs.
     *
     * @param byTask agreement by named task type
     * @param preferred scores of edits that were preferred
     * @param others scores of those that they were preferred to
     */
    public record Column(
            String method,
            PairAgreement all,
            SortedMap<String, PairAgreement> byTask,
            List<Double> preferred,
            List<Double> others) {

        /**
         * Returns the column of a method.
         *
         * @param scores of each of {@code pairs}, in their order
         */
        public static Column of(String method, List<AnnotatedPair> pairs, List<Scores> scores) {
            Map<String, List<Integer>> tasks = new TreeMap<>();
            List<Double> preferred = new ArrayList<>();
            List<Double> others = new ArrayList<>();
            for (int i = 0; i < pairs.size(); i++) {
                AnnotatedPair pair = pairs.get(i);
                if (!pair.task().isEmpty()) {
                    tasks.computeIfAbsent(pair.task(), _ -> new ArrayList<>()).add(i);
                }
                if (scores.get(i).isWhole() && pair.preferred() != Preferred.TIE) {
                    boolean first = pair.preferred() == Preferred.A;
                    double a = scores.get(i).a().getAsDouble();
                    double b = scores.get(i).b().getAsDouble();
                    preferred.add(first ? a : b);
                    others.add(first ? b : a);
                }
            }
            SortedMap<String, PairAgreement> byTask = new TreeMap<>();
            tasks.forEach((task, of) -> byTask.put(task, agreement(pairs, scores, of)));
            List<Integer> all = IntStream.range(0, pairs.size()).boxed().toList();
            return new Column(method, agreement(pairs, scores, all), byTask, preferred, others);
        }

        private static PairAgreement agreement(List<AnnotatedPair> pairs, List<Scores> scores, List<Integer> of) {
            List<Judged> judged = of.stream()
                    .filter(i -> scores.get(i).isWhole())
                    .map(i -> new Judged(
                            pairs.get(i).source(),
                            pairs.get(i).preferred(),
                            scores.get(i).a().getAsDouble(),
                            scores.get(i).b().getAsDouble()))
                    .toList();
            return PairAgreement.of(judged, of.size() - judged.size());
        }
    }

    /** Scores of one pair; an edit may have none. */
    public record Scores(OptionalDouble a, OptionalDouble b) {
        boolean isWhole() {
            return a.isPresent() && b.isPresent();
        }
    }

    /** Returns the names of task types, without pairs that have none. */
    private List<String> tasks() {
        return columns.isEmpty()
                ? List.of()
                : List.copyOf(columns.getFirst().byTask().keySet());
    }

    private static PairAgreement of(Column column, String task) {
        return Objects.requireNonNull(column.byTask().get(task));
    }

    /** Returns the annotators. */
    private String by() {
        TreeSet<String> by = new TreeSet<>();
        pairs.forEach(pair -> by.add(pair.by()));
        return String.join(" and ", by);
    }

    private String standIn() {
        return pairs.stream().anyMatch(pair -> pair.by().equals(AnnotatedPair.GROUND_TRUTH))
                ? "Ground truth replaces people: it is the distance to an exact target, and no person saw these"
                        + " edits."
                : "";
    }

    /** @param columnsMax width of the terminal; empty if any width will do */
    public void print(PrintWriter out, OptionalInt columnsMax) {
        out.printf("%d pairs of %s, preferred by %s, scored by %s%n", pairs.size(), file, by(), scorer);
        if (!standIn().isEmpty()) {
            out.println(standIn());
        }
        out.println();
        TextTable table = new TextTable()
                .text("method")
                .figures("pairs", "unscored")
                .text("untied", "ties half", "strict")
                .figures("ties");
        for (Column column : columns) {
            PairAgreement all = column.all();
            table.row(
                    column.method(),
                    all.pairs(),
                    all.unscored(),
                    interval(all.untied()),
                    interval(all.tiesHalf()),
                    interval(all.strict()),
                    String.format(Locale.ROOT, "%.1f%%", 100 * all.scoredTies()));
        }
        table.print(out, columnsMax);
        if (!withoutInterval().isEmpty()) {
            out.println(withoutInterval());
        }
        if (!tasks().isEmpty()) {
            out.println();
            TextTable byTask = new TextTable().text("untied, by task");
            columns.forEach(column -> byTask.figures(column.method().toString()));
            for (String task : tasks()) {
                List<Object> row = new ArrayList<>(List.of(task));
                columns.forEach(column -> row.add(percent(of(column, task).untied())));
                byTask.row(row.toArray());
            }
            byTask.print(out, columnsMax);
        }
        out.flush();
    }

    public void write(Path directory) throws IOException {
        RunDirectory.write(directory.resolve("align.json"), json().toPrettyString() + "\n");
        RunDirectory.write(directory.resolve(PAGE), HtmlPages.render("align.ftlh", page()));
    }

    private ObjectNode json() {
        ObjectNode all = JsonLines.JSON.createObjectNode();
        all.put("file", file.toString()).put("scorer", scorer).put("preferredBy", by());
        all.put("annotatedPairs", pairs.size());
        ObjectNode methods = all.putObject("methods");
        for (Column column : columns) {
            ObjectNode method = methods.putObject(column.method());
            method.set("all", JsonLines.JSON.valueToTree(column.all()));
            ObjectNode byTask = method.putObject("tasks");
            tasks().forEach(task -> byTask.set(task, JsonLines.JSON.valueToTree(of(column, task))));
        }
        return all;
    }

    private AlignPage page() {
        List<AlignPage.Line> lines = columns.stream()
                .map(column -> {
                    PairAgreement all = column.all();
                    return new AlignPage.Line(
                            column.method(),
                            all.pairs(),
                            all.unscored(),
                            interval(all.untied()),
                            interval(all.tiesHalf()),
                            interval(all.strict()),
                            String.format(Locale.ROOT, "%.1f %%", 100 * all.scoredTies()));
                })
                .toList();
        List<AlignPage.Task> byTask = tasks().stream()
                .map(task -> new AlignPage.Task(
                        task,
                        (int) pairs.stream()
                                .filter(pair -> pair.task().equals(task) && pair.preferred() != Preferred.TIE)
                                .count(),
                        columns.stream()
                                .map(column -> percent(of(column, task).untied()))
                                .toList()))
                .toList();
        double tied = columns.isEmpty() ? 0 : columns.getFirst().all().annotatedTies();
        return new AlignPage(
                "%d pairs, preferred by %s".formatted(pairs.size(), by()),
                "%s, scored by %s; %s of the pairs are annotated as equivalent."
                        .formatted(file, scorer, String.format(Locale.ROOT, "%.1f %%", 100 * tied)),
                Stream.of(standIn(), withoutInterval())
                        .filter(text -> !text.isEmpty())
                        .collect(Collectors.joining(" ")),
                lines,
                columns.stream().map(Column::method).toList(),
                byTask,
                columns.stream()
                        .filter(column -> !column.preferred().isEmpty())
                        .map(column -> HtmlPages.markup(Histogram.of(
                                new Labels(column.method(), "", "score", "% of the edits"),
                                List.of(
                                        new Layer("preferred", PageColor.GREEN, column.preferred()),
                                        new Layer("not preferred", PageColor.RED, column.others())),
                                BINS)))
                        .toList());
    }

    private static String percent(Optional<Share> share) {
        return share.map(found -> String.format(Locale.ROOT, "%.1f%%", 100 * found.value()))
                .orElse("-");
    }

    private static String interval(Optional<Share> share) {
        return share.map(found -> found.low().isEmpty() || found.high().isEmpty()
                        ? percent(share)
                        : String.format(
                                Locale.ROOT,
                                "%.1f%% (%.1f to %.1f)",
                                100 * found.value(),
                                100 * found.low().getAsDouble(),
                                100 * found.high().getAsDouble()))
                .orElse("-");
    }

    /** Returns why a share has no interval; empty if each has one. */
    private String withoutInterval() {
        boolean none = columns.stream()
                .map(Column::all)
                .flatMap(all -> Stream.of(all.untied(), all.tiesHalf(), all.strict()))
                .flatMap(Optional::stream)
                .anyMatch(share -> share.low().isEmpty());
        if (!none) {
            return "";
        }
        long sources = pairs.stream().map(AnnotatedPair::source).distinct().count();
        return sources < 2
                ? "No interval: all pairs are of one source, and the bootstrap draws sources. Add pairs of other"
                        + " sources."
                : "A share without an interval is the same for each source: the bootstrap cannot tell how far it may"
                        + " be off.";
    }
}
