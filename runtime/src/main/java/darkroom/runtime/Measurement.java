package darkroom.runtime;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalDouble;
import java.util.function.Function;
import java.util.stream.Collectors;

/**
 * What an evaluation found, by judge and by ground truth: one entry an image, in (task, slot) order.
 *
 * @param name which evaluation
 */
record Measurement(String name, List<Edit> edits) {
    Measurement {
        edits = List.copyOf(edits);
    }

    /**
     * One edit, measured.
     *
     * @param reward the scorer's score; absent if unscored
     * @param groundTruth agreement with the exact target in [0, 1]; absent where no target is known
     * @param psnrOutside dB against the source outside the edited region; absent where there is no outside or no target
     */
    record Edit(
            String row,
            String taskType,
            int slot,
            OptionalDouble reward,
            OptionalDouble groundTruth,
            OptionalDouble psnrOutside) {}

    /** Means over edits; absent where no edit has the figure. */
    record Averages(
            int edits, int unscored, OptionalDouble reward, OptionalDouble groundTruth, OptionalDouble psnrOutside) {}

    Averages overall() {
        return averages(edits);
    }

    /** Means by task type, ordered by name. */
    Map<String, Averages> perTask() {
        return edits.stream()
                .sorted(Comparator.comparing(Edit::taskType))
                .collect(Collectors.groupingBy(
                        Edit::taskType,
                        LinkedHashMap::new,
                        Collectors.collectingAndThen(Collectors.toList(), Measurement::averages)));
    }

    /** Ground-truth difference to an earlier measurement of the same tasks, paired by row; empty without targets. */
    List<PairedBootstrap> groundTruthGain(Measurement before) {
        return gain(before, Edit::groundTruth);
    }

    /** Reward difference to an earlier measurement of the same tasks, paired by row. */
    List<PairedBootstrap> rewardGain(Measurement before) {
        return gain(before, Edit::reward);
    }

    /** Difference of PSNR outside the edited region to an earlier measurement of the same tasks, paired by row. */
    List<PairedBootstrap> psnrOutsideGain(Measurement before) {
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
