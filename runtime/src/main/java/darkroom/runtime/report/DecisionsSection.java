package darkroom.runtime.report;

import darkroom.runtime.base.JsonLines;
import darkroom.runtime.base.NoiseFloor;
import darkroom.runtime.base.RunDirectory;
import java.util.ArrayDeque;
import java.util.Comparator;
import java.util.Deque;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.OptionalDouble;
import java.util.TreeMap;

/** The newest decisions, reasons for missing scores, and the noise of scorers. */
final class DecisionsSection {
    /** Number of newest decisions in the table; the rest are in the file that the page links to. */
    static final int DECISIONS_MAX = 400;

    /** Number of different reasons for missing scores listed. */
    static final int UNSCORED_REASONS_MAX = 20;

    private static final int UNSCORED_REASON_LENGTH = 160;

    private final RunDirectory directory;
    private final Deque<GroupDecision> decisions = new ArrayDeque<>();
    private final Map<String, Integer> unscored = new TreeMap<>();
    private int decisionCount;

    DecisionsSection(RunDirectory directory) {
        this.directory = directory;
        JsonLines.forEach(directory.decisions(), GroupDecision.class, this::count);
    }

    private void count(GroupDecision decision) {
        decisionCount++;
        decisions.add(decision);
        if (decisions.size() > DECISIONS_MAX) {
            decisions.remove();
        }
        for (GroupDecision.Unscored image : decision.unscored()) {
            String reason = image.reason().length() <= UNSCORED_REASON_LENGTH
                    ? image.reason()
                    : image.reason().substring(0, UNSCORED_REASON_LENGTH) + "…";
            if (unscored.containsKey(reason) || unscored.size() < UNSCORED_REASONS_MAX) {
                unscored.merge(reason, 1, Integer::sum);
            } else {
                unscored.merge("other reasons", 1, Integer::sum);
            }
        }
    }

    /** Returns the lines of the table, the newest first. */
    List<ReportPage.Line> lines() {
        return List.copyOf(decisions).reversed().stream()
                .map(DecisionsSection::line)
                .toList();
    }

    /** Returns reasons and numbers of images, the most frequent first. */
    List<ReportPage.Fact> unscored() {
        return unscored.entrySet().stream()
                .sorted(Map.Entry.<String, Integer>comparingByValue(Comparator.reverseOrder()))
                .map(reason ->
                        new ReportPage.Fact(ReportText.plain(reason.getKey()), ReportText.grouped(reason.getValue())))
                .toList();
    }

    private static ReportPage.Line line(GroupDecision decision) {
        long scored =
                decision.rewards().stream().filter(OptionalDouble::isPresent).count();
        return new ReportPage.Line(
                decision.step(),
                decision.group(),
                ReportText.plain(decision.taskType()),
                ReportText.plain(decision.instruction()),
                decision.decision().name().toLowerCase(Locale.ROOT),
                ReportText.fixed(decision.mean(), 3),
                ReportText.fixed(decision.std(), 3),
                scored + "/" + decision.rewards().size(),
                ReportText.plain(decision.reason() + (decision.lost() == null ? "" : "; " + decision.lost())));
    }

    String decisionsNote() {
        return decisionCount <= decisions.size()
                ? "All %s decisions, newest first.".formatted(ReportText.grouped(decisionCount))
                : "The newest %s of %s decisions."
                        .formatted(ReportText.grouped(decisions.size()), ReportText.grouped(decisionCount));
    }

    List<ReportPage.Noise> noise() {
        Map<String, NoiseFloor> newest = new LinkedHashMap<>();
        JsonLines.forEach(directory.noise(), NoiseFloor.class, line -> newest.put(line.scorer(), line));
        return newest.values().stream()
                .map(line -> new ReportPage.Noise(
                        ReportText.plain(line.scorer()),
                        ReportText.grouped(line.count()),
                        ReportText.fixed(line.mean(), 4),
                        ReportText.fixed(line.std(), 5),
                        ReportText.fixed(line.range(), 5),
                        ReportText.fixed(line.spreadThreshold(), 3),
                        line.spreadThreshold() > 0
                                ? ReportText.fixed(100 * line.std() / line.spreadThreshold(), 1) + " %"
                                : "-"))
                .toList();
    }
}
