package darkroom.actors.device;

import darkroom.tensors.TensorRef;
import java.util.List;

/**
 * The state that training carries from one optimizer step to the next. Immutable: an update creates new tensors.
 *
 * @param optimizerSteps optimizer steps taken since the start of the run
 * @param trained theta, the weights that are trained, FLOAT32 [parameters]
 * @param firstMoment AdamW's m
 * @param secondMoment AdamW's v
 * @param old the rollout policy, following theta slowly
 * @param average exponential average of theta, for evaluation only
 */
public record LearnerState(
        long optimizerSteps,
        TensorRef trained,
        TensorRef firstMoment,
        TensorRef secondMoment,
        TensorRef old,
        TensorRef average) {

    /** Returns the same state, its tensors replaced in the order of {@link #tensors}. */
    public LearnerState with(List<TensorRef> tensors) {
        return new LearnerState(
                optimizerSteps, tensors.get(0), tensors.get(1), tensors.get(2), tensors.get(3), tensors.get(4));
    }

    /** Returns the five tensors, in the order of the components. */
    public List<TensorRef> tensors() {
        return List.of(trained, firstMoment, secondMoment, old, average);
    }
}
