package darkroom.runtime;

import darkroom.actors.GroupKeeper;
import darkroom.actors.RunEvent;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * One line of {@code evaluations.jsonl}: what an evaluation found. Where a name is there twice, the later line counts.
 *
 * @param name one of {@link Evaluations}, or of a validation
 * @param version policy version that the images were drawn with; steps committed, for a validation
 * @param lost rows that could not be drawn: they have no edits
 * @param overall means over all edits
 * @param perTask means by task type, ordered by name
 * @param edits every edit, in (row, slot) order
 */
record EvaluationResult(
        String name,
        long version,
        int lost,
        Measurement.Averages overall,
        Map<String, Measurement.Averages> perTask,
        List<Measurement.Edit> edits) {
    EvaluationResult {
        perTask = Collections.unmodifiableMap(new LinkedHashMap<>(perTask));
        edits = List.copyOf(edits);
    }

    static EvaluationResult of(RunEvent.Evaluated evaluated, Measurement measurement) {
        return new EvaluationResult(
                evaluated.request().name(),
                evaluated.request().version().value(),
                (int) evaluated.endings().stream()
                        .filter(GroupKeeper.GroupLost.class::isInstance)
                        .count(),
                measurement.overall(),
                measurement.perTask(),
                measurement.edits());
    }

    Measurement measurement() {
        return new Measurement(name, edits);
    }
}
