package darkroom.tensors;

import io.aeron.exceptions.ConductorServiceTimeoutException;
import io.aeron.exceptions.DriverTimeoutException;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The state of a plane: it runs; it ends because it was closed or has lost its driver; it has ended. It never goes back. Safe
 * for use by many threads.
 */
final class PlaneLife {
    private static final Logger LOG = LoggerFactory.getLogger(PlaneLife.class);

    /** A state. */
    private sealed interface State {
        /** The plane accepts calls. */
        record Running() implements State {}

        /**
         * The plane refuses calls; its thread is in its last round.
         *
         * @param loss why the driver or the client is gone; null if the plane was closed
         */
        record Ending(@Nullable String loss) implements State {}

        /** No round follows. A caller that queued a call just before this state runs it. */
        record Ended(@Nullable String loss) implements State {}
    }

    private final AtomicReference<State> state = new AtomicReference<>(new State.Running());
    private final CompletableFuture<String> lost = new CompletableFuture<>();

    boolean running() {
        return state.get() instanceof State.Running;
    }

    boolean ended() {
        return state.get() instanceof State.Ended;
    }

    /** Returns why the driver or the client is gone; empty while it is not. */
    Optional<String> loss() {
        return Optional.ofNullable(
                switch (state.get()) {
                    case State.Running _ -> null;
                    case State.Ending ending -> ending.loss();
                    case State.Ended ended -> ended.loss();
                });
    }

    /** Ends the plane on request of its owner. */
    void close() {
        state.updateAndGet(now -> now instanceof State.Running ? new State.Ending(null) : now);
    }

    /** Ends the plane because its driver or client is gone. The first reason counts. */
    void lose(String why) {
        state.updateAndGet(now -> switch (now) {
            case State.Running _ -> new State.Ending(why);
            case State.Ending ending -> ending.loss() == null ? new State.Ending(why) : ending;
            case State.Ended ended -> ended;
        });
    }

    /** Records that no round follows. */
    void end() {
        state.updateAndGet(now -> switch (now) {
            case State.Running _ -> new State.Ended(null);
            case State.Ending ending -> new State.Ended(ending.loss());
            case State.Ended ended -> ended;
        });
    }

    /** Notifies the listener of a loss, after the plane has ended. */
    void announceLoss() {
        loss().ifPresent(lost::complete);
    }

    /** Sets a listener that is notified once, with the reason of a loss. */
    void onLost(Consumer<String> listener) {
        CompletionStage<String> once = lost;
        once.thenAccept(listener);
    }

    /** Handles an error of the Aeron client: some mean that the driver has given it up. */
    void failed(Throwable error) {
        logged(error);
        if (error instanceof DriverTimeoutException || error instanceof ConductorServiceTimeoutException) {
            lose(error.toString());
        }
    }

    static void logged(Throwable error) {
        LOG.warn("Aeron: {}", error.toString());
        LOG.debug("Aeron", error);
    }
}
