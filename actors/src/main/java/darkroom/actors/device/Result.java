package darkroom.actors.device;

import darkroom.tensors.TensorRef;
import java.util.List;

/** Result of a unit of work. Discarding a result includes releasing its tensors. */
public sealed interface Result permits RolloutResult, ScoreOutcome, Trained {
    /** Returns the tensors that were created for this result; they belong to its holder. */
    List<TensorRef> tensors();
}
