package darkroom.actors;

/** Hears what happens in a run: the live view, the run directory, the report. */
@FunctionalInterface
public interface RunListener {
    /**
     * Calls never overlap. An event that refers to tensors is heard before they are released: read and copy what is
     * wanted before returning. Takes less than {@code limits.lease-time}; an exception from here ends the run.
     */
    void heard(RunEvent event);
}
