package darkroom.rewardactors;

import darkroom.actors.ScoreOutcome;
import java.util.List;
import java.util.concurrent.CompletionStage;

/** Gives an edit its score, or the reason why it has none. Safe for use by many threads; never blocks its caller. */
public interface Scorer extends AutoCloseable {
    /**
     * Scores one edit, in bounded time. The stage never completes exceptionally; it completes on a thread of the scorer's, which must
     * not be blocked for long.
     */
    CompletionStage<ScoreOutcome> score(ScoreRequest request);

    /** Edits that are worked on at the same time, at most. */
    int concurrency();

    /** Who scores, for reports. */
    String name();

    /** What was answered by whom so far, one line a server. */
    List<String> describe();

    /**
     * How much the score of one question varies, at each server that tells its version; nothing of others.
     *
     * @param times asked one after the other, and as often all at once
     */
    CompletionStage<List<ScorerNoise>> noise(int times);

    /** Ends all requests at once: they are unscored with code {@code closed}. */
    @Override
    void close();
}
