package darkroom.actors;

import java.util.List;

/** What a trainer gave. */
public sealed interface Trained extends Result {

    /**
     * @param gradient FLOAT32 [parameters], already divided by the samples of the pass
     * @param policyLoss this unit's share of the pass's mean policy loss
     * @param klLoss this unit's share of the pass's mean distance to the reference
     */
    record Gradient(TensorRef gradient, double policyLoss, double klLoss) implements Trained {
        @Override
        public List<TensorRef> tensors() {
            return List.of(gradient);
        }
    }

    /** @param gradientNorm Euclidean norm before clipping */
    record Updated(LearnerState state, double gradientNorm) implements Trained {
        @Override
        public List<TensorRef> tensors() {
            return state.tensors();
        }
    }
}
