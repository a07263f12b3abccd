package darkroom.actors.statistics;

import darkroom.config.GroupSettings;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.OptionalDouble;

/**
 * The rewards of one group relative to each other.
 *
 * @param group group within the step
 * @param row dataset row of the prompt
 * @param scored slots with a score
 * @param mean mean reward; empty if nothing is scored
 * @param std population standard deviation of the rewards; empty if nothing is scored
 * @param decision kept, dropped or abandoned, and why
 * @param standings one entry per slot, empty if it has no score; kept and dropped groups have standings, abandoned ones
 *     have none
 */
public record GroupStatistics(
        int group,
        String row,
        int scored,
        OptionalDouble mean,
        OptionalDouble std,
        FilterDecision decision,
        List<Optional<RelativeReward>> standings) {
    public GroupStatistics {
        standings = List.copyOf(standings);
    }

    /**
     * The reward of one image relative to its group.
     *
     * @param advantage (reward - group mean) / (spread + epsilon), clipped to plus and minus {@code groups.advantage-clip}
     * @param optimality r = advantage / (2 clip) + 1/2, in [0, 1]: equation 7
     */
    public record RelativeReward(double advantage, double optimality) {}

    static GroupStatistics of(GroupRewards rewards, Spread own, Spread global, GroupSettings settings) {
        OptionalDouble mean = own.count() == 0 ? OptionalDouble.empty() : OptionalDouble.of(own.mean());
        OptionalDouble std = own.count() == 0 ? OptionalDouble.empty() : OptionalDouble.of(own.std());
        FilterDecision decision = decision(own, rewards.rewards().size(), settings);
        List<Optional<RelativeReward>> standings =
                switch (decision) {
                    case FilterDecision.Abandoned _ ->
                        rewards.rewards().stream()
                                .map(_ -> Optional.<RelativeReward>empty())
                                .toList();
                    case FilterDecision.Kept _, FilterDecision.Dropped _ -> {
                        double spread =
                                switch (settings.normaliser()) {
                                    case GLOBAL -> global.std();
                                    case GROUP -> own.std();
                                };
                        yield rewards.rewards().stream()
                                .map(reward -> relative(reward, own.mean(), spread, settings))
                                .toList();
                    }
                };
        return new GroupStatistics(rewards.group(), rewards.row(), own.count(), mean, std, decision, standings);
    }

    private static Optional<RelativeReward> relative(
            OptionalDouble reward, double mean, double spread, GroupSettings settings) {
        if (reward.isEmpty()) {
            return Optional.empty();
        }
        double difference = reward.getAsDouble() - mean;
        double clip = settings.advantageClip();
        double advantage = difference == 0 ? 0 : Math.clamp(difference / (spread + settings.epsilon()), -clip, clip);
        return Optional.of(new RelativeReward(advantage, Math.clamp(advantage / (2 * clip) + 0.5, 0, 1)));
    }

    private static FilterDecision decision(Spread own, int slots, GroupSettings settings) {
        int needed = Math.max(1, settings.scoredMin());
        if (own.count() < needed) {
            return new FilterDecision.Abandoned(String.format(
                    Locale.ROOT, "abandoned: %d of %d slots scored, groups.scored-min=%d", own.count(), slots, needed));
        }
        double spread =
                switch (settings.spread()) {
                    case STD -> own.std();
                    case VARIANCE -> own.std() * own.std();
                };
        String name = settings.spread().name().toLowerCase(Locale.ROOT);
        if (!settings.filter()) {
            return new FilterDecision.Kept(String.format(
                    Locale.ROOT,
                    "kept: mean %.6g, %s %.6g; groups.filter=false drops nothing",
                    own.mean(),
                    name,
                    spread));
        }
        double meanThreshold = settings.meanThreshold();
        double spreadThreshold = settings.spreadThreshold();
        return switch (settings.rule()) {
            case AND -> {
                boolean high = own.mean() > meanThreshold;
                boolean narrow = spread < spreadThreshold;
                String facts = facts(own.mean(), high, meanThreshold, name, spread, narrow, spreadThreshold, "");
                yield high && narrow
                        ? new FilterDecision.Dropped("dropped by rule AND: " + facts)
                        : new FilterDecision.Kept("kept by rule AND: " + facts);
            }
            case OR -> {
                boolean high = own.mean() >= meanThreshold;
                boolean narrow = spread <= spreadThreshold;
                String facts = facts(own.mean(), high, meanThreshold, name, spread, narrow, spreadThreshold, "=");
                yield high || narrow
                        ? new FilterDecision.Dropped("dropped by rule OR: " + facts)
                        : new FilterDecision.Kept("kept by rule OR: " + facts);
            }
        };
    }

    private static String facts(
            double mean,
            boolean high,
            double meanThreshold,
            String name,
            double spread,
            boolean narrow,
            double spreadThreshold,
            String orEqual) {
        return String.format(
                Locale.ROOT,
                "mean %.6g %s %s (groups.mean-threshold), %s %.6g %s %s (groups.spread-threshold)",
                mean,
                relation(high, ">", "<", orEqual),
                meanThreshold,
                name,
                spread,
                relation(narrow, "<", ">", orEqual),
                spreadThreshold);
    }

    private static String relation(boolean holds, String strict, String opposite, String orEqual) {
        return holds ? strict + orEqual : opposite + (orEqual.isEmpty() ? "=" : "");
    }
}
