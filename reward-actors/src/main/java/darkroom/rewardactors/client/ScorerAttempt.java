package darkroom.rewardactors.client;

import darkroom.rewardactors.protocol.LabelScore;
import darkroom.rewardactors.protocol.ScorerFault;

/** Result of one attempt to score an image. */
sealed interface ScorerAttempt {
    /** @param scorer the server that answered, with its model and logprob source */
    record Succeeded(LabelScore.Believed reading, String scorer) implements ScorerAttempt {}

    record Failed(ScorerFault fault) implements ScorerAttempt {}
}
