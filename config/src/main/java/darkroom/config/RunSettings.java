package darkroom.config;

import java.util.Locale;

/**
 * All settings of a run, read once and validated.
 *
 * <p>{@link #policy} to {@link #training} and {@link #seed} decide the result; {@link #workers}, {@link #limits}, {@link
 * #evaluation}, {@link #checkpoints}, {@link #ledger}, {@link #cluster} and {@link #faults} never affect a weight (promise
 * P-1).
 *
 * @param recipe name of the recipe this came from, for instance {@code embedded-demo}
 * @param seed key of all randomness of the run
 * @param steps training steps of the whole run, unless a rule stops it earlier
 * @param inputs digests of the inputs of the run
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
        LedgerSettings ledger,
        WorkerSettings workers,
        LimitSettings limits,
        ClusterSettings cluster,
        FaultSettings faults,
        InputSettings inputs) {
    /** Side of the pictures that the embedded judge was trained on, pixels. */
    private static final int JUDGED_RESOLUTION = 32;

    private static final String SHIPPED_RESOLUTIONS =
            "32 with a base that ships; another takes a base of your own, see darkroom pretrain";

    public RunSettings {
        Allowed.text("recipe", recipe);
        Allowed.whole("steps", steps, 1, Integer.MAX_VALUE);
        boolean stochastic = rollout.solver() == RolloutSettings.Solver.SDE;
        switch (training.objective()) {
            case FLOW_GRPO -> {
                Allowed.require(
                        stochastic,
                        "training.objective",
                        "flow-grpo",
                        "diffusion-nft, or flow-grpo with rollout.solver=sde");
                requireOnPolicy(rollout, training);
            }
            case DIFFUSION_NFT ->
                Allowed.require(
                        !stochastic,
                        "rollout.solver",
                        "sde",
                        "euler and dpm2, or sde with training.objective=flow-grpo");
        }
        Allowed.require(
                training.timestepsPerImage() <= rollout.solverSteps(),
                "training.timesteps-per-image",
                training.timestepsPerImage(),
                "whole numbers up to rollout.solver-steps=" + rollout.solverSteps());
        requireStretchable(rollout.schedule(), "rollout.solver-steps", rollout.solverSteps());
        requireStretchable(rollout.schedule(), "evaluation.solver-steps", evaluation.solverSteps());
        Allowed.require(
                groups.scoredMin() <= rollout.imagesPerGroup(),
                "groups.scored-min",
                groups.scoredMin(),
                "whole numbers up to rollout.images-per-group=" + rollout.imagesPerGroup());
        if (data.source().equals("embedded")) {
            Allowed.require(
                    data.trainTasks() >= rollout.groupsPerStep(),
                    "data.train-tasks",
                    data.trainTasks(),
                    "whole numbers from rollout.groups-per-step=" + rollout.groupsPerStep());
        }
        Allowed.require(
                !policy.model().equals("embedded") || policy.guidance() == 1.0,
                "policy.guidance",
                policy.guidance(),
                "1.0 with policy.model=embedded, which embeds no guidance scale");
        boolean shipped = policy.base().equals("mixed") || policy.base().equals("clean");
        if (policy.model().equals("embedded") && shipped) {
            Allowed.require(policy.resolution() == 32, "policy.resolution", policy.resolution(), SHIPPED_RESOLUTIONS);
        }
    }

    /** Whether any precision is {@code auto}. */
    public boolean isPrecisionOpen() {
        return rollout.precision() == Precision.AUTO
                || training.precision() == Precision.AUTO
                || scoring.judgePrecision() == Precision.AUTO;
    }

    /** Replaces each {@code auto} by these precisions; a precision that is set stays. */
    public RunSettings decided(Precision rolled, Precision trained, Precision judged) {
        return new RunSettings(
                recipe,
                seed,
                steps,
                policy,
                data,
                rollout.in(rollout.precision().or(rolled)),
                scoring.judgedIn(scoring.judgePrecision().or(judged)),
                groups,
                training.in(training.precision().or(trained)),
                evaluation,
                checkpoints,
                ledger,
                workers,
                limits,
                cluster,
                faults,
                inputs);
    }

    /**
     * Checks that a scorer exists for the images of the model. A run needs this before it begins, a shipped recipe does not.
     *
     * @throws SettingsException if the embedded judge is the only scorer and was not trained on such images
     */
    public void requireScorer() {
        boolean known = policy.model().equals("embedded") && policy.resolution() == JUDGED_RESOLUTION;
        Allowed.require(
                known || !scoring.endpoints().isEmpty(),
                "scoring.endpoints",
                "[]",
                "with policy.model=%s and policy.resolution=%d URLs of scorers, one or more: the embedded judge scores only the %d-pixel pictures of policy.model=embedded. Set scoring.endpoints=[\"http://HOST:PORT\"], or train with --scorer URL"
                        .formatted(policy.model(), policy.resolution(), JUDGED_RESOLUTION));
    }

    /** The ratio of Flow-GRPO is taken against the rollout policy, at solver steps whose noise is not the last. */
    private static void requireOnPolicy(RolloutSettings rollout, TrainingSettings training) {
        Allowed.require(
                training.timestepsPerImage() < rollout.solverSteps(),
                "training.timesteps-per-image",
                training.timestepsPerImage(),
                "with training.objective=flow-grpo whole numbers up to %d, below rollout.solver-steps=%d: the last solver step is not trained"
                        .formatted(rollout.solverSteps() - 1, rollout.solverSteps()));
        Allowed.require(
                training.oldPolicy() == TrainingSettings.OldPolicy.ON_POLICY,
                "training.old-policy",
                training.oldPolicy().name().toLowerCase(Locale.ROOT),
                "with training.objective=flow-grpo only on-policy: a policy that lags behind the trained one puts the"
                    + " ratio outside training.clip-range before the first update; set training.old-policy=on-policy");
        Allowed.require(
                rollout.staleness() == 0,
                "rollout.staleness",
                rollout.staleness(),
                "with training.objective=flow-grpo only 0: images of an older version have other probabilities than"
                        + " those that the ratio is taken against; set rollout.staleness=0");
    }

    private static void requireStretchable(RolloutSettings.Schedule schedule, String key, int steps) {
        Allowed.require(
                schedule != RolloutSettings.Schedule.QWEN || steps > 1,
                key,
                steps,
                "with rollout.schedule=qwen whole numbers from 2: its noise levels are stretched from 1 to 0.02, which"
                        + " takes two of them; raise it, or set rollout.schedule=kontext");
    }
}
