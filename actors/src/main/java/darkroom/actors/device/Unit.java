package darkroom.actors.device;

import darkroom.tensors.TensorRef;
import java.util.List;

/**
 * A piece of work whose result is a pure function of what it names. Any worker may process it, any number of times; the
 * first result counts.
 */
public sealed interface Unit permits RolloutUnit, ScoreUnit, TrainUnit {
    /** Returns the name of this piece of work, for logs and reports; equal names mean equal results. */
    String name();

    /** Returns the name of the run, or of the evaluation, that the unit belongs to. */
    String run();

    /** Returns the training step; of an evaluation its key. */
    int step();

    /** Returns every tensor that processing the unit reads, once. */
    List<TensorRef> inputs();
}
