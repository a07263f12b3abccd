package darkroom.actors.events;

import darkroom.actors.device.PolicyVersion;
import darkroom.actors.device.Prompt;
import darkroom.actors.device.RolloutUnit;
import darkroom.tensors.TensorRef;
import java.util.List;

/**
 * Requests images for prompts and their scores, without training on them.
 *
 * @param name unique within the process, for instance {@code held-out-before}; the run's name in its units
 * @param seed noise seed
 * @param key noise key: evaluations with equal (seed, key) and prompts are paired, image by image
 * @param version of {@code weights}, for reports
 * @param weights alive until the evaluation has ended
 * @param prompts alive until the evaluation has ended
 */
public record EvaluationRequest(
        String name,
        long seed,
        int key,
        PolicyVersion version,
        TensorRef weights,
        List<Prompt> prompts,
        int imagesPerPrompt) {
    public EvaluationRequest {
        prompts = List.copyOf(prompts);
    }

    public RolloutUnit rollout(int group) {
        return new RolloutUnit(
                name,
                seed,
                RolloutUnit.Purpose.EVALUATION,
                key,
                group,
                imagesPerPrompt,
                version,
                weights,
                prompts.get(group));
    }
}
