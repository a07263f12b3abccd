package darkroom.runtime.golden;

import static darkroom.runtime.golden.GoldenComparison.Arithmetic.JAVA_DOUBLE;

import darkroom.actors.statistics.FilterDecision;
import darkroom.actors.statistics.GroupRewards;
import darkroom.actors.statistics.GroupStatistics;
import darkroom.actors.statistics.StepStatistics;
import darkroom.config.GroupSettings;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.OptionalDouble;
import java.util.function.ToDoubleFunction;

/** The rewards of one step and the statistics of its groups. */
final class GroupStatisticsGolden implements GoldenFormat {
    private static final double ROUNDING = 16 * Math.ulp(1.0);

    @Override
    public String mark() {
        return "rewards";
    }

    @Override
    public void compare(GoldenCase golden, GoldenComparison comparison) {
        GroupSettings settings = new GroupSettings(
                true,
                golden.constant(GroupSettings.Rule.class, "rule"),
                golden.constant(GroupSettings.Spread.class, "spread"),
                golden.number("meanThreshold"),
                golden.number("spreadThreshold"),
                golden.constant(GroupSettings.Normaliser.class, "normaliser"),
                golden.number("epsilon"),
                golden.number("advantageClip"),
                false,
                1);
        List<double[]> rewards = golden.rows("rewards");
        List<GroupRewards> groups = new ArrayList<>();
        for (double[] row : rewards) {
            groups.add(new GroupRewards(
                    groups.size(),
                    "row " + groups.size(),
                    Arrays.stream(row).mapToObj(OptionalDouble::of).toList()));
        }
        StepStatistics statistics = StepStatistics.of(groups, settings);
        double globalStd = golden.number("globalStd");
        comparison.number(golden.where("globalStd"), JAVA_DOUBLE, globalStd, statistics.globalStd());
        List<GoldenCase> expected = golden.objects("groups");
        comparison.same(golden.where("groups") + " count", expected.size(), rewards.size());
        for (int i = 0; i < Math.min(expected.size(), rewards.size()); i++) {
            double spread =
                    switch (settings.normaliser()) {
                        case GLOBAL -> globalStd;
                        case GROUP -> expected.get(i).number("std");
                    };
            double largest = Arrays.stream(rewards.get(i)).map(Math::abs).max().orElse(0);
            double noise = ROUNDING * largest / (spread + settings.epsilon()) / JAVA_DOUBLE.tolerance();
            compare(expected.get(i), statistics.groups().get(i), largest, Math.max(1, noise), comparison);
        }
    }

    /**
     * Compares the statistics of one group.
     *
     * @param unit scale of advantages: 1, or more where the spread is so small that the mean's rounding shows
     */
    private static void compare(
            GoldenCase expected, GroupStatistics got, double largest, double unit, GoldenComparison comparison) {
        double scale = largest / 1000;
        comparison.number(
                expected.where("mean"),
                JAVA_DOUBLE,
                expected.number("mean"),
                got.mean().orElse(Double.NaN),
                scale);
        comparison.number(
                expected.where("std"),
                JAVA_DOUBLE,
                expected.number("std"),
                got.std().orElse(Double.NaN),
                scale);
        comparison.same(expected.where("kept"), expected.flag("kept"), got.decision() instanceof FilterDecision.Kept);
        comparison.numbers(
                expected.where("advantages"),
                JAVA_DOUBLE,
                expected.numbers("advantages"),
                standings(got, GroupStatistics.RelativeReward::advantage),
                unit);
        comparison.numbers(
                expected.where("optimality"),
                JAVA_DOUBLE,
                expected.numbers("optimality"),
                standings(got, GroupStatistics.RelativeReward::optimality),
                unit);
    }

    private static double[] standings(GroupStatistics group, ToDoubleFunction<GroupStatistics.RelativeReward> part) {
        return group.standings().stream()
                .mapToDouble(relative -> relative.map(part::applyAsDouble).orElse(Double.NaN))
                .toArray();
    }
}
