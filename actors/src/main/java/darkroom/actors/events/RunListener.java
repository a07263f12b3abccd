package darkroom.actors.events;

/** Receives the events of a run: the live view, the run directory, the report. */
@FunctionalInterface
public interface RunListener {
    /**
     * Receives one event. Calls never overlap. An event that refers to tensors is received before they are released: read
     * and copy what is needed before returning. Takes less than {@code limits.lease-time}; an exception from here ends the
     * run.
     */
    void heard(RunEvent event);
}
