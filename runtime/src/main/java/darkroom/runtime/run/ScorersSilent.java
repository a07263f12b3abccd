package darkroom.runtime.run;

import darkroom.actors.events.RunEvent;
import darkroom.actors.events.StopWhen;
import darkroom.runtime.base.JsonLines;
import darkroom.runtime.report.StepMetrics;
import java.nio.file.Path;
import java.util.Optional;

/** Ends a run whose scorers have scored no image for {@link #STEPS_MAX} steps in a row: nothing would be learned. */
final class ScorersSilent implements StopWhen {
    static final int STEPS_MAX = 3;

    private int silent;

    /**
     * Creates a rule.
     *
     * @param silent steps without a score at the end of what is recorded, for a resumed run
     */
    ScorersSilent(int silent) {
        this.silent = silent;
    }

    /** Returns the number of such steps at the end of a run's metrics, from which later steps have been cut. */
    static int recorded(Path metrics) {
        int[] silent = new int[1];
        JsonLines.forEach(
                metrics,
                StepMetrics.class,
                step -> silent[0] = step.reward().mean().isEmpty() ? silent[0] + 1 : 0);
        return Math.min(silent[0], STEPS_MAX - 1); // a resumed run tries at least one step
    }

    @Override
    public Optional<String> reason(RunEvent.StepCommitted committed, Optional<RunEvent.Evaluated> validation) {
        silent = committed.statistics().scored() == 0 ? silent + 1 : 0;
        return silent < STEPS_MAX
                ? Optional.empty()
                : Optional.of(
                        "no image of the last %d steps could be scored; decisions.jsonl has the reasons. Repair the scorers, then resume"
                                .formatted(silent));
    }
}
