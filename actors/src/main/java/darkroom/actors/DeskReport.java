package darkroom.actors;

import java.util.List;
import java.util.Optional;

/**
 * What a desk has to do and who does it, at one moment.
 *
 * @param role name of the desk
 * @param waiting units that nobody works on
 * @param open units not answered yet, those that wait included
 * @param quietFor milliseconds since something was finished, by the desk's own ticks; 0 if nothing is to do
 * @param blockedBy who holds the oldest unit, once nothing was finished for {@code limits.stall-after}
 */
public record DeskReport(
        String role, int waiting, int open, long quietFor, Optional<String> blockedBy, List<Station> stations) {
    public DeskReport {
        stations = List.copyOf(stations);
    }

    /**
     * One worker.
     *
     * @param worker name of the node and of the seat there
     * @param leases units in its hands
     * @param done units that it finished first
     * @param serves version of the weights that it drew with last
     * @param silentFor milliseconds since it was heard of
     */
    public record Station(
            String worker, int capacity, int leases, long done, Optional<PolicyVersion> serves, long silentFor) {}
}
