package darkroom.runtime.base;

import darkroom.actors.device.GroupOutcome;
import darkroom.actors.events.RunEvent;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * Result of one evaluation; one line of {@code evaluations.jsonl}. If a name occurs twice, the later line counts.
 *
 * @param name one of {@link Evaluations}, or the name of a validation
 * @param version policy version that generated the images; for a validation, the number of committed steps
 * @param lost rows that could not be generated and have no edits
 * @param overall means over all edits
 * @param perTask means by task type, ordered by name
 * @param edits every edit, in (row, slot) order
 */
public record EvaluationResult(
        String name,
        long version,
        int lost,
        Measurement.Averages overall,
        Map<String, Measurement.Averages> perTask,
        List<Measurement.Edit> edits) {
    public EvaluationResult {
        perTask = Collections.unmodifiableMap(new LinkedHashMap<>(perTask));
        edits = List.copyOf(edits);
    }

    public static EvaluationResult of(RunEvent.Evaluated evaluated, Measurement measurement) {
        return new EvaluationResult(
                evaluated.request().name(),
                evaluated.request().version().value(),
                (int) evaluated.endings().stream()
                        .filter(GroupOutcome.Lost.class::isInstance)
                        .count(),
                measurement.overall(),
                measurement.perTask(),
                measurement.edits());
    }

    public Measurement measurement() {
        return new Measurement(name, edits);
    }
}
