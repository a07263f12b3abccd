package darkroom.actors.device;

import java.util.concurrent.CompletionStage;

/**
 * Processes units of one kind: a GPU or a core that generates rollouts, one that trains, a scorer's endpoint.
 *
 * <p>Called on an actor's thread; returns at once and works on its own threads. The stage always completes: with the
 * result, or with the exception that explains why this device could not process the unit. An implementation that blocks
 * here shows up as missed heartbeats.
 */
public interface Device<U extends Unit, R extends Result> extends AutoCloseable {
    CompletionStage<R> perform(U unit);

    /** Returns the number of units that may be processed concurrently, at least 1. */
    default int capacity() {
        return 1;
    }

    @Override
    void close();
}
