package darkroom.actors.run;

import darkroom.config.CheckpointSettings;
import darkroom.config.DataSettings;
import darkroom.config.EvaluationSettings;
import darkroom.config.GroupSettings;
import darkroom.config.InputSettings;
import darkroom.config.LimitSettings;
import darkroom.config.OptimizerSettings;
import darkroom.config.PolicySettings;
import darkroom.config.Precision;
import darkroom.config.Recipes;
import darkroom.config.RolloutSettings;
import darkroom.config.RunSettings;
import darkroom.config.TrainingSettings;
import darkroom.config.WorkerSettings;
import java.time.Duration;
import java.util.List;

/** Small settings that exercise every rule of a run. */
public final class Settings {
    private Settings() {}

    public static final LimitSettings LIMITS = new LimitSettings(
            4,
            Duration.ofMillis(100),
            Duration.ofMillis(5),
            50,
            Duration.ofSeconds(20),
            1 << 24,
            Duration.ofSeconds(25));

    public static final GroupSettings GROUPS = new GroupSettings(
            true,
            GroupSettings.Rule.OR,
            GroupSettings.Spread.STD,
            0.75,
            0.2,
            GroupSettings.Normaliser.GLOBAL,
            1e-4,
            5,
            false,
            3);

    static final TrainingSettings TRAINING = training(2, 3, 4);

    public static TrainingSettings training(int timesteps, int optimizerSteps, int unitSamples) {
        return training(TrainingSettings.Objective.DIFFUSION_NFT, timesteps, optimizerSteps, unitSamples);
    }

    public static TrainingSettings training(
            TrainingSettings.Objective objective, int timesteps, int optimizerSteps, int unitSamples) {
        return new TrainingSettings(
                objective,
                TrainingSettings.Weighting.ADAPTIVE,
                1,
                1e-4,
                1e-4,
                timesteps,
                optimizerSteps,
                unitSamples,
                Precision.F32,
                0,
                1,
                new OptimizerSettings(1e-3, 0, 0.9, 0.999, 1e-8, 0, 1),
                TrainingSettings.OldPolicy.CONSTANT,
                0.5,
                0.9);
    }

    public static RolloutSettings rollout(int staleness) {
        return new RolloutSettings(
                5, 6, 4, RolloutSettings.Schedule.LINEAR, RolloutSettings.Solver.EULER, 0, Precision.F32, staleness);
    }

    /** Returns the same run settings, with this many gradient units per lease. */
    public static RunSettings leasing(RunSettings run, int unitsPerLease) {
        WorkerSettings workers = run.workers();
        return new RunSettings(
                run.recipe(),
                run.seed(),
                run.steps(),
                run.policy(),
                run.data(),
                run.rollout(),
                run.scoring(),
                run.groups(),
                run.training(),
                run.evaluation(),
                run.checkpoints(),
                run.ledger(),
                new WorkerSettings(
                        workers.rolloutDevices(),
                        workers.trainerDevices(),
                        unitsPerLease,
                        workers.device(),
                        workers.virtual()),
                run.limits(),
                run.cluster(),
                run.faults(),
                run.inputs());
    }

    public static RunSettings run(int staleness) {
        return run(staleness, LIMITS);
    }

    public static RunSettings run(int staleness, LimitSettings limits) {
        return run(7, staleness, GROUPS, limits);
    }

    public static RunSettings run(long seed, int staleness, GroupSettings groups, LimitSettings limits) {
        return new RunSettings(
                "test",
                seed,
                20,
                new PolicySettings("simulated", "mixed", "", 2, 1, 128),
                new DataSettings("embedded", List.of(), 50, DataSettings.OnMalformed.STOP),
                rollout(staleness),
                Recipes.load(
                                "embedded-demo",
                                List.of("scoring.concurrency=2", "scoring.timeout=1s", "scoring.attempts=3"))
                        .scoring(),
                groups,
                TRAINING,
                new EvaluationSettings(4, 2, 2, 3, 0, 4),
                new CheckpointSettings(10, 2, ""),
                Recipes.load("embedded-demo", List.of()).ledger(),
                Recipes.load("embedded-demo", List.of()).workers(),
                limits,
                Recipes.load("embedded-demo", List.of()).cluster(),
                Recipes.load("embedded-demo", List.of()).faults(),
                InputSettings.NONE);
    }
}
