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

    /** The five tensors, in the order of the components. */
    public List<TensorRef> tensors() {
        return List.of(trained, firstMoment, secondMoment, old, average);
    }
}
