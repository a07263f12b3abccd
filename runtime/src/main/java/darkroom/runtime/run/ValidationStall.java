package darkroom.runtime.run;

import darkroom.actors.events.RunEvent;
import darkroom.actors.events.StopWhen;
import java.util.Optional;
import java.util.SortedMap;
import java.util.function.Supplier;

/**
 * Ends a run when the validation measure has brought no new best for {@code patience} validations. The measure is taken
 * on the validation split, which no report uses. It is a function of the seed and of all validations so far, not of
 * time, so that a resumed run stops where the undisturbed one does.
 */
final class ValidationStall implements StopWhen {
    /** Smallest improvement that makes a new best: less is the noise of the measure. */
    private static final double MARGIN = 0.002;

    private final int patience;
    private final Supplier<SortedMap<Integer, Double>> measures;

    /**
     * Creates a rule.
     *
     * @param patience validations without a new best; 0 never stops
     * @param measures measures by committed steps
     */
    ValidationStall(int patience, Supplier<SortedMap<Integer, Double>> measures) {
        this.patience = patience;
        this.measures = measures;
    }

    @Override
    public Optional<String> reason(RunEvent.StepCommitted committed, Optional<RunEvent.Evaluated> validation) {
        if (patience == 0 || validation.isEmpty()) {
            return Optional.empty();
        }
        double best = Double.NEGATIVE_INFINITY;
        double latest = best;
        int sinceBest = 0;
        for (double measure : measures.get().values()) {
            latest = measure;
            sinceBest++;
            if (measure > best + MARGIN) {
                best = measure;
                sinceBest = 0;
            }
        }
        return sinceBest < patience
                ? Optional.empty()
                : Optional.of(
                        "the validation measure %.4f has not passed its best %.4f for %d validations, evaluation.patience=%d"
                                .formatted(latest, best, sinceBest, patience));
    }
}
