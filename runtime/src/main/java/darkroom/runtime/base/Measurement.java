package darkroom.runtime.base;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalDouble;
import java.util.function.Function;
import java.util.stream.Collectors;

/**
 * Result of an evaluation, by judge and by ground truth: one entry per image, in (task, slot) order.
 *
 * @param name name of the evaluation
 */
public record Measurement(String name, List<Edit> edits) {
    public Measurement {
        edits = List.copyOf(edits);
    }

    /**
     * Measures of one edit.
     *
     * @param reward the scorer's score; absent if unscored
     * @param groundTruth agreement with the exact target in [0, 1]; absent if no target is known
     * @param psnrOutside dB against the source outside the edited region; absent without an outside or a target
     */
    public record Edit(
            String row,
            String taskType,
            int slot,
            OptionalDouble reward,
            OptionalDouble groundTruth,
            OptionalDouble psnrOutside) {}

    /** Means over edits; a mean is absent if no edit has the figure. */
    public record Averages(
            int edits, int unscored, OptionalDouble reward, OptionalDouble groundTruth, OptionalDouble psnrOutside) {}

    public Averages overall() {
        return averages(edits);
    }

    /** Returns the means by task type, ordered by name. */
    public Map<String, Averages> perTask() {
        return edits.stream()
                .sorted(Comparator.comparing(Edit::taskType))
                .collect(Collectors.groupingBy(
                        Edit::taskType,
                        LinkedHashMap::new,
                        Collectors.collectingAndThen(Collectors.toList(), Measurement::averages)));
    }

    /**
     * Returns the ground-truth difference to an earlier measurement of the same tasks, paired by row; empty without
     * targets.
     */
    public List<PairedBootstrap> groundTruthGain(Measurement before) {
        return gain(before, Edit::groundTruth);
    }

    /** Returns the reward difference to an earlier measurement of the same tasks, paired by row. */
    public List<PairedBootstrap> rewardGain(Measurement before) {
        return gain(before, Edit::reward);
    }

    /**
     * Returns the difference of PSNR outside the edited region to an earlier measurement of the same tasks, paired by
     * row.
     */
    public List<PairedBootstrap> psnrOutsideGain(Measurement before) {
        return gain(before, Edit::psnrOutside);
    }

    private List<PairedBootstrap> gain(Measurement before, Function<Edit, OptionalDouble> figure) {
        Map<String, OptionalDouble> earlier = byRow(before, figure);
        List<double[]> pairs = new ArrayList<>();
        byRow(this, figure).forEach((row, now) -> {
            OptionalDouble then = earlier.getOrDefault(row, OptionalDouble.empty());
            if (now.isPresent() && then.isPresent()) {
                pairs.add(new double[] {then.getAsDouble(), now.getAsDouble()});
            }
        });
        if (pairs.isEmpty()) {
            return List.of();
        }
        return List.of(PairedBootstrap.of(
                pairs.stream().mapToDouble(pair -> pair[0]).toArray(),
                pairs.stream().mapToDouble(pair -> pair[1]).toArray()));
    }

    private static Map<String, OptionalDouble> byRow(Measurement measurement, Function<Edit, OptionalDouble> figure) {
        return measurement.edits().stream()
                .collect(Collectors.groupingBy(
                        Edit::row,
                        LinkedHashMap::new,
                        Collectors.collectingAndThen(Collectors.toList(), edits -> mean(edits, figure))));
    }

    private static Averages averages(List<Edit> edits) {
        int unscored =
                (int) edits.stream().filter(edit -> edit.reward().isEmpty()).count();
        return new Averages(
                edits.size(),
                unscored,
                mean(edits, Edit::reward),
                mean(edits, Edit::groundTruth),
                mean(edits, Edit::psnrOutside));
    }

    private static OptionalDouble mean(List<Edit> edits, Function<Edit, OptionalDouble> figure) {
        return edits.stream()
                .map(figure)
                .filter(OptionalDouble::isPresent)
                .mapToDouble(OptionalDouble::getAsDouble)
                .average();
    }
}
