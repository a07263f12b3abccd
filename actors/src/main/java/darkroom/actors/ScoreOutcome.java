package darkroom.actors;

import java.util.List;

/** A score, or why there is none. There is no third possibility, and no number stands for a failure (promise P-3). */
public sealed interface ScoreOutcome extends Result {
    /** Requests sent for this image. */
    int attempts();

    @Override
    default List<TensorRef> tensors() {
        return List.of();
    }

    /**
     * @param score in [0, 1]
     * @param labelMass probability that the scorer put on the labels together, in (0, 1]
     * @param scorer which scorer and model answered
     */
    record Scored(double score, double labelMass, int attempts, String scorer) implements ScoreOutcome {
        public Scored {
            if (!(score >= 0 && score <= 1)) {
                throw new IllegalArgumentException("score=" + score + " is not in [0, 1]");
            }
        }
    }

    /** @param reason one line for reports: what the scorer did wrong */
    record Unscored(String reason, int attempts) implements ScoreOutcome {}
}
