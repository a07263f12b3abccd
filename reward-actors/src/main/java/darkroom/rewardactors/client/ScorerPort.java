package darkroom.rewardactors.client;

import darkroom.rewardactors.protocol.ScorerCall;
import darkroom.rewardactors.protocol.ScorerFault;
import java.util.concurrent.CompletionStage;

/**
 * Exchanges with one scorer, without a memory of their results: the {@link ScorerEndpoint} keeps that. Every method returns at
 * once, and every stage completes in bounded time, exceptionally only for a defect of this client.
 */
interface ScorerPort {
    /** Returns host and port. */
    String name();

    /** Determines what the server supports. */
    CompletionStage<Lookup> lookUp();

    /**
     * Makes one attempt.
     *
     * @param profile result of {@link #lookUp}
     * @param givenUp ends the exchange when it is raised
     */
    CompletionStage<ScorerAttempt> ask(ScorerCall call, ServerProfile profile, AbortSignal givenUp);

    /** Result of a lookup, or why it failed this time. */
    sealed interface Lookup {
        record Found(ServerProfile profile) implements Lookup {}

        record Failed(ScorerFault fault) implements Lookup {}
    }
}
