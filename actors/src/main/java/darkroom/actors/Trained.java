package darkroom.actors;

import java.util.List;

/** What a trainer gave. */
public sealed interface Trained extends Result {

    /**
     * @param gradient FLOAT32 [parameters], already divided by the samples of the pass
     * @param policyLoss this block's share of the pass's mean policy loss, added along {@link SumTree}
     * @param klLoss this block's share of the pass's mean distance to the reference, added alike
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
