package darkroom.runtime.chaos;

import darkroom.runtime.charts.Figure;
import darkroom.runtime.charts.Labels;
import darkroom.runtime.charts.PageColor;
import darkroom.runtime.charts.Plot;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeSet;

/** A run over time: one lane per node with its incarnations and their faults, over the commits. */
final class ChaosTimeline {
    private static final int WIDTH = 1120;
    private static final int LANE_HEIGHT = 34;
    private static final int FRAME_HEIGHT = 104;

    /** Shortest share of the run at which an incarnation has its process id beside it. */
    private static final double NAMED_SHARE = .08;

    private static final String WITNESSED = "fault";
    private static final String UNSEEN = "fault without a witness";

    private final ChaosReport.Run run;
    private final double seconds;
    private long dropped;

    private ChaosTimeline(ChaosReport.Run run) {
        this.run = run;
        this.seconds = Double.isFinite(run.seconds()) ? Math.max(1, run.seconds()) : 1;
    }

    /** Returns an HTML {@code figure}, well-formed XML. */
    static String of(ChaosReport.Run run) {
        return new ChaosTimeline(run).figure();
    }

    private String figure() {
        TreeSet<String> nodes = new TreeSet<>();
        run.incarnations().forEach(incarnation -> nodes.add(incarnation.node()));
        run.faults().forEach(fault -> nodes.add(fault.node()));
        Labels labels = new Labels("Timeline", "bar: process, green line: committed step", "seconds", "node");
        if (nodes.isEmpty()) {
            return Figure.of(labels, dropped, new Plot(WIDTH, FRAME_HEIGHT).empty());
        }
        Plot plot = new Plot(WIDTH, FRAME_HEIGHT + LANE_HEIGHT * nodes.size())
                .scale("x", "seconds since the first process", Map.of("limits", List.of(0.0, seconds)))
                .scale(
                        "y",
                        "",
                        Map.of("limits", List.copyOf(nodes).reversed(), "discrete", true, "expand", List.of(0.0, .7)));
        List<Double> commits = run.commits().stream().filter(this::drawable).toList();
        if (!commits.isEmpty()) {
            plot.layer(
                    "vline",
                    Map.of("at", commits),
                    Map.of("xintercept", "at"),
                    Map.of("color", PageColor.GREEN.hex(), "alpha", .55, "size", .6));
        }
        incarnations(plot);
        faults(plot);
        return Figure.of(labels, dropped, plot);
    }

    private void incarnations(Plot plot) {
        List<String> nodes = new ArrayList<>();
        List<Double> from = new ArrayList<>();
        List<Double> to = new ArrayList<>();
        List<String> names = new ArrayList<>();
        for (ChaosReport.Incarnation incarnation : run.incarnations()) {
            if (drawable(incarnation.from()) && drawable(incarnation.to())) {
                nodes.add(incarnation.node());
                from.add(at(incarnation.from()));
                to.add(at(incarnation.to()));
                boolean wide = incarnation.to() - incarnation.from() >= NAMED_SHARE * seconds;
                names.add(
                        wide
                                ? " " + incarnation.pid()
                                        + incarnation
                                                .ended()
                                                .map(code -> ", exit " + code)
                                                .orElse("")
                                : "");
            }
        }
        Map<String, List<?>> columns = Map.of("node", nodes, "from", from, "to", to, "name", names);
        if (!nodes.isEmpty()) {
            plot.layer(
                            "segment",
                            columns,
                            Map.of("x", "from", "xend", "to", "y", "node", "yend", "node"),
                            Map.of("color", PageColor.BLUE.hex(), "alpha", .35, "size", 6, "show_legend", false))
                    .layer(
                            "text",
                            columns,
                            Map.of("x", "from", "y", "node", "label", "name"),
                            Map.of("color", PageColor.SOFT.hex(), "size", 5, "hjust", 0, "nudge_y", -.36));
        }
    }

    private void faults(Plot plot) {
        List<ChaosReport.Fault> faults =
                run.faults().stream().filter(fault -> drawable(fault.at())).toList();
        if (faults.isEmpty()) {
            return;
        }
        List<ChaosReport.Fault> lasting =
                faults.stream().filter(fault -> fault.lasts() > 0).toList();
        if (!lasting.isEmpty()) {
            plot.layer(
                    "segment",
                    Map.of(
                            "node",
                                    lasting.stream()
                                            .map(ChaosReport.Fault::node)
                                            .toList(),
                            "from",
                                    lasting.stream()
                                            .map(fault -> at(fault.at()))
                                            .toList(),
                            "to",
                                    lasting.stream()
                                            .map(fault -> at(fault.at() + fault.lasts()))
                                            .toList()),
                    Map.of("x", "from", "xend", "to", "y", "node", "yend", "node"),
                    Map.of("color", PageColor.RED.hex(), "alpha", .22, "size", 9, "show_legend", false));
        }
        List<String> kinds = List.of(WITNESSED, UNSEEN);
        Map<String, List<?>> columns = Map.of(
                "node", faults.stream().map(ChaosReport.Fault::node).toList(),
                "at", faults.stream().map(fault -> at(fault.at())).toList(),
                "kind",
                        faults.stream()
                                .map(fault -> fault.witness().isEmpty() ? UNSEEN : WITNESSED)
                                .toList(),
                "id", faults.stream().map(fault -> Integer.toString(fault.id())).toList());
        plot.layer(
                        "point",
                        columns,
                        Map.of("x", "at", "y", "node", "fill", "kind"),
                        Map.of("shape", 21, "color", PageColor.RED.hex(), "size", 5, "stroke", 1.5))
                .layer(
                        "text",
                        columns,
                        Map.of("x", "at", "y", "node", "label", "id"),
                        Map.of("color", PageColor.INK.hex(), "size", 5, "nudge_y", .36))
                .values("fill", kinds, List.of(PageColor.RED.hex(), PageColor.CARD.hex()))
                .legend("fill", 1);
    }

    private boolean drawable(double at) {
        if (Double.isFinite(at)) {
            return true;
        }
        dropped++;
        return false;
    }

    private double at(double time) {
        return Math.clamp(time, 0, seconds);
    }
}
