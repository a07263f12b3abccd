package darkroom.config;

/**
 * @param everySteps a checkpoint after this many committed steps
 * @param keepLast newest checkpoints kept; the best by validation is kept besides
 */
public record CheckpointSettings(int everySteps, int keepLast) {}
