package darkroom.config;

/**
 * Rollout of a group of edits with the current policy.
 *
 * @param groupsPerStep G, prompts per step (paper: 24)
 * @param imagesPerGroup K, edits per prompt (paper: 12)
 * @param solverSteps n, velocity evaluations per image (paper: 6)
 * @param schedule sigma schedule, method section 2.2
 * @param solver solver that steps from one sigma to the next
 * @param sdeNoise noise level of {@link Solver#SDE}; unused by the deterministic solvers
 * @param precision of the linear layers of the rollout policy, and of the old and the reference policy in training
 * @param staleness how many committed versions the rollout policy of a step is behind the newest: 0 or 1
 */
public record RolloutSettings(
        int groupsPerStep,
        int imagesPerGroup,
        int solverSteps,
        Schedule schedule,
        Solver solver,
        double sdeNoise,
        Precision precision,
        int staleness) {
    public RolloutSettings {
        Allowed.whole("rollout.groups-per-step", groupsPerStep, 1, 1_000_000);
        Allowed.whole("rollout.images-per-group", imagesPerGroup, 2, 10_000);
        Allowed.whole("rollout.solver-steps", solverSteps, 1, 1000);
        Allowed.real("rollout.sde-noise", sdeNoise, 0, 10);
        Allowed.require(
                solver != Solver.SDE || sdeNoise > 0, "rollout.sde-noise", sdeNoise, "numbers above 0 with solver=sde");
        Allowed.whole("rollout.staleness", staleness, 0, 1);
    }

    /** Returns these settings with another precision. */
    public RolloutSettings in(Precision other) {
        return new RolloutSettings(
                groupsPerStep, imagesPerGroup, solverSteps, schedule, solver, sdeNoise, other, staleness);
    }

    /** Sigma schedules of the flow-matching scheduler: dynamic shift as in Kontext, as in Qwen-Image-Edit, or none. */
    public enum Schedule {
        KONTEXT,
        QWEN,
        LINEAR
    }

    /** Solvers: first order; DPM-Solver++ 2M as the public code steps it; the stochastic sampler of Flow-GRPO. */
    public enum Solver {
        EULER,
        DPM2,
        SDE
    }
}
