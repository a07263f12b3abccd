package darkroom.runtime;

import darkroom.actors.RunEvent;
import darkroom.actors.StopWhen;
import java.util.Optional;

/** Ends a run whose scorers have not scored one image for {@link #STEPS_MAX} steps in a row: nothing would be learned. */
final class ScorersSilent implements StopWhen {
    static final int STEPS_MAX = 3;

    private int silent;

    @Override
    public Optional<String> reason(RunEvent.StepCommitted committed, Optional<RunEvent.Evaluated> validation) {
        silent = committed.statistics().scored() == 0 ? silent + 1 : 0;
        return silent < STEPS_MAX
                ? Optional.empty()
                : Optional.of(
                        "no image of the last %d steps could be scored; verdicts.jsonl has the reasons. Mend the scorers, then resume"
                                .formatted(silent));
    }
}
