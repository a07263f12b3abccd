package darkroom.runtime;

import darkroom.actors.DeskEvent;
import darkroom.actors.NodeCard;
import darkroom.actors.NodeEvent;
import darkroom.actors.RunEvent;
import java.time.Duration;
import java.time.Instant;
import java.util.Optional;

/**
 * One line of {@code incidents.jsonl}: something that happened to nodes, workers or work, and to whom. Times are the control
 * node's; nothing in it reaches a result.
 *
 * @param at milliseconds since 1970
 * @param kind what
 * @param who the node or the worker; empty if nobody
 * @param units of work that are done again because of it
 * @param text for people
 */
record Incident(long at, Kind kind, String who, int units, String text) {
    /** What happens to a run from outside. */
    enum Kind {
        /** A control node has opened the run. */
        OPENED,
        NODE_JOINED,
        NODE_LEFT,
        WORKER_LOST,
        LEASE_EXPIRED,
        WORK_FAILED,
        SEAT_AILING,
        NOBODY_THERE,
        /** Promise P-4: nothing is finished any more, and this is who holds the oldest unit. */
        STALLED,
        MIXED_PROCESSORS,
        /** Lines that are missing here: too many came while the control node was writing. */
        EVENTS_DROPPED
    }

    /** Empty for what is no incident. */
    static Optional<Incident> of(RunEvent event, Instant at) {
        return switch (event) {
            case NodeEvent.NodeJoined(NodeCard node, int nodes) ->
                line(at, Kind.NODE_JOINED, node.name(), 0, nodes + " nodes now");
            case NodeEvent.NodeLeft(NodeCard node, String why, int nodes) ->
                line(at, Kind.NODE_LEFT, node.name(), 0, "%s; %d nodes now".formatted(why, nodes));
            case NodeEvent.MixedProcessors(NodeCard node, String control) ->
                line(at, Kind.MIXED_PROCESSORS, node.name(), 0, "%s, and %s".formatted(node.processor(), control));
            case DeskEvent.WorkerLost(String role, String worker, int leases) ->
                line(at, Kind.WORKER_LOST, worker, leases, role);
            case DeskEvent.LeaseExpired(String role, String worker, String unit) ->
                line(at, Kind.LEASE_EXPIRED, worker, 1, role + " " + unit);
            case DeskEvent.WorkFailed(String role, String worker, String unit, String message) ->
                line(at, Kind.WORK_FAILED, worker, 1, "%s %s: %s".formatted(role, unit, message));
            case DeskEvent.SeatAiling(String role, String worker, int ends) ->
                line(at, Kind.SEAT_AILING, worker, 0, "%s, %d ends in a row".formatted(role, ends));
            case DeskEvent.NobodyThere(String role, int units) ->
                line(at, Kind.NOBODY_THERE, "", 0, "%s, %d units wait".formatted(role, units));
            case DeskEvent.Stalled(String role, String worker, String unit, Duration waited, boolean acted) ->
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
