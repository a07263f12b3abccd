package darkroom.actors;

import java.util.List;
import java.util.Optional;
import org.apache.pekko.actor.typed.ActorRef;
import org.apache.pekko.actor.typed.Behavior;

/**
 * Where a run writes down what must not be lost, and reads it again.
 *
 * <ul>
 *   <li><b>LG-1</b> Events are written in the order in which they were told, and answered once they are written.
 *   <li><b>LG-2</b> A run has one writer: the one that opened its ledger last. An earlier one finds that out before it writes
 *       anything more, and stops.
 *   <li><b>LG-3</b> What waits to be written is bounded; when that is full, or nothing can be written, the one who opened the
 *       ledger is told, and nothing more is answered as written.
 *   <li><b>LG-4</b> Whoever begins from a state that is not the recorded one is refused.
 * </ul>
 */
public interface Ledger {
    /** Writes nothing and answers at once: for measurements, and runs that nobody resumes. */
    Ledger NONE = run -> MemoryLedger.forgetful();

    /** What the writer of a run's ledger is told. */
    sealed interface Command permits Open, Write, Close, RunLedger.Own {}

    /**
     * Becomes the writer. Told once; writes that were told before wait for it.
     *
     * @param step steps committed in the state that the run begins from
     * @param digests of that state
     * @param owner hears {@link Opened} once nobody else can write, and {@link Failed} if that or a later write cannot be
     */
    record Open(int step, RunDigests digests, ActorRef<? super Answer> owner) implements Command {}

    /**
     * @param replyTo hears {@link Written}
     * @param urgent whether something stands still until it is written; what is not may wait for more
     */
    record Write(List<LedgerEvent> events, Optional<ActorRef<? super Written>> replyTo, boolean urgent)
            implements Command {
        public Write {
            events = List.copyOf(events);
        }

        /** Urgent if somebody is to hear of it. */
        public Write(List<LedgerEvent> events, Optional<ActorRef<? super Written>> replyTo) {
            this(events, replyTo, replyTo.isPresent());
        }

        /** Nobody waits for it. */
        static Write of(LedgerEvent event) {
            return new Write(List.of(event), Optional.empty());
        }
    }

    /** No more is written; the owner hears {@link Closed} once all that was told before is written, or cannot be. */
    record Close() implements Command {}

    /** What the owner is told. */
    sealed interface Answer {}

    /** @param history what is recorded of the steps from the state on */
    record Opened(LedgerHistory history) implements Answer {}

    /** Nothing more can be written. */
    record Failed(String message) implements Answer {}

    /** The writer is gone. */
    record Closed() implements Answer {}

    /** These events will be there after a crash. */
    record Written(List<LedgerEvent> events) {
        public Written {
            events = List.copyOf(events);
        }
    }

    /** @param run name of the run, as in its units */
    Behavior<Command> writer(String run);
}
