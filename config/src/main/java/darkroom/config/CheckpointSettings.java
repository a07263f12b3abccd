package darkroom.config;

/**
 * @param everySteps a checkpoint after this many committed steps
 * @param keepLast newest checkpoints kept; the best by validation is kept besides
 */
public record CheckpointSettings(int everySteps, int keepLast) {
    public CheckpointSettings {
        Allowed.whole("checkpoints.every-steps", everySteps, 1, Integer.MAX_VALUE);
        Allowed.whole("checkpoints.keep-last", keepLast, 1, Integer.MAX_VALUE);
    }
}
