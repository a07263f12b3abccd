package darkroom.actors;

/**
 * One image of a kept group, with what its group says of it.
 *
 * @param optimality r in [0, 1], equation 7
 * @param advantage clipped (reward - group mean) / normaliser
 */
public record Lesson(int group, int slot, Prompt prompt, Drawn.Image image, double optimality, double advantage) {}
