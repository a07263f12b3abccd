package darkroom.rewardactors.client;

import darkroom.actors.device.ScoreOutcome;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalDouble;

/**
 * Counts the reasons of unscored images, and whether the scores differ at all, for a summary. Not safe for several threads.
 */
public final class ReasonTally {
    private static final int REASONS_SHOWN = 3;
    private static final int SCORED_MIN = 3;

    private final Map<String, Count> unscored = new LinkedHashMap<>();
    private long scored;
    private OptionalDouble first = OptionalDouble.empty();
    private boolean differ;
    private String scorer = "";

    private static final class Count {
        private final String example;
        private long images;

        Count(String example) {
            this.example = example;
        }
    }

    public void count(ScoreOutcome outcome) {
        switch (outcome) {
            case ScoreOutcome.Scored one -> {
                scored++;
                scorer = one.scorer();
                if (first.isEmpty()) {
                    first = OptionalDouble.of(one.score());
                }
                differ |= one.score() != first.getAsDouble();
            }
            case ScoreOutcome.Unscored(String reason, int _) ->
                unscored.computeIfAbsent(ScoringAdvice.code(reason), _ -> new Count(reason)).images++;
        }
    }

    /** Returns the commonest reasons, one per line, each with one of its texts and advice. */
    public List<String> reasons() {
        List<String> lines = new ArrayList<>();
        unscored.values().stream()
                .sorted(Comparator.comparingLong((Count count) -> -count.images))
                .limit(REASONS_SHOWN)
                .forEach(count -> {
                    String advice = ScoringAdvice.of(count.example);
                    lines.add("  %d unscored, %s%s"
                            .formatted(count.images, count.example, advice.isEmpty() ? "" : "\n    " + advice));
                });
        if (unscored.size() > REASONS_SHOWN) {
            lines.add("  and %d further kinds of reasons".formatted(unscored.size() - REASONS_SHOWN));
        }
        return lines;
    }

    /** Returns a warning if all scores are equal; empty otherwise. */
    public String flat() {
        return scored < SCORED_MIN || differ
                ? ""
                : "all %d images have exactly the same score %s, by %s: %s"
                        .formatted(scored, first.orElse(Double.NaN), scorer, FLAT_CAUSE);
    }

    /** Explanation of scores that are equal but should not be. */
    public static final String FLAT_CAUSE =
            "a scorer that does not look at the pictures (a text-only model, a template that drops them, a cache keyed"
                    + " by the text), or that answers with a constant, teaches nothing";
}
