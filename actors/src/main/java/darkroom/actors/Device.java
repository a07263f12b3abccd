package darkroom.actors;

import java.util.concurrent.CompletionStage;

/**
 * Where units of one kind are done: a GPU or a core that draws, one that trains, a scorer's endpoint.
 *
 * <p>Called on an actor's thread; returns at once and works on threads of its own. The stage always completes: with the
 * result, or with the exception that says why this device could not do the unit. An implementation that blocks here
 * shows up as missed heartbeats.
 */
public interface Device<U extends Unit, R extends Result> extends AutoCloseable {
    CompletionStage<R> perform(U unit);

    /** Units that may be in work at the same time, at least 1. */
    default int capacity() {
        return 1;
    }

    @Override
    void close();
}
