package darkroom.gpuworkers;

import java.util.Collections;
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
 * @param counts totals of the run so far, by name: kept, dropped, unscored and whatever else the run counts
 * @param validations the validation measure by step, as far as it was taken
 */
public record CheckpointManifest(
        String run,
        int step,
        long optimizerSteps,
        long seed,
        String settingsDigest,
        SortedMap<String, Long> counts,
        SortedMap<Integer, Double> validations) {
    public CheckpointManifest {
        counts = Collections.unmodifiableSortedMap(new TreeMap<>(counts));
        validations = Collections.unmodifiableSortedMap(new TreeMap<>(validations));
        if (step < 0 || optimizerSteps < 0) {
            throw new IllegalArgumentException(
                    "step=%d, optimizerSteps=%d: neither may be negative".formatted(step, optimizerSteps));
        }
    }
}
