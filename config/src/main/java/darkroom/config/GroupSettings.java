package darkroom.config;

/**
 * How a group is compared with itself, and which groups teach nothing.
 *
 * @param filter whether groups are dropped at all
 * @param rule {@code AND} drops high mean and low spread together (paper section 2.3); {@code OR} drops either (public code)
 * @param spread which spread the threshold is compared with
 * @param meanThreshold tau mu
 * @param spreadThreshold tau sigma
 * @param normaliser what advantages are divided by: the spread of all rewards of the step, or of the group
 * @param epsilon added to the spread before dividing
 * @param advantageClip advantages are cut to plus and minus this before they become optimality
 * @param banPrompts whether a prompt whose group has a high mean and a low spread is never drawn again
 * @param scoredMin scored slots below which a group is abandoned
 */
public record GroupSettings(
        boolean filter,
        Rule rule,
        Spread spread,
        double meanThreshold,
        double spreadThreshold,
        Normaliser normaliser,
        double epsilon,
        double advantageClip,
        boolean banPrompts,
        int scoredMin) {
    public GroupSettings {
        Allowed.real("groups.mean-threshold", meanThreshold, 0, 1);
        Allowed.real("groups.spread-threshold", spreadThreshold, 0, 1);
        Allowed.atLeast("groups.epsilon", epsilon, 0);
        Allowed.above("groups.advantage-clip", advantageClip, 0);
        Allowed.whole("groups.scored-min", scoredMin, 0, Integer.MAX_VALUE);
    }

    /** Whether both thresholds must be passed for a group to be dropped, or either. */
    public enum Rule {
        AND,
        OR
    }

    /** What is compared with the spread threshold: the population standard deviation of a group, or its square. */
    public enum Spread {
        STD,
        VARIANCE
    }

    /** Whose standard deviation advantages are divided by. */
    public enum Normaliser {
        GLOBAL,
        GROUP
    }
}
