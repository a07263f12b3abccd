package darkroom.runtime;

import darkroom.actors.GroupKeeper;
import darkroom.actors.Prompt;
import darkroom.actors.RunEvent;
import darkroom.actors.ScoreOutcome;
import darkroom.actors.TensorRef;
import darkroom.actors.TensorStore;
import darkroom.edittasks.GroundTruth;
import darkroom.edittasks.RgbImage;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.List;
import java.util.OptionalDouble;
import java.util.function.Function;

/** Measures edits while their images are there: the scorer's score, and agreement with the exact target where one is known. */
final class Meter {
    private final Function<String, Row> rows;
    private final TensorStore store;

    /** @param rows the row of an id; asked for every group that is measured */
    Meter(Function<String, Row> rows, TensorStore store) {
        this.rows = rows;
        this.store = store;
    }

    /** All edits of an evaluation that were drawn, in (task, slot) order. */
    Measurement measure(RunEvent.Evaluated evaluated) {
        List<Measurement.Edit> edits = new ArrayList<>();
        for (GroupKeeper.Ending ending : evaluated.endings()) {
            if (ending instanceof GroupKeeper.GroupEnded ended) {
                edits.addAll(measure(ended));
            }
        }
        return new Measurement(evaluated.request().name(), edits);
    }

    /** The edits of one group, in slot order. */
    List<Measurement.Edit> measure(GroupKeeper.GroupEnded ended) {
        Prompt prompt = ended.draw().prompt();
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
                RgbImage edited = image(ended.drawn().images().get(slot).pixels());
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

    /** The picture that a tensor UINT8 [height, width, 3] holds. */
    RgbImage image(TensorRef pixels) {
        return RgbImage.of(
                pixels.shape().get(1), pixels.shape().get(0), store.read(pixels).toArray(ValueLayout.JAVA_BYTE));
    }
}
