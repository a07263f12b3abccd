package darkroom.actors.device;

import darkroom.tensors.TensorRef;
import java.util.List;

/** Result of a trainer's unit. */
public sealed interface Trained extends Result {

    /**
     * Gradient of a block.
     *
     * @param gradient FLOAT32 [parameters], already divided by the samples of the pass
     * @param policyLoss this block's share of the pass's mean policy loss, added along {@link SumTree}
     * @param klLoss this block's share of the pass's mean distance to the reference, added likewise
     */
    record Gradient(TensorRef gradient, double policyLoss, double klLoss) implements Trained {
        @Override
        public List<TensorRef> tensors() {
            return List.of(gradient);
        }
    }

    /**
     * Learner state after an optimizer step.
     *
     * @param gradientNorm Euclidean norm before clipping
     */
    record Updated(LearnerState state, double gradientNorm) implements Trained {
        @Override
        public List<TensorRef> tensors() {
            return state.tensors();
        }
    }
}
