package darkroom.actors.device;

import darkroom.tensors.TensorRef;

/** The reason why a unit of work was not completed, classified by what happens next. */
public sealed interface Fault {
    /** Returns one line for people: values, the limit, the remedy. */
    String message();

    /** The same unit may be retried, elsewhere. */
    record Retry(String message) implements Fault {}

    /**
     * A tensor that the unit names is gone; the creator of the unit creates the tensor again.
     *
     * @param tensor the lost tensor
     */
    record InputLost(TensorRef tensor, String message) implements Fault {}

    /** The unit was leased {@code limits.work-attempts-max} times and never completed: its requester decides. */
    record Exhausted(String message) implements Fault {}

    /** This group is lost; the run continues without it. */
    record DropGroup(String message) implements Fault {}

    /** The run cannot continue: it ends, reports the reason, and may be resumed once the cause is gone. */
    record StopRun(String message) implements Fault {}
}
