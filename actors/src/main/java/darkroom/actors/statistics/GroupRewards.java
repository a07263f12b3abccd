package darkroom.actors.statistics;

import java.util.List;
import java.util.OptionalDouble;

/**
 * The scores of one group, in slot order.
 *
 * @param group group within the step
 * @param row dataset row of the prompt: the group key
 * @param rewards one entry per slot; empty means unscored (promise P-3)
 */
public record GroupRewards(int group, String row, List<OptionalDouble> rewards) {
    /** @throws IllegalArgumentException if a reward is not a finite number */
    public GroupRewards {
        rewards = List.copyOf(rewards);
        for (int slot = 0; slot < rewards.size(); slot++) {
            OptionalDouble reward = rewards.get(slot);
            if (reward.isPresent() && !Double.isFinite(reward.getAsDouble())) {
                throw new IllegalArgumentException("reward=%s of group %d slot %d is not finite; leave it empty"
                        .formatted(reward.getAsDouble(), group, slot));
            }
        }
    }

    /** Returns the number of slots that have a score. */
    public int scored() {
        return (int) rewards.stream().filter(OptionalDouble::isPresent).count();
    }
}
