package darkroom.runtime.run;

import darkroom.config.EvaluationSettings;
import darkroom.config.RunSettings;
import java.time.Duration;
import java.util.List;

/**
 * The number of demo steps that fit into a time limit.
 *
 * @param steps training steps
 * @param tasks held-out rows that are measured before and after
 * @param takes time for what is left to do, from the first picture to the report
 * @param fits whether that ends in time
 */
public record DemoPlan(int steps, int tasks, Duration takes, boolean fits) {
    /** The fewest steps that were observed to learn: ground truth of held-out tasks rises by .12 (docs/benchmarks.md). */
    public static final int STEPS_MIN = 60;

    /** The fewest held-out rows that can show a gain. */
    static final int TASKS_MIN = 24;

    /** Limit on measuring held-out rows before the first step, so that results appear soon. */
    private static final Duration BEFORE_MAX = Duration.ofSeconds(45);

    /** Measurements of the held-out rows: before, after, and with the clean base. */
    private static final int MEASUREMENTS = 3;

    private static final int TASKS_ROUNDED_TO = 12;
    private static final Duration STARTING_AND_REPORT = Duration.ofSeconds(8);

    /**
     * Returns the plan with the most steps, up to the recipe's, that ends in time, or with {@link #STEPS_MIN} if not
     * even these do.
     *
     * @param recipe its steps, validations and held-out rows are the upper limits
     * @param within time from now on
     */
    public static DemoPlan of(RunSettings recipe, FirstSteps.Speed speed, Duration within) {
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

    /** Returns the overrides that turn the recipe's settings into the run of this plan. */
    public List<String> overrides() {
        return List.of("steps=" + steps, "evaluation.tasks=" + tasks);
    }
}
