package darkroom.config;

/**
 * Everything that decides what a run computes and how it is carried out, read once and validated.
 *
 * <p>{@link #policy} to {@link #training} and {@link #seed} decide the result; {@link #workers}, {@link #limits},
 * {@link #evaluation} and {@link #checkpoints} never reach a weight (promise P-1).
 *
 * @param recipe name of the recipe this came from, for instance {@code embedded-demo}
 * @param seed key of all randomness of the run
 * @param steps training steps of the whole run, unless it stops earlier by rule
 */
public record RunSettings(
        String recipe,
        long seed,
        int steps,
        PolicySettings policy,
        DataSettings data,
        RolloutSettings rollout,
        ScoringSettings scoring,
        GroupSettings groups,
        TrainingSettings training,
        EvaluationSettings evaluation,
        CheckpointSettings checkpoints,
        WorkerSettings workers,
        LimitSettings limits) {}
