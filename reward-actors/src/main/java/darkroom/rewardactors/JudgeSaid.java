package darkroom.rewardactors;

import java.util.List;

/** What came of one question to a judge. */
sealed interface JudgeSaid {
    /**
     * An answer that says all scores.
     *
     * @param scores in the order in which they were asked for
     * @param text the judge's words
     * @param attempts questions sent for it
     */
    record Scores(List<Double> scores, String text, int attempts) implements JudgeSaid {
        public Scores {
            scores = List.copyOf(scores);
        }
    }

    /**
     * No such answer: there is no number.
     *
     * @param reason {@code code: detail}, of the last attempt
     */
    record Nothing(String reason, int attempts) implements JudgeSaid {}
}
