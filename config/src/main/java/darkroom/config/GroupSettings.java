package darkroom.config;

/**
 * Settings of group advantages and of the filter that drops uninformative groups.
 *
 * @param filter whether groups are dropped at all
 * @param rule {@code AND} drops high mean and low spread together (paper section 2.3); {@code OR} drops either (public code)
 * @param spread the spread compared with the threshold
 * @param meanThreshold tau mu
 * @param spreadThreshold tau sigma
 * @param normaliser divisor of advantages: the spread of all rewards of the step, or of the group
 * @param epsilon added to the spread before dividing
 * @param advantageClip advantages are clipped to plus and minus this before they become optimality
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

    /** Whether a group must pass both thresholds to be dropped, or either. */
    public enum Rule {
        AND,
        OR
    }

    /** Spread compared with the threshold: the population standard deviation of a group, or its square. */
    public enum Spread {
        STD,
        VARIANCE
    }

    /** Scope of the standard deviation that advantages are divided by. */
    public enum Normaliser {
        GLOBAL,
        GROUP
    }
}
