package darkroom.gpuworkers;

import java.util.Collections;
import java.util.List;
import java.util.OptionalDouble;
import java.util.SortedMap;
import java.util.TreeMap;

/**
 * What a checkpoint is of, beside its tensors.
 *
 * @param run name of the run
 * @param step training steps committed: the step that a resumed run does next
 * @param optimizerSteps optimizer steps taken
 * @param seed run seed
 * @param settingsDigest SHA-256 of the settings that decide the result; a resumed run must have the same
 * @param bannedRows rows that are never drawn again, ascending
 * @param counts totals of the run so far, by name: kept, dropped, unscored and whatever else the run counts
 * @param validation the validation measure at this step, if it was taken
 */
public record CheckpointManifest(
        String run,
        int step,
        long optimizerSteps,
        long seed,
        String settingsDigest,
        List<String> bannedRows,
        SortedMap<String, Long> counts,
        OptionalDouble validation) {
    public CheckpointManifest {
        bannedRows = bannedRows.stream().sorted().toList();
        counts = Collections.unmodifiableSortedMap(new TreeMap<>(counts));
        if (step < 0 || optimizerSteps < 0) {
            throw new IllegalArgumentException(
                    "step=%d, optimizerSteps=%d: neither may be negative".formatted(step, optimizerSteps));
        }
    }
}
