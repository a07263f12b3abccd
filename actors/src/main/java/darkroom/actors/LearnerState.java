package darkroom.actors;

import java.util.List;

/**
 * All that training carries from one optimizer step to the next. Immutable: an update makes new tensors.
 *
 * @param optimizerSteps optimizer steps taken since the start of the run
 * @param trained theta, the weights that are trained, FLOAT32 [parameters]
 * @param firstMoment AdamW's m
 * @param secondMoment AdamW's v
 * @param old the policy that draws, following theta slowly
 * @param average exponential average of theta, for evaluation only
 */
public record LearnerState(
        long optimizerSteps,
        TensorRef trained,
        TensorRef firstMoment,
        TensorRef secondMoment,
        TensorRef old,
        TensorRef average) {

    /** The same state, its tensors replaced in the order of {@link #tensors}. */
    LearnerState with(List<TensorRef> tensors) {
        return new LearnerState(
                optimizerSteps, tensors.get(0), tensors.get(1), tensors.get(2), tensors.get(3), tensors.get(4));
    }

    /** The five tensors, in the order of the components. */
    public List<TensorRef> tensors() {
        return List.of(trained, firstMoment, secondMoment, old, average);
    }
}
