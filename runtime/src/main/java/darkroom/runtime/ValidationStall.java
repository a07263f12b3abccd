package darkroom.runtime;

import darkroom.actors.RunEvent;
import darkroom.actors.StopWhen;
import java.util.Optional;
import java.util.function.ToDoubleFunction;

/**
 * Ends a run when the validation measure has brought no new best for {@code patience} validations. The measure is taken
 * on the validation split, which no report draws from; a function of the seed, not of time.
 */
final class ValidationStall implements StopWhen {
    /** A best is new when it is better by this much: less is the noise of the measure. */
    private static final double MARGIN = 0.002;

    private final int patience;
    private final ToDoubleFunction<RunEvent.Evaluated> measure;
    private double best = Double.NEGATIVE_INFINITY;
    private int sinceBest;

    /** @param patience validations without a new best; 0 never stops */
    ValidationStall(int patience, ToDoubleFunction<RunEvent.Evaluated> measure) {
        this.patience = patience;
        this.measure = measure;
    }

    @Override
    public Optional<String> reason(RunEvent.StepCommitted committed, Optional<RunEvent.Evaluated> validation) {
        if (patience == 0 || validation.isEmpty()) {
            return Optional.empty();
        }
        double now = measure.applyAsDouble(validation.get());
        if (now > best + MARGIN) {
            best = now;
            sinceBest = 0;
            return Optional.empty();
        }
        sinceBest++;
        return sinceBest < patience
                ? Optional.empty()
                : Optional.of(
                        "the validation measure %.4f has not passed its best %.4f for %d validations, evaluation.patience=%d"
                                .formatted(now, best, sinceBest, patience));
    }
}
