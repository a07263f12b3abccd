package darkroom.runtime.run;

import darkroom.actors.events.RunEvent;
import darkroom.actors.events.StopWhen;
import java.util.Optional;

/**
 * Ends a run whose next step has too few rows, because {@code groups.ban-prompts} has banned the others.
 *
 * @param rows training rows
 * @param groupsPerStep rows that a step takes
 */
record RowsLeft(int rows, int groupsPerStep) implements StopWhen {
    @Override
    public Optional<String> reason(RunEvent.StepCommitted committed, Optional<RunEvent.Evaluated> validation) {
        int left = rows - committed.state().newest().ban().rows().size();
        return left >= groupsPerStep
                ? Optional.empty()
                : Optional.of(
                        "only %d of %d rows are not banned, and a step takes rollout.groups-per-step=%d; the others teach nothing any more"
                                .formatted(left, rows, groupsPerStep));
    }
}
