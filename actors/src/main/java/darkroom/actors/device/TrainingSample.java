package darkroom.actors.device;

/**
 * One image of a kept group, with its reward relative to the group.
 *
 * @param optimality r in [0, 1], equation 7
 * @param advantage clipped (reward - group mean) / normaliser
 */
public record TrainingSample(
        int group, int slot, Prompt prompt, RolloutResult.Image image, double optimality, double advantage) {}
