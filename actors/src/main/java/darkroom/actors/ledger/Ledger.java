package darkroom.actors.ledger;

import java.util.List;
import java.util.Optional;
import org.apache.pekko.actor.typed.ActorRef;
import org.apache.pekko.actor.typed.Behavior;

/**
 * Records the events of a run that must not be lost, and reads them back.
 *
 * <ul>
 *   <li><b>LG-1</b> Events are written in the order in which they were sent, and acknowledged once they are written.
 *   <li><b>LG-2</b> A run has one writer: the one that opened its ledger last. An earlier one detects that before it writes
 *       anything more, and stops.
 *   <li><b>LG-3</b> The events that wait to be written are bounded; when that limit is reached, or nothing can be written,
 *       the owner of the ledger is notified, and nothing more is acknowledged as written.
 *   <li><b>LG-4</b> A writer that begins from a state other than the recorded one is refused.
 * </ul>
 */
public interface Ledger {
    /** Discards events and acknowledges them at once: for measurements, and runs that nobody resumes. */
    Ledger NONE = run -> MemoryLedger.forgetful();

    /** Messages to the writer of a run's ledger. */
    sealed interface Command permits Open, Write, Close, RunLedger.Own {}

    /**
     * Becomes the writer. Sent once; earlier writes wait for it.
     *
     * @param step steps committed in the state that the run begins from
     * @param digests of that state
     * @param owner receives {@link Opened} once nobody else can write, and {@link Failed} if opening or a later write fails
     */
    record Open(int step, RunDigests digests, ActorRef<? super Answer> owner) implements Command {}

    /**
     * Writes events.
     *
     * @param replyTo receives {@link Written}
     * @param urgent whether something waits until it is written; other writes may be batched
     */
    record Write(List<LedgerEvent> events, Optional<ActorRef<? super Written>> replyTo, boolean urgent)
            implements Command {
        public Write {
            events = List.copyOf(events);
        }

        /** Creates a write that is urgent if it has a recipient. */
        public Write(List<LedgerEvent> events, Optional<ActorRef<? super Written>> replyTo) {
            this(events, replyTo, replyTo.isPresent());
        }

        /** Creates a write that nobody waits for. */
        public static Write of(LedgerEvent event) {
            return new Write(List.of(event), Optional.empty());
        }
    }

    /** Stops writing; the owner receives {@link Closed} once all earlier events are written, or cannot be. */
    record Close() implements Command {}

    /** Messages to the owner. */
    sealed interface Answer {}

    /**
     * Opening succeeded.
     *
     * @param history recorded events of the steps from the state on
     */
    record Opened(LedgerHistory history) implements Answer {}

    /** Nothing more can be written. */
    record Failed(String message) implements Answer {}

    /** The writer is gone. */
    record Closed() implements Answer {}

    /** Confirms that these events survive a crash. */
    record Written(List<LedgerEvent> events) {
        public Written {
            events = List.copyOf(events);
        }
    }

    /**
     * Returns the writer of a run's ledger.
     *
     * @param run name of the run, as in its units
     */
    Behavior<Command> writer(String run);
}
