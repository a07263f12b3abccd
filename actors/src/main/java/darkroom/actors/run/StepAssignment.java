package darkroom.actors.run;

import darkroom.actors.device.LearnerState;
import darkroom.actors.device.TrainingPlan;

/**
 * The definition of one training step, as a {@link StepTrainer} receives it.
 *
 * @param run name of the run
 * @param seed seed of the run
 * @param step number of the step, from 0
 * @param state initial state of the first pass; its tensors stay with the supervisor
 * @param plan at least one pass
 */
public record StepAssignment(String run, long seed, int step, LearnerState state, TrainingPlan plan) {
    public StepAssignment {
        if (plan.passes().isEmpty()) {
            throw new IllegalArgumentException("step %d of %s has no pass to train".formatted(step, run));
        }
    }
}
