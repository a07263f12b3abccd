package darkroom.actors.workqueue;

import darkroom.actors.device.PolicyVersion;
import java.util.List;
import java.util.Optional;

/**
 * A snapshot of a queue's units and workers.
 *
 * @param role name of the queue
 * @param waiting units that nobody works on
 * @param open units not answered yet, including waiting ones
 * @param quietFor milliseconds since something was finished, by the queue's own ticks; 0 if no unit is open
 * @param blockedBy holder of the oldest unit, once nothing was finished for {@code limits.stall-after}
 */
public record WorkQueueReport(
        String role, int waiting, int open, long quietFor, Optional<String> blockedBy, List<Station> stations) {
    public WorkQueueReport {
        stations = List.copyOf(stations);
    }

    /**
     * One worker.
     *
     * @param worker name of the node and of the device slot there
     * @param leases its leased units
     * @param done units that it finished first
     * @param serves version of the weights that it last generated with
     * @param silentFor milliseconds since its last message
     */
    public record Station(
            String worker, int capacity, int leases, long done, Optional<PolicyVersion> serves, long silentFor) {}
}
