package darkroom.actors.device;

import darkroom.tensors.TensorRef;
import java.util.List;

/** A score, or why it is missing. No third possibility exists, and no number represents a failure (promise P-3). */
public sealed interface ScoreOutcome extends Result {
    /** Returns the number of requests sent for this image. */
    int attempts();

    @Override
    default List<TensorRef> tensors() {
        return List.of();
    }

    /**
     * A valid score.
     *
     * @param score in [0, 1]
     * @param labelMass total probability that the scorer assigned to the labels, in (0, 1]
     * @param scorer scorer and model that answered
     */
    record Scored(double score, double labelMass, int attempts, String scorer) implements ScoreOutcome {
        public Scored {
            if (!(score >= 0 && score <= 1)) {
                throw new IllegalArgumentException("score=" + score + " is not in [0, 1]");
            }
        }
    }

    /**
     * A missing score.
     *
     * @param reason one line for reports: what the scorer did wrong
     */
    record Unscored(String reason, int attempts) implements ScoreOutcome {}
}
