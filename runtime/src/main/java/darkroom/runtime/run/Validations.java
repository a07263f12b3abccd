package darkroom.runtime.run;

import darkroom.actors.events.RunEvent;
import darkroom.actors.events.RunListener;
import darkroom.runtime.base.Evaluations;
import darkroom.runtime.base.Evaluator;
import darkroom.runtime.base.Measurement;
import java.util.Map;
import java.util.OptionalDouble;
import java.util.SortedMap;
import java.util.TreeMap;

/**
 * Measures the validations of a run while their images are in the store: mean ground truth, or mean reward if the rows
 * have no targets. Checkpoints keep one number per step, so that a resumed run stops where the undisturbed one does.
 */
final class Validations implements RunListener {
    private final Evaluator evaluator;
    private final SortedMap<Integer, Double> measures;

    /**
     * Creates a listener.
     *
     * @param earlier measures of a resumed run so far
     */
    Validations(Evaluator evaluator, Map<Integer, Double> earlier) {
        this.evaluator = evaluator;
        this.measures = new TreeMap<>(earlier);
    }

    @Override
    public synchronized void heard(RunEvent event) {
        if (event instanceof RunEvent.Evaluated evaluated && Evaluations.isValidation(evaluated.request())) {
            Measurement.Averages averages = evaluator.measure(evaluated).overall();
            OptionalDouble measure = averages.groundTruth().isPresent() ? averages.groundTruth() : averages.reward();
            measure.ifPresent(value ->
                    measures.put(Math.toIntExact(evaluated.request().version().value()), value));
        }
    }

    synchronized SortedMap<Integer, Double> measures() {
        return new TreeMap<>(measures);
    }
}
