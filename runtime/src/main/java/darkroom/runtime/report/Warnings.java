package darkroom.runtime.report;

import darkroom.actors.device.GroupOutcome;
import darkroom.actors.events.NodeCard;
import darkroom.actors.events.NodeEvent;
import darkroom.actors.events.RunEvent;
import darkroom.actors.events.WorkQueueEvent;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;

/**
 * Selects the events of a run that a watcher is warned about, one line each, and the nodes that join. For each kind and
 * role at most three lines are printed per ten seconds; the first after that gives the number left out. Not
 * thread-safe.
 */
final class Warnings {
    private static final Duration WINDOW = Duration.ofSeconds(10);
    private static final int LINES = 3;

    private final InstantSource clock;
    private final Map<String, Window> windows = new HashMap<>();

    private static final class Window {
        private Instant begin;
        private int lines;
        private int leftOut;

        Window(Instant begin) {
            this.begin = begin;
        }
    }

    Warnings(InstantSource clock) {
        this.clock = clock;
    }

    /** Returns the line to print; empty if the event is not a warning, or enough similar ones were printed. */
    Optional<String> line(RunEvent event) {
        return switch (event) {
            case WorkQueueEvent.WorkerJoined joined -> Optional.empty();
            case WorkQueueEvent.WorkerLost(String role, String worker, int leases) ->
                told("lost " + role, "%s worker %s is gone; others do its %s".formatted(role, worker, units(leases)));
            case WorkQueueEvent.LeaseExpired(String role, String worker, String unit) ->
                told(
                        "expired " + role,
                        "%s worker %s was silent for too long; another one does %s".formatted(role, worker, unit));
            case WorkQueueEvent.WorkFailed(String role, String worker, String unit, String message) ->
                told(
                        "failed " + role,
                        "%s worker %s could not do %s; it is done again: %s".formatted(role, worker, unit, message));
            case WorkQueueEvent.DeviceSlotFailing(String role, String worker, int ends) ->
                told(
                        "ailing " + role,
                        "%s workers like %s end again and again, %d times in a row".formatted(role, worker, ends));
            case WorkQueueEvent.NobodyThere(String role, int units) ->
                told(
                        "nobody " + role,
                        "%s wait and no node does %s; start one: darkroom node --roles %s"
                                .formatted(units(units), role, StatusTable.nodeRole(role)));
            case NodeEvent.NodeJoined(NodeCard node, int nodes) ->
                Optional.of("%s joined, %d nodes now".formatted(node.name(), nodes));
            case NodeEvent.NodeLeft(NodeCard node, NodeEvent.Departure _, String why, int nodes) ->
                told("left", "%s is gone (%s), %d nodes now".formatted(node.name(), why, nodes));
            case NodeEvent.MixedProcessors(NodeCard node, String control) ->
                told(
                        "mixed",
                        "%s computes on %s, the control node on %s: the run's bits depend on who does what"
                                .formatted(node.name(), node.processor(), control));
            case WorkQueueEvent.Stalled(String role, String worker, String unit, Duration waited, boolean acted) ->
                told(
                        "stalled " + role,
                        "%s has finished nothing for %s; the oldest unit is %s, held by %s%s"
                                .formatted(
                                        role,
                                        LiveBlock.text(waited),
                                        unit,
                                        worker,
                                        acted ? "; it was taken away, to be done elsewhere" : ""));
            case RunEvent.GroupFinished(String run, GroupOutcome.Lost lost) ->
                told(
                        "group",
                        lost.rollout().name() + " is lost: " + lost.fault().message());
            case RunEvent.EventsDropped(int events, int waitingMax) ->
                told(
                        "dropped",
                        "%d events of workers and nodes were not recorded: at most %d wait while a checkpoint is written"
                                .formatted(events, waitingMax));
            case RunEvent other -> Optional.empty();
        };
    }

    private Optional<String> told(String kind, String line) {
        Instant now = clock.instant();
        Window window = windows.computeIfAbsent(kind, _ -> new Window(now));
        int before = 0;
        if (!now.isBefore(window.begin.plus(WINDOW))) {
            before = window.leftOut;
            window.begin = now;
            window.lines = 0;
            window.leftOut = 0;
        }
        if (window.lines == LINES) {
            window.leftOut++;
            return Optional.empty();
        }
        window.lines++;
        return Optional.of("warning: " + line + (before == 0 ? "" : " (and %d like it before)".formatted(before)));
    }

    private static String units(int count) {
        return count == 1 ? "1 unit" : count + " units";
    }
}
