package darkroom.runtime;

import darkroom.actors.DeskEvent;
import darkroom.actors.GroupKeeper;
import darkroom.actors.NodeCard;
import darkroom.actors.NodeEvent;
import darkroom.actors.RunEvent;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;

/**
 * What of a run's events a watcher is warned of, in a line each, and who joins. Of one kind and role at most three lines come in ten
 * seconds; the first after that says how many were left out. Not thread-safe.
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

    /** The line to print; empty if the event is no trouble, or its like were told enough. */
    Optional<String> line(RunEvent event) {
        return switch (event) {
            case DeskEvent.WorkerJoined joined -> Optional.empty();
            case DeskEvent.WorkerLost(String role, String worker, int leases) ->
                told("lost " + role, "%s worker %s is gone; others do its %s".formatted(role, worker, units(leases)));
            case DeskEvent.LeaseExpired(String role, String worker, String unit) ->
                told(
                        "expired " + role,
                        "%s worker %s was not heard of in time; another one does %s".formatted(role, worker, unit));
            case DeskEvent.WorkFailed(String role, String worker, String unit, String message) ->
                told(
                        "failed " + role,
                        "%s worker %s could not do %s; it is done again: %s".formatted(role, worker, unit, message));
            case DeskEvent.SeatAiling(String role, String worker, int ends) ->
                told(
                        "ailing " + role,
                        "%s workers like %s end again and again, %d times in a row".formatted(role, worker, ends));
            case DeskEvent.NobodyThere(String role, int units) ->
                told(
                        "nobody " + role,
                        "%s wait and no node does %s; start one: darkroom node --roles %s"
                                .formatted(units(units), role, StatusTable.nodeRole(role)));
            case NodeEvent.NodeJoined(NodeCard node, int nodes) ->
                Optional.of("%s joined, %d nodes now".formatted(node.name(), nodes));
            case NodeEvent.NodeLeft(NodeCard node, String why, int nodes) ->
                told("left", "%s is gone (%s), %d nodes now".formatted(node.name(), why, nodes));
            case NodeEvent.MixedProcessors(NodeCard node, String control) ->
                told(
                        "mixed",
                        "%s computes on %s, the control node on %s: the run's bits depend on who does what"
                                .formatted(node.name(), node.processor(), control));
            case DeskEvent.Stalled(String role, String worker, String unit, Duration waited, boolean acted) ->
                told(
                        "stalled " + role,
                        "%s has finished nothing for %s; the oldest unit is %s, held by %s%s"
                                .formatted(
                                        role,
                                        LiveBlock.text(waited),
                                        unit,
                                        worker,
                                        acted ? "; it was taken away, to be done elsewhere" : ""));
            case RunEvent.GroupFinished(String run, GroupKeeper.GroupLost lost) ->
                told("group", lost.draw().name() + " is lost: " + lost.fault().message());
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
