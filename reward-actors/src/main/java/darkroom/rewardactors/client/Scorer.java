package darkroom.rewardactors.client;

import darkroom.actors.device.ScoreOutcome;
import darkroom.rewardactors.protocol.ScoreRequest;
import java.util.List;
import java.util.concurrent.CompletionStage;

/** Scores an edit, or gives the reason why it has no score. Safe for use by many threads; never blocks its caller. */
public interface Scorer extends AutoCloseable {
    /**
     * Scores one edit, in bounded time. The stage never completes exceptionally; it completes on a thread of the scorer,
     * which must not be blocked for long.
     */
    CompletionStage<ScoreOutcome> score(ScoreRequest request);

    /** Maximum number of edits in work at the same time. */
    int concurrency();

    /** Name of the scorer, for reports. */
    String name();

    /** Returns the number of answers so far, one line per server. */
    List<String> describe();

    /**
     * Measures how much the score of one question varies, at each server that reports its version; other servers are left
     * out.
     *
     * @param times number of sequential requests, and of concurrent ones
     */
    CompletionStage<List<ScorerNoise>> noise(int times);

    /** Ends all requests at once: they are unscored with code {@code closed}. */
    @Override
    void close();
}
