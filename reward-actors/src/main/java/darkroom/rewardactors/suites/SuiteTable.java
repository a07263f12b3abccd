package darkroom.rewardactors.suites;

import java.util.ArrayList;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalDouble;
import java.util.function.DoubleUnaryOperator;

/**
 * Means of a suite, or of a part of it. A group's mean is over its valid items; invalid items enter no mean and are counted
 * separately. The overall mean is over the groups that have one, each counting once.
 *
 * @param title of the table
 * @param columns names of the means
 * @param decimals number of decimals in the publication
 * @param groups one row per group, in the suite's order
 * @param overall of the same columns
 * @param missing groups of the suite without a mean here: with any, the overall mean differs from the publication's
 */
public record SuiteTable(
        String title, List<String> columns, int decimals, List<Row> groups, Row overall, List<String> missing) {
    public SuiteTable {
        columns = List.copyOf(columns);
        groups = List.copyOf(groups);
        missing = List.copyOf(missing);
    }

    /**
     * Means of one group.
     *
     * @param items edits of this row
     * @param valid those with a number
     * @param invalid those without, for any reason; the rest was not reached
     * @param means one per column; empty without a valid item
     */
    public record Row(String name, int items, int valid, int invalid, List<OptionalDouble> means) {
        public Row {
            means = List.copyOf(means);
        }

        /** Share of invalid items among those that were reached, 0 to 1. */
        public double invalidShare() {
            return valid + invalid == 0 ? 0 : (double) invalid / (valid + invalid);
        }
    }

    /**
     * Computes the table of some items.
     *
     * @param all groups that the suite has
     * @param groupMean applied to a group's mean before it is reported and averaged
     */
    static SuiteTable of(
            String title,
            EditSuite suite,
            int decimals,
            List<String> all,
            DoubleUnaryOperator groupMean,
            Collection<JudgedItem> judged,
            Collection<SuiteItem> items) {
        Map<String, List<List<Double>>> figures = new LinkedHashMap<>();
        Map<String, Integer> invalid = new LinkedHashMap<>();
        for (JudgedItem each : judged) {
            String group = each.item().group();
            each.scores()
                    .ifPresentOrElse(
                            scores -> figures.computeIfAbsent(group, _ -> new ArrayList<>())
                                    .add(suite.figures(scores)),
                            () -> invalid.merge(group, each.isInterrupted() ? 0 : 1, Integer::sum));
        }
        int columns = suite.figures().size();
        List<Row> rows = new ArrayList<>();
        List<String> missing = new ArrayList<>();
        for (String group : all) {
            int size = (int)
                    items.stream().filter(item -> item.group().equals(group)).count();
            List<List<Double>> valid = figures.getOrDefault(group, List.of());
            if (valid.isEmpty()) {
                missing.add(group);
            }
            if (size > 0) {
                List<OptionalDouble> means = means(columns, valid).stream()
                        .map(mean -> mean.isPresent()
                                ? OptionalDouble.of(groupMean.applyAsDouble(mean.getAsDouble()))
                                : mean)
                        .toList();
                rows.add(new Row(group, size, valid.size(), invalid.getOrDefault(group, 0), means));
            }
        }
        List<List<Double>> groupMeans = rows.stream()
                .filter(row -> row.valid() > 0)
                .map(row ->
                        row.means().stream().map(OptionalDouble::getAsDouble).toList())
                .toList();
        Row overall = new Row(
                "overall",
                rows.stream().mapToInt(Row::items).sum(),
                rows.stream().mapToInt(Row::valid).sum(),
                rows.stream().mapToInt(Row::invalid).sum(),
                means(columns, groupMeans));
        return new SuiteTable(title, suite.figures(), decimals, rows, overall, missing);
    }

    private static List<OptionalDouble> means(int columns, List<List<Double>> rows) {
        List<OptionalDouble> means = new ArrayList<>();
        for (int c = 0; c < columns; c++) {
            int column = c;
            means.add(
                    rows.isEmpty()
                            ? OptionalDouble.empty()
                            : OptionalDouble.of(DecimalRounding.mean(
                                    rows.stream().map(row -> row.get(column)).toList())));
        }
        return means;
    }
}
