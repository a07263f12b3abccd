package darkroom.runtime.base;

import darkroom.actors.device.GroupOutcome;
import darkroom.actors.device.Prompt;
import darkroom.actors.device.ScoreOutcome;
import darkroom.actors.events.RunEvent;
import darkroom.edittasks.pictures.RgbImage;
import darkroom.edittasks.tasks.GroundTruth;
import darkroom.tensors.TensorRef;
import darkroom.tensors.TensorStore;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.List;
import java.util.OptionalDouble;
import java.util.function.Function;

/**
 * Measures edits while their images are in the store: the scorer's score, and agreement with the exact target if it is
 * known.
 */
public final class Evaluator {
    private final Function<String, Row> rows;
    private final TensorStore store;

    /**
     * Creates an evaluator.
     *
     * @param rows returns the row of an id; called for every group that is measured
     */
    public Evaluator(Function<String, Row> rows, TensorStore store) {
        this.rows = rows;
        this.store = store;
    }

    /** Measures the generated edits of an evaluation, in (task, slot) order. */
    public Measurement measure(RunEvent.Evaluated evaluated) {
        List<Measurement.Edit> edits = new ArrayList<>();
        for (GroupOutcome ending : evaluated.endings()) {
            if (ending instanceof GroupOutcome.Finished ended) {
                edits.addAll(measure(ended));
            }
        }
        return new Measurement(evaluated.request().name(), edits);
    }

    /** Measures the edits of one group, in slot order. */
    public List<Measurement.Edit> measure(GroupOutcome.Finished ended) {
        Prompt prompt = ended.rollout().prompt();
        Row row = rows.apply(prompt.row());
        List<Measurement.Edit> edits = new ArrayList<>();
        for (int slot = 0; slot < ended.outcomes().size(); slot++) {
            OptionalDouble reward =
                    switch (ended.outcomes().get(slot)) {
                        case ScoreOutcome.Scored scored -> OptionalDouble.of(scored.score());
                        case ScoreOutcome.Unscored unscored -> OptionalDouble.empty();
                    };
            OptionalDouble groundTruth = OptionalDouble.empty();
            OptionalDouble psnrOutside = OptionalDouble.empty();
            RgbImage target = row.target();
            if (target != null) {
                RgbImage edited = image(ended.generated().images().get(slot).pixels());
                GroundTruth truth = GroundTruth.measure(row.source(), edited, target);
                groundTruth = OptionalDouble.of(truth.score());
                if (truth.maskPixels() < target.width() * target.height()) {
                    psnrOutside = OptionalDouble.of(truth.psnrOutside());
                }
            }
            edits.add(new Measurement.Edit(row.id(), row.taskType(), slot, reward, groundTruth, psnrOutside));
        }
        return edits;
    }

    /** Reads a picture from a tensor UINT8 [height, width, 3]. */
    public RgbImage image(TensorRef pixels) {
        return RgbImage.of(
                pixels.shape().get(1), pixels.shape().get(0), store.read(pixels).toArray(ValueLayout.JAVA_BYTE));
    }
}
