package darkroom.rewardactors.suites;

import java.util.List;

/** Result of one question to a judge. */
sealed interface JudgeReply {
    /**
     * An answer with all scores.
     *
     * @param scores in the order in which they were requested
     * @param text the judge's answer
     * @param attempts number of questions sent
     */
    record Scores(List<Double> scores, String text, int attempts) implements JudgeReply {
        public Scores {
            scores = List.copyOf(scores);
        }
    }

    /**
     * No answer with all scores, and therefore no number.
     *
     * @param reason {@code code: detail}, of the last attempt
     */
    record Nothing(String reason, int attempts) implements JudgeReply {}
}
