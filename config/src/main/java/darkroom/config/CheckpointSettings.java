package darkroom.config;

/**
 * Checkpoints of a run.
 *
 * @param everySteps a checkpoint after this many committed steps
 * @param keepLast newest checkpoints kept; the best by validation is kept as well
 * @param copyTo directory, or URI of one in an installed file system, that gets a copy of each; empty for none
 */
public record CheckpointSettings(int everySteps, int keepLast, String copyTo) {
    public CheckpointSettings {
        Allowed.whole("checkpoints.every-steps", everySteps, 1, Integer.MAX_VALUE);
        Allowed.whole("checkpoints.keep-last", keepLast, 1, Integer.MAX_VALUE);
        Allowed.require(
                !copyTo.contains("@"),
                "checkpoints.copy-to",
                "(a URI with a user or a password)",
                "a directory, or a URI without them: credentials are the file system's business");
    }
}
