package darkroom.runtime.chaos;

import darkroom.runtime.base.HtmlPages;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.TreeMap;
import java.util.TreeSet;

/** A run over time, as SVG: one lane per node with its incarnations and their faults; commits above. */
final class ChaosTimeline {
    private static final int WIDTH = 1120;
    private static final int LEFT = 96;
    private static final int RIGHT = 12;
    private static final int ENDPOINT = 26;
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

    /** Returns well-formed XML. */
    static String of(ChaosReport.Run run) {
        return new ChaosTimeline(run).rollout();
    }

    private String rollout() {
        TreeSet<String> names = new TreeSet<>();
        run.incarnations().forEach(incarnation -> names.add(incarnation.node()));
        List<String> endpoints = new ArrayList<>(names);
        TreeMap<String, Integer> tops = new TreeMap<>();
        for (int i = 0; i < endpoints.size(); i++) {
            tops.put(endpoints.get(i), TOP + ENDPOINT * i);
        }
        int bottom = TOP + ENDPOINT * endpoints.size();
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
        for (String endpoint : endpoints) {
            svg.append(String.format(
                    Locale.ROOT,
                    "<text class=\"tick end\" x=\"%d\" y=\"%d\">%s</text>",
                    LEFT - 8,
                    tops.getOrDefault(endpoint, TOP) + 17,
                    escaped(endpoint)));
        }
        for (ChaosReport.Incarnation incarnation : run.incarnations()) {
            svg.append(String.format(
                    Locale.ROOT,
                    "<rect class=\"life\" x=\"%.1f\" y=\"%d\" width=\"%.1f\" height=\"12\" rx=\"3\"><title>process %d,"
                            + " %.1f s to %.1f s%s</title></rect>",
                    x(incarnation.from()),
                    tops.getOrDefault(incarnation.node(), TOP) + 7,
                    Math.max(1, x(incarnation.to()) - x(incarnation.from())),
                    incarnation.pid(),
                    incarnation.from(),
                    incarnation.to(),
                    incarnation.ended().map(code -> ", exit code " + code).orElse("")));
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
