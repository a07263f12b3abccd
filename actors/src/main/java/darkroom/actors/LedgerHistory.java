package darkroom.actors;

import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * What is recorded of the steps that a run has before it, from the state that it begins from: what was asked is not asked
 * again, and what is computed again must come out as it is written. Only read.
 */
public final class LedgerHistory {
    /** Nothing is recorded. */
    public static final LedgerHistory NONE = new LedgerHistory(0, List.of());

    private record Place(int step, int group) {}

    private final Map<Integer, LedgerEvent.StepOpened> opened = new HashMap<>();
    private final Map<Place, LedgerEvent.GroupDrawn> drawn = new HashMap<>();
    private final Map<Place, Map<Integer, ScoreOutcome>> outcomes = new HashMap<>();
    private final Map<Place, LedgerEvent.GroupLost> lost = new HashMap<>();
    private final Map<Place, LedgerEvent.GroupJudged> judged = new HashMap<>();
    private final Map<Integer, LedgerEvent.StepCommitted> committed = new HashMap<>();

    private LedgerHistory(int from, List<LedgerEvent> events) {
        for (LedgerEvent event : events) {
            if (event.step() >= from) {
                note(event);
            }
        }
    }

    /** @param from steps committed in the state that the run begins from */
    public static LedgerHistory of(LedgerBook book, int from) {
        return new LedgerHistory(from, book.events());
    }

    private void note(LedgerEvent event) {
        switch (event) {
            case LedgerEvent.StepOpened step -> opened.putIfAbsent(step.step(), step);
            case LedgerEvent.GroupDrawn group -> drawn.putIfAbsent(new Place(group.step(), group.group()), group);
            case LedgerEvent.SlotFate fate ->
                outcomes.computeIfAbsent(new Place(fate.step(), fate.group()), _ -> new HashMap<>())
                        .putIfAbsent(fate.slot(), fate.outcome());
            case LedgerEvent.GroupLost group -> lost.putIfAbsent(new Place(group.step(), group.group()), group);
            case LedgerEvent.GroupJudged group -> judged.putIfAbsent(new Place(group.step(), group.group()), group);
            case LedgerEvent.StepCommitted step -> committed.putIfAbsent(step.step(), step);
            case LedgerEvent.RunOpened _, LedgerEvent.CheckpointWritten _ -> {}
        }
    }

    /** The prompts of a step, if they are recorded. */
    public Optional<LedgerEvent.StepOpened> opened(int step) {
        return found(opened.get(step));
    }

    /** The images of a group, if they are recorded. */
    public Optional<LedgerEvent.GroupDrawn> drawn(int step, int group) {
        return found(drawn.get(new Place(step, group)));
    }

    /** What is recorded of the slots of a group, by slot. */
    public Map<Integer, ScoreOutcome> outcomes(int step, int group) {
        return Map.copyOf(outcomes.getOrDefault(new Place(step, group), Map.of()));
    }

    /** That a group could not be drawn, if that is recorded. */
    public Optional<LedgerEvent.GroupLost> lost(int step, int group) {
        return found(lost.get(new Place(step, group)));
    }

    /** The verdict on a group, if it is recorded. */
    public Optional<LedgerEvent.GroupJudged> judged(int step, int group) {
        return found(judged.get(new Place(step, group)));
    }

    /** The commit of a step, if it is recorded. */
    public Optional<LedgerEvent.StepCommitted> committed(int step) {
        return found(committed.get(step));
    }

    private static <T> Optional<T> found(@Nullable T recorded) {
        return Optional.ofNullable(recorded);
    }
}
