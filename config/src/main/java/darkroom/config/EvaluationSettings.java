package darkroom.config;

/**
 * How progress is measured on held-out tasks, by judge and by ground truth.
 *
 * @param tasks held-out rows
 * @param imagesPerTask edits drawn per row
 * @param everySteps a validation after this many steps
 * @param validationTasks rows of the validation split, which alone decides about stopping
 * @param patience validations without a new best after which the run stops; 0 never stops early
 * @param solverSteps solver steps of an evaluation draw
 */
public record EvaluationSettings(
        int tasks, int imagesPerTask, int everySteps, int validationTasks, int patience, int solverSteps) {}
