package darkroom.runtime;

import darkroom.actors.ClusterStatus;
import darkroom.actors.DeskReport;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/** A {@link ClusterStatus} as lines for people. Rates are over the time since the table before; the first has those of the whole run. */
final class StatusTable {
    private final Map<String, Long> doneBefore = new HashMap<>();
    private long uptimeBefore;

    List<String> lines(ClusterStatus status) {
        List<String> lines = new ArrayList<>();
        lines.add("%s: %s, step %d of %d, up %s"
                .formatted(
                        status.run().isEmpty() ? "no run" : status.run(),
                        status.stage(),
                        status.step(),
                        status.steps(),
                        LiveBlock.text(Duration.ofMillis(status.uptime()))));
        lines.add("");
        lines.add("%-40s %-24s %8s  %s".formatted("node", "roles", "silent", "processor"));
        for (ClusterStatus.Guest guest : status.nodes()) {
            lines.add("%-40s %-24s %8s  %s"
                    .formatted(
                            guest.card().name(),
                            String.join(",", guest.card().roles()),
                            seconds(guest.silentFor()),
                            guest.card().processor()));
        }
        for (DeskReport desk : status.desks()) {
            lines.add("");
            lines.add("%s: %d in work, %d waiting%s"
                    .formatted(desk.role(), desk.open() - desk.waiting(), desk.waiting(), progress(desk)));
            for (DeskReport.Station station : desk.stations()) {
                lines.add("  %-48s %2d of %-2d leases %8d done %7s/s  %s%s"
                        .formatted(
                                station.worker(),
                                station.leases(),
                                station.capacity(),
                                station.done(),
                                rate(status, desk, station),
                                station.serves()
                                        .map(version -> "version " + version.value())
                                        .orElse(""),
                                station.silentFor() > 1_000 ? "  silent " + seconds(station.silentFor()) : ""));
            }
        }
        uptimeBefore = status.uptime();
        return lines;
    }

    private static String progress(DeskReport desk) {
        if (desk.open() == 0) {
            return "";
        }
        if (desk.stations().isEmpty()) {
            return "; waits for a node with role %s, for %s: darkroom node --roles %s --join HOST:PORT"
                    .formatted(nodeRole(desk.role()), seconds(desk.quietFor()), nodeRole(desk.role()));
        }
        return desk.blockedBy()
                .map(who -> "; nothing finished for %s, blocked by %s".formatted(seconds(desk.quietFor()), who))
                .orElseGet(() -> "; last progress %s ago".formatted(seconds(desk.quietFor())));
    }

    /** The role of nodes that do a desk's work. */
    static String nodeRole(String desk) {
        return switch (desk) {
            case "draw" -> "rollout";
            case "score" -> "reward";
            default -> "trainer";
        };
    }

    private String rate(ClusterStatus status, DeskReport desk, DeskReport.Station station) {
        String key = desk.role() + " " + station.worker();
        long before = doneBefore.getOrDefault(key, 0L);
        doneBefore.put(key, station.done());
        double elapsed = Math.max(1, status.uptime() - uptimeBefore) / 1000.0;
        return String.format(Locale.ROOT, "%.1f", (station.done() - before) / elapsed);
    }

    private static String seconds(long millis) {
        return String.format(Locale.ROOT, "%.1f s", millis / 1000.0);
    }
}
