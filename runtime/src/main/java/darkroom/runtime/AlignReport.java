package darkroom.runtime;

import com.fasterxml.jackson.databind.node.ObjectNode;
import darkroom.runtime.AnnotatedPair.Preferred;
import darkroom.runtime.PairAgreement.Judged;
import darkroom.runtime.PairAgreement.Share;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.TreeSet;

/**
 * What {@code align} found: the paper's Table 4 and Figures 9 to 12, of one's own pairs.
 *
 * @param file of pairs
 * @param scorer who scored, for people
 */
record AlignReport(Path file, String scorer, List<AnnotatedPair> pairs, List<Column> columns) {
    static final String PAGE = "align.html";

    private static final int BINS = 20;

    AlignReport {
        pairs = List.copyOf(pairs);
        columns = List.copyOf(columns);
    }

    /** One method against all pairs. */
    static final class Column {
        private final String method;
        private final Map<String, List<Judged>> judged = new TreeMap<>();
        private final Map<String, Integer> unscored = new TreeMap<>();
        private final Map<Preferred, List<Double>> better = new LinkedHashMap<>();

        Column(String method) {
            this.method = method;
        }

        String method() {
            return method;
        }

        void judged(AnnotatedPair pair, double a, double b) {
            judged.computeIfAbsent(pair.task(), _ -> new ArrayList<>())
                    .add(new Judged(pair.source(), pair.preferred(), a, b));
            if (pair.preferred() != Preferred.TIE) {
                boolean first = pair.preferred() == Preferred.A;
                scores(Preferred.A).add(first ? a : b);
                scores(Preferred.B).add(first ? b : a);
            }
        }

        void unscored(AnnotatedPair pair) {
            unscored.merge(pair.task(), 1, Integer::sum);
        }

        /** Of the better edits ({@code A}), of the others ({@code B}). */
        private List<Double> scores(Preferred which) {
            return better.computeIfAbsent(which, _ -> new ArrayList<>());
        }

        PairAgreement all() {
            return PairAgreement.of(
                    judged.values().stream().flatMap(List::stream).toList(),
                    unscored.values().stream().mapToInt(Integer::intValue).sum());
        }

        PairAgreement of(String task) {
            return PairAgreement.of(judged.getOrDefault(task, List.of()), unscored.getOrDefault(task, 0));
        }
    }

    /** Names of task types, without pairs that have none. */
    private List<String> tasks() {
        TreeSet<String> tasks = new TreeSet<>();
        pairs.stream().map(AnnotatedPair::task).filter(task -> !task.isEmpty()).forEach(tasks::add);
        return List.copyOf(tasks);
    }

    /** Who preferred. */
    private String by() {
        TreeSet<String> by = new TreeSet<>();
        pairs.forEach(pair -> by.add(pair.by()));
        return String.join(" and ", by);
    }

    private String standIn() {
        return pairs.stream().anyMatch(pair -> pair.by().equals(AnnotatedPair.GROUND_TRUTH))
                ? "Ground truth stands in for people: it is the distance to an exact target, and no person saw these"
                        + " edits."
                : "";
    }

    void print(PrintWriter out) {
        out.printf("%d pairs of %s, preferred by %s, scored by %s%n", pairs.size(), file, by(), scorer);
        if (!standIn().isEmpty()) {
            out.println(standIn());
        }
        out.printf(
                "%n%-20s %6s %8s  %-22s %-22s %-22s %6s%n",
                "method", "pairs", "unscored", "untied", "ties half", "strict", "ties");
        for (Column column : columns) {
            PairAgreement all = column.all();
            out.printf(
                    "%-20s %6d %8d  %-22s %-22s %-22s %5.1f%%%n",
                    column.method(),
                    all.pairs(),
                    all.unscored(),
                    interval(all.untied()),
                    interval(all.tiesHalf()),
                    interval(all.strict()),
                    100 * all.scoredTies());
        }
        if (!tasks().isEmpty()) {
            out.printf("%n%-20s", "untied, by task");
            columns.forEach(column -> out.printf(" %20s", column.method()));
            out.println();
            for (String task : tasks()) {
                out.printf("%-20s", task);
                columns.forEach(
                        column -> out.printf(" %20s", percent(column.of(task).untied())));
                out.println();
            }
        }
        out.flush();
    }

    void write(Path directory) throws IOException {
        Files.writeString(directory.resolve("align.json"), json().toPrettyString() + "\n");
        Files.writeString(directory.resolve(PAGE), HtmlPages.render("align.ftlh", page()));
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
            tasks().forEach(task -> byTask.set(task, JsonLines.JSON.valueToTree(column.of(task))));
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
                        columns.stream()
                                .map(column -> interval(column.of(task).untied()))
                                .toList()))
                .toList();
        double tied = columns.isEmpty() ? 0 : columns.getFirst().all().annotatedTies();
        return new AlignPage(
                "%d pairs, preferred by %s".formatted(pairs.size(), by()),
                "%s, scored by %s; %s of the pairs are annotated as equivalent."
                        .formatted(file, scorer, String.format(Locale.ROOT, "%.1f %%", 100 * tied)),
                standIn(),
                lines,
                columns.stream().map(Column::method).toList(),
                byTask,
                columns.stream()
                        .filter(column -> !column.scores(Preferred.A).isEmpty())
                        .map(column -> HtmlPages.markup(Chart.histogram(
                                new Chart.Labels(column.method(), "score", "share of edits, %"),
                                List.of(
                                        new Chart.Layer("preferred", 2, column.scores(Preferred.A)),
                                        new Chart.Layer("not preferred", 3, column.scores(Preferred.B))),
                                BINS)))
                        .toList());
    }

    private static String percent(Optional<Share> share) {
        return share.map(found -> String.format(Locale.ROOT, "%.1f%%", 100 * found.value()))
                .orElse("-");
    }

    private static String interval(Optional<Share> share) {
        return share.map(found -> String.format(
                        Locale.ROOT,
                        "%.1f%% (%.1f to %.1f)",
                        100 * found.value(),
                        100 * found.low(),
                        100 * found.high()))
                .orElse("-");
    }
}
