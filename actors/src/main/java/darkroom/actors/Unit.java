package darkroom.actors;

import java.util.List;

/**
 * A piece of work whose result is a pure function of what it names. It may be done by any worker, any number of times;
 * the first result counts.
 */
public sealed interface Unit permits DrawUnit, ScoreUnit, TrainUnit {
    /** Says which piece of work this is, for logs and reports; equal names mean equal results. */
    String name();

    /** Name of the run, or of the evaluation, that the unit belongs to. */
    String run();

    /** Training step; of an evaluation its key. */
    int step();

    /** Every tensor that whoever does the unit reads, once. */
    List<TensorRef> inputs();
}
