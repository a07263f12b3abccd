package darkroom.actors.ledger;

import darkroom.actors.device.ScoreOutcome;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * The recorded events of the steps from the state that a run begins from: recorded answers are not requested again, and
 * recomputed values must match the recorded ones. Read-only.
 */
public final class LedgerHistory {
    /** A history without events. */
    public static final LedgerHistory NONE = new LedgerHistory(0, List.of());

    private record Place(int step, int group) {}

    private final Map<Integer, LedgerEvent.StepOpened> opened = new HashMap<>();
    private final Map<Place, LedgerEvent.GroupGenerated> generated = new HashMap<>();
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

    /**
     * Extracts the history from a ledger snapshot.
     *
     * @param from steps committed in the state that the run begins from
     */
    public static LedgerHistory of(LedgerSnapshot snapshot, int from) {
        return new LedgerHistory(from, snapshot.events());
    }

    private void note(LedgerEvent event) {
        switch (event) {
            case LedgerEvent.StepOpened step -> opened.putIfAbsent(step.step(), step);
            case LedgerEvent.GroupGenerated group ->
                generated.putIfAbsent(new Place(group.step(), group.group()), group);
            case LedgerEvent.SampleOutcome fate ->
                outcomes.computeIfAbsent(new Place(fate.step(), fate.group()), _ -> new HashMap<>())
                        .putIfAbsent(fate.slot(), fate.outcome());
            case LedgerEvent.GroupLost group -> lost.putIfAbsent(new Place(group.step(), group.group()), group);
            case LedgerEvent.GroupJudged group -> judged.putIfAbsent(new Place(group.step(), group.group()), group);
            case LedgerEvent.StepCommitted step -> committed.putIfAbsent(step.step(), step);
            case LedgerEvent.RunOpened _, LedgerEvent.CheckpointWritten _ -> {}
        }
    }

    /** Returns the recorded prompts of a step, if any. */
    public Optional<LedgerEvent.StepOpened> opened(int step) {
        return found(opened.get(step));
    }

    /** Returns the recorded images of a group, if any. */
    public Optional<LedgerEvent.GroupGenerated> generated(int step, int group) {
        return found(generated.get(new Place(step, group)));
    }

    /** Returns the recorded outcomes of a group, by slot. */
    public Map<Integer, ScoreOutcome> outcomes(int step, int group) {
        return Map.copyOf(outcomes.getOrDefault(new Place(step, group), Map.of()));
    }

    /** Returns the recorded loss of a group, if any. */
    public Optional<LedgerEvent.GroupLost> lost(int step, int group) {
        return found(lost.get(new Place(step, group)));
    }

    /** Returns the recorded filter decision on a group, if any. */
    public Optional<LedgerEvent.GroupJudged> judged(int step, int group) {
        return found(judged.get(new Place(step, group)));
    }

    /** Returns the recorded commit of a step, if any. */
    public Optional<LedgerEvent.StepCommitted> committed(int step) {
        return found(committed.get(step));
    }

    private static <T> Optional<T> found(@Nullable T recorded) {
        return Optional.ofNullable(recorded);
    }
}
