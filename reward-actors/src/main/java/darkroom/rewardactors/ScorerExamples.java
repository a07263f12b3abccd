package darkroom.rewardactors;

/** Two edits of one picture that any scorer tells apart: what was asked for, and noise. */
public final class ScorerExamples {
    private ScorerExamples() {}

    /** An edit that does what its instruction says. */
    public static ScoreRequest good() {
        return Canary.request();
    }

    /** Noise in the place of an edit. */
    public static ScoreRequest noise() {
        ScoreRequest good = Canary.request();
        return new ScoreRequest(
                "noise", good.source(), Canary.noise(), null, good.instruction(), good.requirement(), good.task());
    }
}
