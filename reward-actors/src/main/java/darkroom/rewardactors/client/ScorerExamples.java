package darkroom.rewardactors.client;

import darkroom.rewardactors.protocol.ScoreRequest;

/** Two edits of one picture that any scorer can tell apart: the requested edit, and noise. */
public final class ScorerExamples {
    private ScorerExamples() {}

    /** An edit that does what its instruction says. */
    public static ScoreRequest good() {
        return Canary.request();
    }

    /** Noise instead of an edit. */
    public static ScoreRequest noise() {
        ScoreRequest good = Canary.request();
        return new ScoreRequest(
                "noise", good.source(), Canary.noise(), null, good.instruction(), good.requirement(), good.task());
    }
}
