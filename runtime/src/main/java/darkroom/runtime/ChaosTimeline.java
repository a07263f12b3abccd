package darkroom.runtime;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.TreeMap;
import java.util.TreeSet;

/** A run in time, as SVG: a lane a node, with the lives of its processes and what happened to them; commits above. */
final class ChaosTimeline {
    private static final int WIDTH = 1120;
    private static final int LEFT = 96;
    private static final int RIGHT = 12;
    private static final int LANE = 26;
    private static final int TOP = 30;
    private static final int BOTTOM = 30;
    private static final int TICKS = 10;

    private final ChaosReport.Run run;
    private final double seconds;
    private final StringBuilder svg = new StringBuilder();

    private ChaosTimeline(ChaosReport.Run run) {
        this.run = run;
        this.seconds = Math.max(1, run.seconds());
    }

    /** Well-formed XML. */
    static String of(ChaosReport.Run run) {
        return new ChaosTimeline(run).draw();
    }

    private String draw() {
        TreeSet<String> names = new TreeSet<>();
        run.lives().forEach(life -> names.add(life.node()));
        List<String> lanes = new ArrayList<>(names);
        TreeMap<String, Integer> tops = new TreeMap<>();
        for (int i = 0; i < lanes.size(); i++) {
            tops.put(lanes.get(i), TOP + LANE * i);
        }
        int bottom = TOP + LANE * lanes.size();
        svg.append(String.format(
                Locale.ROOT,
                "<svg role=\"img\" aria-label=\"%s in time\" viewBox=\"0 0 %d %d\""
                        + " xmlns=\"http://www.w3.org/2000/svg\">",
                escaped(run.name()),
                WIDTH,
                bottom + BOTTOM));
        axis(bottom);
        run.commits()
                .forEach(at -> svg.append(String.format(
                        Locale.ROOT,
                        "<line class=\"commit\" x1=\"%.1f\" x2=\"%.1f\" y1=\"%d\" y2=\"%d\"/>",
                        x(at),
                        x(at),
                        TOP - 14,
                        bottom)));
        for (String lane : lanes) {
            svg.append(String.format(
                    Locale.ROOT,
                    "<text class=\"tick end\" x=\"%d\" y=\"%d\">%s</text>",
                    LEFT - 8,
                    tops.getOrDefault(lane, TOP) + 17,
                    escaped(lane)));
        }
        for (ChaosReport.Life life : run.lives()) {
            svg.append(String.format(
                    Locale.ROOT,
                    "<rect class=\"life\" x=\"%.1f\" y=\"%d\" width=\"%.1f\" height=\"12\" rx=\"3\"><title>process %d,"
                            + " %.1f s to %.1f s%s</title></rect>",
                    x(life.from()),
                    tops.getOrDefault(life.node(), TOP) + 7,
                    Math.max(1, x(life.to()) - x(life.from())),
                    life.pid(),
                    life.from(),
                    life.to(),
                    life.ended().map(code -> ", exit code " + code).orElse("")));
        }
        for (ChaosReport.Fault fault : run.faults()) {
            mark(fault, tops.getOrDefault(fault.node(), TOP));
        }
        svg.append("</svg>");
        return svg.toString();
    }

    private void mark(ChaosReport.Fault fault, int top) {
        if (fault.lasts() > 0) {
            svg.append(String.format(
                    Locale.ROOT,
                    "<rect class=\"fault-lasts\" x=\"%.1f\" y=\"%d\" width=\"%.1f\" height=\"18\" rx=\"3\"/>",
                    x(fault.at()),
                    top + 4,
                    Math.max(2, x(Math.min(seconds, fault.at() + fault.lasts())) - x(fault.at()))));
        }
        svg.append(String.format(
                Locale.ROOT,
                "<circle class=\"fault%s\" cx=\"%.1f\" cy=\"%d\" r=\"6\"><title>%d: %s at %.1f s, %s</title></circle>",
                fault.witness().isEmpty() ? " unseen" : "",
                x(fault.at()),
                top + 13,
                fault.id(),
                escaped(fault.what()),
                fault.at(),
                escaped(fault.witness().isEmpty() ? fault.remark() : fault.witness())));
    }

    private void axis(int bottom) {
        double step = Math.pow(10, Math.ceil(Math.log10(seconds / TICKS)));
        if (seconds / (step / 2) <= TICKS) {
            step /= 2;
        }
        for (double at = 0; at <= seconds; at += step) {
            svg.append(String.format(
                    Locale.ROOT,
                    "<line class=\"grid\" x1=\"%.1f\" x2=\"%.1f\" y1=\"%d\" y2=\"%d\"/>",
                    x(at),
                    x(at),
                    TOP,
                    bottom));
            svg.append(String.format(
                    Locale.ROOT,
                    "<text class=\"tick middle\" x=\"%.1f\" y=\"%d\">%.0f s</text>",
                    x(at),
                    bottom + 18,
                    at));
        }
    }

    private double x(double at) {
        return LEFT + (WIDTH - LEFT - RIGHT) * Math.min(at, seconds) / seconds;
    }

    private static String escaped(String text) {
        return HtmlPages.escaped(text);
    }
}
