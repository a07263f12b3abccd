package darkroom.gpuworkers.checkpoints;

import java.util.Collections;
import java.util.SortedMap;
import java.util.TreeMap;

/**
 * Description of a checkpoint, in addition to its tensors.
 *
 * @param run name of the run
 * @param step training steps committed: the next step of a resumed run
 * @param optimizerSteps optimizer steps taken
 * @param seed run seed
 * @param settingsDigest SHA-256 of the settings that decide the result; a resumed run must have the same
 * @param counts totals of the run so far, by name: kept, dropped, unscored and any other count
 * @param validations the validation measure by step, as far as measured
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
