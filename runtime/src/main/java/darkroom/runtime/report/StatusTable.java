package darkroom.runtime.report;

import darkroom.actors.cluster.ClusterStatus;
import darkroom.actors.workqueue.WorkQueueReport;
import darkroom.runtime.base.TextTable;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.OptionalInt;

/**
 * Formats a {@link ClusterStatus} as lines for people. Rates cover the time since the previous table; the first table
 * has those of the whole run.
 */
public final class StatusTable {
    private final Map<String, Long> doneBefore = new HashMap<>();
    private long uptimeBefore;

    public List<String> lines(ClusterStatus status) {
        return lines(status, OptionalInt.empty());
    }

    /** @param columnsMax width of the terminal; empty if any width will do */
    public List<String> lines(ClusterStatus status, OptionalInt columnsMax) {
        List<String> lines = new ArrayList<>();
        lines.add("%s: %s, step %d of %d, up %s"
                .formatted(
                        status.run().isEmpty() ? "no run" : status.run(),
                        status.stage(),
                        status.step(),
                        status.steps(),
                        LiveBlock.text(Duration.ofMillis(status.uptime()))));
        lines.add("");
        TextTable nodes =
                new TextTable().text("node", "roles").figures("silent").text("processor");
        for (ClusterStatus.Member member : status.nodes()) {
            nodes.row(
                    member.card().name(),
                    String.join(",", member.card().roles()),
                    seconds(member.silentFor()),
                    member.card().processor());
        }
        lines.addAll(nodes.lines(columnsMax));
        for (WorkQueueReport queue : status.queues()) {
            lines.add("");
            lines.add("%s: %d in work, %d waiting%s"
                    .formatted(queue.role(), queue.open() - queue.waiting(), queue.waiting(), progress(queue)));
            if (queue.stations().isEmpty()) {
                continue;
            }
            TextTable stations =
                    new TextTable("  ").text("worker").figures("leases", "of", "done", "per s", "version", "silent");
            for (WorkQueueReport.Station station : queue.stations()) {
                stations.row(
                        station.worker(),
                        station.leases(),
                        station.capacity(),
                        station.done(),
                        rate(status, queue, station),
                        station.serves()
                                .map(version -> Long.toString(version.value()))
                                .orElse(""),
                        station.silentFor() > 1_000 ? seconds(station.silentFor()) : "");
            }
            lines.addAll(stations.lines(columnsMax));
        }
        uptimeBefore = status.uptime();
        return lines;
    }

    private static String progress(WorkQueueReport queue) {
        if (queue.open() == 0) {
            return "";
        }
        if (queue.stations().isEmpty()) {
            return "; waits for a node with role %s, for %s: darkroom node --roles %s --join HOST:PORT"
                    .formatted(nodeRole(queue.role()), seconds(queue.quietFor()), nodeRole(queue.role()));
        }
        return queue.blockedBy()
                .map(who -> "; nothing finished for %s, blocked by %s".formatted(seconds(queue.quietFor()), who))
                .orElseGet(() -> "; last progress %s ago".formatted(seconds(queue.quietFor())));
    }

    /** Returns the role of nodes that do a queue's work. */
    static String nodeRole(String queue) {
        return switch (queue) {
            case "rollout" -> "rollout";
            case "score" -> "reward";
            default -> "trainer";
        };
    }

    private String rate(ClusterStatus status, WorkQueueReport queue, WorkQueueReport.Station station) {
        String key = queue.role() + " " + station.worker();
        long before = doneBefore.getOrDefault(key, 0L);
        doneBefore.put(key, station.done());
        double elapsed = Math.max(1, status.uptime() - uptimeBefore) / 1000.0;
        return String.format(Locale.ROOT, "%.1f", (station.done() - before) / elapsed);
    }

    private static String seconds(long millis) {
        return String.format(Locale.ROOT, "%.1f s", millis / 1000.0);
    }
}
