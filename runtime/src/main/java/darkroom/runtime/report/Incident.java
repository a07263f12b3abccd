package darkroom.runtime.report;

import darkroom.actors.events.NodeCard;
import darkroom.actors.events.NodeEvent;
import darkroom.actors.events.RunEvent;
import darkroom.actors.events.WorkQueueEvent;
import java.time.Duration;
import java.time.Instant;
import java.util.Optional;

/**
 * One line of {@code incidents.jsonl}: an event that affected nodes, workers or work. Times are the control node's;
 * nothing in it affects a result.
 *
 * @param at milliseconds since 1970
 * @param kind kind of the incident
 * @param who the node or the worker; empty if none
 * @param units units of work that are repeated because of it
 * @param text description for people
 */
public record Incident(long at, Kind kind, String who, int units, String text) {
    /** Kinds of incidents. */
    public enum Kind {
        /** A control node opened the run. */
        OPENED,
        NODE_JOINED,
        NODE_LEFT,
        WORKER_LOST,
        LEASE_EXPIRED,
        WORK_FAILED,
        DEVICE_SLOT_FAILING,
        NOBODY_THERE,
        /** Promise P-4: no work completes any more; names the holder of the oldest unit. */
        STALLED,
        MIXED_PROCESSORS,
        /** Lines are missing here: too many arrived while the control node was writing. */
        EVENTS_DROPPED
    }

    /** Returns the incident of an event; empty if the event is not an incident. */
    static Optional<Incident> of(RunEvent event, Instant at) {
        return switch (event) {
            case NodeEvent.NodeJoined(NodeCard node, int nodes) ->
                line(at, Kind.NODE_JOINED, node.name(), 0, nodes + " nodes now");
            case NodeEvent.NodeLeft(NodeCard node, NodeEvent.Departure _, String why, int nodes) ->
                line(at, Kind.NODE_LEFT, node.name(), 0, "%s; %d nodes now".formatted(why, nodes));
            case NodeEvent.MixedProcessors(NodeCard node, String control) ->
                line(at, Kind.MIXED_PROCESSORS, node.name(), 0, "%s, and %s".formatted(node.processor(), control));
            case WorkQueueEvent.WorkerLost(String role, String worker, int leases) ->
                line(at, Kind.WORKER_LOST, worker, leases, role);
            case WorkQueueEvent.LeaseExpired(String role, String worker, String unit) ->
                line(at, Kind.LEASE_EXPIRED, worker, 1, role + " " + unit);
            case WorkQueueEvent.WorkFailed(String role, String worker, String unit, String message) ->
                line(at, Kind.WORK_FAILED, worker, 1, "%s %s: %s".formatted(role, unit, message));
            case WorkQueueEvent.DeviceSlotFailing(String role, String worker, int ends) ->
                line(at, Kind.DEVICE_SLOT_FAILING, worker, 0, "%s, %d ends in a row".formatted(role, ends));
            case WorkQueueEvent.NobodyThere(String role, int units) ->
                line(at, Kind.NOBODY_THERE, "", 0, "%s, %d units wait".formatted(role, units));
            case WorkQueueEvent.Stalled(String role, String worker, String unit, Duration waited, boolean acted) ->
                line(
                        at,
                        Kind.STALLED,
                        worker,
                        acted ? 1 : 0,
                        "%s %s for %d ms%s"
                                .formatted(role, unit, waited.toMillis(), acted ? "; it was taken away" : ""));
            case RunEvent.EventsDropped(int events, int waitingMax) ->
                line(at, Kind.EVENTS_DROPPED, "", 0, "%d events, at most %d wait".formatted(events, waitingMax));
            default -> Optional.empty();
        };
    }

    private static Optional<Incident> line(Instant at, Kind kind, String who, int units, String text) {
        return Optional.of(new Incident(at.toEpochMilli(), kind, who, units, text));
    }
}
