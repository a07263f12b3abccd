package darkroom.actors;

/** Why a unit of work was not done, sorted by what happens next. */
public sealed interface Fault {
    /** One line for people: values, the limit, what to do. */
    String message();

    /** The same unit may be done again, elsewhere. */
    record Retry(String message) implements Fault {}

    /**
     * A tensor that the unit names is gone: whoever made the unit makes it again.
     *
     * @param tensor which one
     */
    record InputLost(TensorRef tensor, String message) implements Fault {}

    /** The unit was leased {@code limits.work-attempts-max} times and never done: its requester decides. */
    record Exhausted(String message) implements Fault {}

    /** This group is lost; the run goes on without it. */
    record DropGroup(String message) implements Fault {}

    /** The run cannot go on: it ends, says why, and may be resumed once the cause is gone. */
    record StopRun(String message) implements Fault {}
}
