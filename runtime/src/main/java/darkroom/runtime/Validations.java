package darkroom.runtime;

import darkroom.actors.RunEvent;
import darkroom.actors.RunListener;
import java.util.Map;
import java.util.OptionalDouble;
import java.util.SortedMap;
import java.util.TreeMap;

/**
 * Measures the validations of a run while their images are there: mean ground truth, or mean reward where the rows have no
 * targets. One number by step, kept in checkpoints, so that a resumed run stops where the undisturbed one does.
 */
final class Validations implements RunListener {
    private final Meter meter;
    private final SortedMap<Integer, Double> measures;

    /** @param earlier those that a resumed run brings */
    Validations(Meter meter, Map<Integer, Double> earlier) {
        this.meter = meter;
        this.measures = new TreeMap<>(earlier);
    }

    @Override
    public synchronized void heard(RunEvent event) {
        if (event instanceof RunEvent.Evaluated evaluated && Evaluations.isValidation(evaluated.request())) {
            Measurement.Averages averages = meter.measure(evaluated).overall();
            OptionalDouble measure = averages.groundTruth().isPresent() ? averages.groundTruth() : averages.reward();
            measure.ifPresent(value ->
                    measures.put(Math.toIntExact(evaluated.request().version().value()), value));
        }
    }

    synchronized SortedMap<Integer, Double> measures() {
        return new TreeMap<>(measures);
    }
}
