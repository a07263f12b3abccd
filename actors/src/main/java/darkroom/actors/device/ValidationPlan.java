package darkroom.actors.device;

import java.util.List;

/**
 * The validation of a run while it trains. It generates with the evaluation average, shares the queues with training, and
 * changes no bit of it.
 *
 * @param everySteps a validation at the commit of every step whose number of commits is a multiple of this
 * @param key noise key: all validations of a run are paired
 * @param prompts owned by the creator of the plan, until the run has ended
 */
public record ValidationPlan(int everySteps, int key, List<Prompt> prompts, int imagesPerPrompt) {
    public ValidationPlan {
        prompts = List.copyOf(prompts);
    }

    public boolean dueAfter(int committed) {
        return everySteps > 0 && committed % everySteps == 0;
    }
}
