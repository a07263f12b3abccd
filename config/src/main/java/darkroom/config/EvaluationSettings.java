package darkroom.config;

/**
 * Measurement of progress on held-out tasks, by judge and by ground truth.
 *
 * @param tasks held-out rows
 * @param imagesPerTask edits generated per row
 * @param everySteps a validation after this many steps
 * @param validationTasks rows of the validation split, which alone decides on stopping
 * @param patience validations without a new best after which the run stops; 0 never stops early
 * @param solverSteps solver steps of an evaluation rollout
 */
public record EvaluationSettings(
        int tasks, int imagesPerTask, int everySteps, int validationTasks, int patience, int solverSteps) {
    public EvaluationSettings {
        Allowed.whole("evaluation.tasks", tasks, 1, 1_000_000);
        Allowed.whole("evaluation.images-per-task", imagesPerTask, 1, 1000);
        Allowed.whole("evaluation.every-steps", everySteps, 0, Integer.MAX_VALUE);
        Allowed.whole("evaluation.validation-tasks", validationTasks, 1, 1_000_000);
        Allowed.whole("evaluation.patience", patience, 0, Integer.MAX_VALUE);
        Allowed.whole("evaluation.solver-steps", solverSteps, 1, 1000);
    }
}
