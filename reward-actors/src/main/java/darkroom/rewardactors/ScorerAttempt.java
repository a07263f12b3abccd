package darkroom.rewardactors;

/** How one try to have an image scored ended. */
sealed interface ScorerAttempt {
    /** @param scorer who answered, with which model and on which rung */
    record Succeeded(LabelScore.Believed reading, String scorer) implements ScorerAttempt {}

    record Failed(ScorerFault fault) implements ScorerAttempt {}
}
