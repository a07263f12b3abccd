package darkroom.runtime.chaos;

import darkroom.actors.ledger.LedgerEvent;
import darkroom.actors.ledger.LedgerSnapshot;
import darkroom.actors.ledger.RunDigests;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.TreeMap;

/** Finds the first difference of two runs that should be equal, from their ledgers. */
public final class Divergence {
    /** The part of a run that differs first. */
    public enum Part {
        /** The step is not in the second ledger. */
        MISSING_STEP,
        PROMPTS,
        IMAGE,
        SCORE,
        DECISION,
        /** All that the training begins with is equal, and its result is not. */
        TRAINING
    }

    /**
     * The first difference of two runs.
     *
     * @param group absent if the whole step differs
     * @param slot absent if the whole step differs; 0 for a decision, which is of a group
     * @param text description for people, one line
     */
    public record Difference(Part part, int step, OptionalInt group, OptionalInt slot, String text) {
        private static Difference ofStep(Part part, int step, String text) {
            return new Difference(part, step, OptionalInt.empty(), OptionalInt.empty(), text);
        }
    }

    private record Place(int step, int group, int slot) implements Comparable<Place> {
        @Override
        public int compareTo(Place other) {
            return Comparator.comparingInt(Place::step)
                    .thenComparingInt(Place::group)
                    .thenComparingInt(Place::slot)
                    .compare(this, other);
        }
    }

    private final Map<Integer, RunDigests> commits = new TreeMap<>();
    private final Map<Integer, List<String>> rows = new TreeMap<>();
    private final Map<Place, LedgerEvent.ImageDigest> images = new TreeMap<>();
    private final Map<Place, String> scores = new TreeMap<>();
    private final Map<Place, String> decisions = new TreeMap<>();

    private Divergence(LedgerSnapshot snapshot) {
        for (LedgerEvent event : snapshot.events()) {
            switch (event) {
                case LedgerEvent.StepOpened opened -> rows.put(opened.step(), opened.rows());
                case LedgerEvent.GroupGenerated generated -> {
                    for (int slot = 0; slot < generated.images().size(); slot++) {
                        images.put(
                                new Place(generated.step(), generated.group(), slot),
                                generated.images().get(slot));
                    }
                }
                case LedgerEvent.SlotScored scored ->
                    scores.put(new Place(scored.step(), scored.group(), scored.slot()), "score " + scored.score());
                case LedgerEvent.SlotUnscored unscored ->
                    scores.put(new Place(unscored.step(), unscored.group(), unscored.slot()), "no score");
                case LedgerEvent.GroupLost lost -> decisions.put(new Place(lost.step(), lost.group(), 0), "lost");
                case LedgerEvent.GroupJudged judged ->
                    decisions.put(
                            new Place(judged.step(), judged.group(), 0),
                            judged.fate().name());
                case LedgerEvent.StepCommitted commit -> commits.put(commit.step(), commit.digests());
                case LedgerEvent.RunOpened _, LedgerEvent.CheckpointWritten _ -> {}
            }
        }
    }

    /** Returns the first difference; empty if the second has the same entries as the first, step by step. */
    public static Optional<Difference> between(LedgerSnapshot undisturbed, LedgerSnapshot disturbed) {
        Divergence first = new Divergence(undisturbed);
        Divergence second = new Divergence(disturbed);
        for (Map.Entry<Integer, RunDigests> commit : first.commits.entrySet()) {
            RunDigests other = second.commits.get(commit.getKey());
            if (other == null) {
                return Optional.of(Difference.ofStep(
                        Part.MISSING_STEP, commit.getKey(), "step %d was never committed".formatted(commit.getKey())));
            }
            if (!other.equals(commit.getValue())) {
                return Optional.of(first.within(second, commit.getKey(), commit.getValue(), other));
            }
        }
        return Optional.empty();
    }

    private Difference within(Divergence other, int step, RunDigests here, RunDigests there) {
        if (rows.containsKey(step) && !rows.get(step).equals(other.rows.get(step))) {
            return Difference.ofStep(
                    Part.PROMPTS,
                    step,
                    "step %d has other prompts: %s, and %s".formatted(step, rows.get(step), other.rows.get(step)));
        }
        return difference(Part.IMAGE, "image ", step, images, other.images)
                .or(() -> difference(Part.SCORE, "", step, scores, other.scores))
                .or(() -> difference(Part.DECISION, "decision ", step, decisions, other.decisions))
                .orElseGet(() -> {
                    List<String> parts = new ArrayList<>();
                    if (!here.weights().equals(there.weights())) {
                        parts.add("weights");
                    }
                    if (!here.optimizer().equals(there.optimizer())) {
                        parts.add("optimizer");
                    }
                    if (!here.decisions().equals(there.decisions())) {
                        parts.add("chain of decisions");
                    }
                    return Difference.ofStep(
                            Part.TRAINING,
                            step,
                            "step %d: images, scores and decisions are the same, the training is not: %s"
                                    .formatted(step, String.join(", ", parts)));
                });
    }

    private static <T> Optional<Difference> difference(
            Part part, String what, int step, Map<Place, T> here, Map<Place, T> there) {
        for (Map.Entry<Place, T> entry : here.entrySet()) {
            Place place = entry.getKey();
            T other = there.get(place);
            if (place.step() == step && !entry.getValue().equals(other)) {
                return Optional.of(new Difference(
                        part,
                        step,
                        OptionalInt.of(place.group()),
                        OptionalInt.of(place.slot()),
                        "step %d group %d slot %d: %s%s, and %s"
                                .formatted(step, place.group(), place.slot(), what, entry.getValue(), other)));
            }
        }
        return Optional.empty();
    }
}
