package darkroom.actors.cluster;

import darkroom.actors.device.WireMessage;
import darkroom.actors.events.NodeCard;
import darkroom.actors.workqueue.WorkQueueReport;
import java.util.List;

/**
 * The state of a run as shown by {@code darkroom status}.
 *
 * @param run name of the run
 * @param stage current activity, for people
 * @param step steps committed
 * @param steps steps of the whole run
 * @param uptime milliseconds since the node registry opened
 */
public record ClusterStatus(
        String run, String stage, int step, int steps, long uptime, List<Member> nodes, List<WorkQueueReport> queues)
        implements WireMessage {
    public ClusterStatus {
        nodes = List.copyOf(nodes);
        queues = List.copyOf(queues);
    }

    /**
     * One node of the cluster.
     *
     * @param silentFor milliseconds since the last message from the node
     */
    public record Member(NodeCard card, long silentFor) {}
}
