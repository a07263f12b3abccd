package darkroom.actors;

import java.util.List;

/**
 * What a run looks at while it trains. It draws with the evaluation average, shares the desks with training, and changes
 * no bit of it.
 *
 * @param everySteps a validation at the commit of every step whose number of commits is a multiple of this
 * @param key noise key: all validations of a run are paired
 * @param prompts owned by whoever made the plan, until the run has ended
 */
public record ValidationPlan(int everySteps, int key, List<Prompt> prompts, int imagesPerPrompt) {
    public ValidationPlan {
        prompts = List.copyOf(prompts);
    }

    boolean dueAfter(int committed) {
        return everySteps > 0 && committed % everySteps == 0;
    }
}
