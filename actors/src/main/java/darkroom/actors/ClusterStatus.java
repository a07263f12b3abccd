package darkroom.actors;

import java.util.List;

/**
 * Everything that {@code darkroom status} shows.
 *
 * @param run name of the run
 * @param stage what it is doing, for people
 * @param step steps committed
 * @param steps steps of the whole run
 * @param uptime milliseconds since the gate opened
 */
public record ClusterStatus(
        String run, String stage, int step, int steps, long uptime, List<Guest> nodes, List<DeskReport> desks)
        implements WireMessage {
    public ClusterStatus {
        nodes = List.copyOf(nodes);
        desks = List.copyOf(desks);
    }

    /** @param silentFor milliseconds since the node was heard of */
    public record Guest(NodeCard card, long silentFor) {}
}
