package darkroom.gpuworkers;

import darkroom.config.TrainingSettings;

/**
 * Schedule by which the rollout policy follows the trained one: old = decay old + (1 - decay) theta. Not the evaluation
 * average.
 */
public final class OldPolicySchedule {
    private OldPolicySchedule() {}

    /**
     * Returns the decay of the update that follows {@code step}: min(0.001 step, 0.5) for {@link
     * TrainingSettings.OldPolicy#PUBLIC}, {@code training.old-policy-decay} for {@link TrainingSettings.OldPolicy#CONSTANT},
     * 0 for {@link TrainingSettings.OldPolicy#ON_POLICY}. The public code counts one optimizer step per training step; where
     * {@code training.optimizer-steps} is larger, the ramp of {@code PUBLIC} is faster by that factor.
     *
     * @param step optimizer steps taken so far, from 1
     */
    public static double decay(TrainingSettings.OldPolicy schedule, double constant, long step) {
        return switch (schedule) {
            case PUBLIC -> Math.min(0.001 * step, 0.5);
            case CONSTANT -> constant;
            case ON_POLICY -> 0;
        };
    }
}
