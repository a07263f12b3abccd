package darkroom.actors.statistics;

import darkroom.config.GroupSettings;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.OptionalDouble;

/**
 * Statistics and filter decisions of all groups of one step.
 *
 * @param scored images of the step that have a score
 * @param unscored images that have none
 * @param mean mean of all scored rewards; empty if none exist
 * @param globalStd population standard deviation over all scored rewards of the step, including dropped and abandoned
 *     groups; 0 if none exist
 * @param groups by ascending group number
 */
public record StepStatistics(
        int scored, int unscored, OptionalDouble mean, double globalStd, List<GroupStatistics> groups) {
    public StepStatistics {
        groups = List.copyOf(groups);
    }

    /**
     * Computes the statistics of a step. The result does not depend on the order in which the groups are given.
     *
     * @throws IllegalArgumentException if two entries have the same group number
     */
    public static StepStatistics of(List<GroupRewards> groups, GroupSettings settings) {
        List<GroupRewards> ordered = groups.stream()
                .sorted(Comparator.comparingInt(GroupRewards::group))
                .toList();
        List<Double> all = new ArrayList<>();
        int slots = 0;
        for (int i = 0; i < ordered.size(); i++) {
            if (i > 0 && ordered.get(i).group() == ordered.get(i - 1).group()) {
                throw new IllegalArgumentException(
                        "group=" + ordered.get(i).group() + " is there twice; each group of a step counts once");
            }
            all.addAll(scores(ordered.get(i)));
            slots += ordered.get(i).rewards().size();
        }
        Spread global = Spread.of(all);
        return new StepStatistics(
                all.size(),
                slots - all.size(),
                all.isEmpty() ? OptionalDouble.empty() : OptionalDouble.of(global.mean()),
                global.std(),
                ordered.stream()
                        .map(group -> GroupStatistics.of(group, Spread.of(scores(group)), global, settings))
                        .toList());
    }

    private static List<Double> scores(GroupRewards group) {
        return group.rewards().stream()
                .filter(OptionalDouble::isPresent)
                .map(OptionalDouble::getAsDouble)
                .toList();
    }
}
