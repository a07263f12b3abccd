package darkroom.actors;

import java.util.List;

/** What a unit of work gave. Whoever discards a result releases its tensors. */
public sealed interface Result permits Drawn, ScoreOutcome, Trained {
    /** Tensors that were made for this result and are owned by whoever holds it. */
    List<TensorRef> tensors();
}
