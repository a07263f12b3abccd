package darkroom.actors;

import java.util.Optional;

/** Decides at each commit whether the run ends there. */
@FunctionalInterface
public interface StopWhen {
    /** Runs all its steps. */
    StopWhen NEVER = (_, _) -> Optional.empty();

    /**
     * Why the run ends with this step; empty if it goes on. Called once a step, in order. A rule over rewards and
     * validations makes the end a function of the seed; a deadline does not.
     *
     * @param validation of this very step, if one was due; its images are gone
     */
    Optional<String> reason(RunEvent.StepCommitted committed, Optional<RunEvent.Evaluated> validation);
}
