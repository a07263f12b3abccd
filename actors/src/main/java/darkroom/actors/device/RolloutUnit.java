package darkroom.actors.device;

import darkroom.tensors.TensorRef;
import java.util.ArrayList;
import java.util.List;

/**
 * Generates all images of one group in one fixed batch. Noise of slot k is keyed by (seed, purpose, step, group, k); the
 * name of the run is not part of the key, so that two evaluations of one set of prompts are paired.
 *
 * @param run name of the run, or of the evaluation that this rollout belongs to
 * @param seed run seed
 * @param purpose use of the images: it selects the solver and is part of the noise key
 * @param step training step; of an evaluation its key
 * @param slots K, images in the group
 * @param policy version of {@code weights}
 * @param weights flat parameters of the rollout policy, FLOAT32 [parameters]
 */
public record RolloutUnit(
        String run,
        long seed,
        Purpose purpose,
        int step,
        int group,
        int slots,
        PolicyVersion policy,
        TensorRef weights,
        Prompt prompt)
        implements Unit {
    @Override
    public String name() {
        return "rollout %s step %d group %d".formatted(run, step, group);
    }

    @Override
    public List<TensorRef> inputs() {
        List<TensorRef> all = new ArrayList<>(prompt.pictures());
        all.add(weights);
        return all;
    }

    /** Training images are generated with {@code rollout.*}; evaluation images with {@code evaluation.solver-steps}. */
    public enum Purpose {
        TRAINING,
        EVALUATION
    }
}
