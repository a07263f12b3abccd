package darkroom.runtime;

import darkroom.config.EvaluationSettings;
import darkroom.config.RunSettings;
import java.time.Duration;
import java.util.List;

/**
 * How many steps of the demo fit into a time.
 *
 * @param steps training steps
 * @param tasks held-out rows that are measured before and after
 * @param takes what is left to do, from the first picture to the report
 * @param fits whether that ends in time
 */
record DemoPlan(int steps, int tasks, Duration takes, boolean fits) {
    /** The fewest steps that were seen to learn: ground truth of held-out tasks rises by .12 (docs/benchmarks.md). */
    static final int STEPS_MIN = 60;

    /** Fewer held-out rows than this say nothing of a gain. */
    static final int TASKS_MIN = 24;

    /** Held-out rows are measured within this time before the first step: something is to be seen soon. */
    private static final Duration BEFORE_MAX = Duration.ofSeconds(45);

    /** Held-out rows are measured before, after, and as the clean base draws them. */
    private static final int MEASUREMENTS = 3;

    private static final int TASKS_ROUNDED_TO = 12;
    private static final Duration STARTING_AND_REPORT = Duration.ofSeconds(8);

    /**
     * The most steps, up to the recipe's, that end in time; {@link #STEPS_MIN} where not even these do.
     *
     * @param recipe whose steps, validations and held-out rows are the most there are
     * @param within from now on
     */
    static DemoPlan of(RunSettings recipe, FirstSteps.Speed speed, Duration within) {
        int tasks = tasks(recipe.evaluation(), speed);
        int most = Math.max(STEPS_MIN, recipe.steps());
        for (int steps = most; steps > STEPS_MIN; steps--) {
            Duration takes = takes(recipe.evaluation(), speed, steps, tasks);
            if (takes.compareTo(within) <= 0) {
                return new DemoPlan(steps, tasks, takes, true);
            }
        }
        Duration takes = takes(recipe.evaluation(), speed, STEPS_MIN, tasks);
        return new DemoPlan(STEPS_MIN, tasks, takes, takes.compareTo(within) <= 0);
    }

    private static int tasks(EvaluationSettings recipe, FirstSteps.Speed speed) {
        double possible = BEFORE_MAX.toSeconds() * speed.evaluatedPerSecond() / recipe.imagesPerTask();
        int rounded = (int) Math.min(recipe.tasks(), possible) / TASKS_ROUNDED_TO * TASKS_ROUNDED_TO;
        return possible >= recipe.tasks() ? recipe.tasks() : Math.max(TASKS_MIN, rounded);
    }

    private static Duration takes(EvaluationSettings recipe, FirstSteps.Speed speed, int steps, int tasks) {
        long validations = recipe.everySteps() == 0 ? 0 : steps / recipe.everySteps();
        long images = recipe.imagesPerTask() * ((long) MEASUREMENTS * tasks + validations * recipe.validationTasks());
        return speed.step()
                .multipliedBy(steps)
                .plusMillis(Math.round(1000 * images / speed.evaluatedPerSecond()))
                .plus(STARTING_AND_REPORT);
    }

    /** What makes the run of this plan of the recipe's settings. */
    List<String> overrides() {
        return List.of("steps=" + steps, "evaluation.tasks=" + tasks);
    }
}
