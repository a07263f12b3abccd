package darkroom.edittasks.tasks;

import java.util.Arrays;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;

/**
 * Frequencies of the task types, and the number of objects.
 *
 * @param weights relative frequency of each task type; types that are absent are never drawn
 * @param objects number of objects of the committed list, from 24 to {@link #OBJECTS_MAX}
 */
public record TaskMix(Map<TaskType, Double> weights, int objects) {
    /** Number of objects in the committed list. */
    public static final int OBJECTS_MAX = Catalogue.OBJECTS.size();

    /** Number of objects that a model of a million weights learns to generate within minutes. */
    public static final int OBJECTS_EMBEDDED = 24;

    public TaskMix {
        EnumMap<TaskType, Double> sorted = new EnumMap<>(TaskType.class);
        sorted.putAll(weights);
        weights = java.util.Collections.unmodifiableMap(sorted);
        if (weights.isEmpty() || weights.values().stream().anyMatch(weight -> !(weight > 0))) {
            throw new IllegalArgumentException("weights=" + weights + " must name a task type, each with a weight > 0");
        }
        if (objects < 24 || objects > OBJECTS_MAX) {
            throw new IllegalArgumentException("objects=" + objects + " must be from 24 to " + OBJECTS_MAX);
        }
    }

    /** Returns all of {@code types} with equal weights, and {@link #OBJECTS_EMBEDDED} objects. */
    public static TaskMix evenly(List<TaskType> types) {
        EnumMap<TaskType, Double> weights = new EnumMap<>(TaskType.class);
        types.forEach(type -> weights.put(type, 1.0));
        return new TaskMix(weights, OBJECTS_EMBEDDED);
    }

    /** Returns all twelve task types with equal weights, and {@link #OBJECTS_EMBEDDED} objects. */
    public static TaskMix all() {
        return evenly(Arrays.asList(TaskType.values()));
    }

    /** Returns the types with these labels with equal weights, as in {@code data.tasks}; an empty list means all twelve. */
    public static TaskMix named(List<String> labels) {
        return labels.isEmpty()
                ? all()
                : evenly(labels.stream().map(TaskType::of).toList());
    }

    TaskType draw(Draws draws) {
        double left = draws.unit()
                * weights.values().stream().mapToDouble(Double::doubleValue).sum();
        TaskType last = weights.keySet().iterator().next();
        for (Map.Entry<TaskType, Double> entry : weights.entrySet()) {
            last = entry.getKey();
            left -= entry.getValue();
            if (left < 0) {
                break;
            }
        }
        return last;
    }

    /** Returns eight hexadecimal digits that differ between mixes. */
    String digest() {
        StringBuilder text = new StringBuilder().append(objects);
        weights.forEach((type, weight) -> text.append(type.label()).append(weight));
        return "%08x".formatted(Combination.stableHash(text.toString()));
    }
}
