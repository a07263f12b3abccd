package darkroom.actors;

import java.util.List;

/**
 * Draws and scores prompts without learning from them.
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

    DrawUnit draw(int group) {
        return new DrawUnit(
                name,
                seed,
                DrawUnit.Purpose.EVALUATION,
                key,
                group,
                imagesPerPrompt,
                version,
                weights,
                prompts.get(group));
    }
}
