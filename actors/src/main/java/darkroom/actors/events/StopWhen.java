package darkroom.actors.events;

import java.util.Optional;

/** Decides at each commit whether the run ends there. */
@FunctionalInterface
public interface StopWhen {
    /** Runs all its steps. */
    StopWhen NEVER = (_, _) -> Optional.empty();

    /**
     * Returns why the run ends with this step; empty if it continues. Called once per step, in order. A rule over rewards
     * and validations makes the end a function of the seed; a deadline does not.
     *
     * @param validation of this very step, if one was due; its images are released
     */
    Optional<String> reason(RunEvent.StepCommitted committed, Optional<RunEvent.Evaluated> validation);
}
