package darkroom.config;

/**
 * Everything that decides what a run computes and how it is carried out, read once and validated.
 *
 * <p>{@link #policy} to {@link #training} and {@link #seed} decide the result; {@link #workers}, {@link #limits},
 * {@link #evaluation}, {@link #checkpoints}, {@link #ledger}, {@link #cluster} and {@link #faults} never reach a weight (promise P-1).
 *
 * @param recipe name of the recipe this came from, for instance {@code embedded-demo}
 * @param seed key of all randomness of the run
 * @param steps training steps of the whole run, unless it stops earlier by rule
 * @param inputs what the run reads, by content
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
    private static final String SHIPPED_RESOLUTIONS =
            "32 with a base that ships; another takes a base of your own, see darkroom pretrain";

    public RunSettings {
        Allowed.text("recipe", recipe);
        Allowed.whole("steps", steps, 1, Integer.MAX_VALUE);
        boolean stochastic = rollout.solver() == RolloutSettings.Solver.SDE;
        switch (training.objective()) {
            case FLOW_GRPO ->
                Allowed.require(
                        stochastic,
                        "training.objective",
                        "flow-grpo",
                        "diffusion-nft, or flow-grpo with rollout.solver=sde");
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
                evaluation.patience() == 0 || evaluation.everySteps() > 0,
                "evaluation.patience",
                evaluation.patience(),
                "0, or with validations: evaluation.every-steps of 1 or more");
        boolean shipped = policy.base().equals("mixed") || policy.base().equals("clean");
        if (policy.model().equals("embedded") && shipped) {
            Allowed.require(policy.resolution() == 32, "policy.resolution", policy.resolution(), SHIPPED_RESOLUTIONS);
        }
    }
}
