package darkroom.actors;

import java.util.List;
import org.apache.pekko.actor.typed.ActorRef;
import org.apache.pekko.actor.typed.Behavior;
import org.apache.pekko.actor.typed.javadsl.Behaviors;
import org.apache.pekko.persistence.typed.PersistenceId;
import org.apache.pekko.persistence.typed.RecoveryCompleted;
import org.apache.pekko.persistence.typed.javadsl.CommandHandler;
import org.apache.pekko.persistence.typed.javadsl.EventHandler;
import org.apache.pekko.persistence.typed.javadsl.EventSourcedBehavior;
import org.apache.pekko.persistence.typed.javadsl.RetentionCriteria;
import org.apache.pekko.persistence.typed.javadsl.SignalHandler;

/**
 * Reads the events of a {@link RunLedger} from the journal, and appends to them; ends with the first failure. Every {@link
 * #SNAPSHOT_PAGES} pages the {@link LedgerBook} is kept as a snapshot and the pages that it has are deleted.
 */
final class LedgerJournal extends EventSourcedBehavior<LedgerJournal.Command, LedgerPage, LedgerBook> {
    /** Pages between two snapshots; there are at most three times as many in the journal. */
    static final int SNAPSHOT_PAGES = 1_000;

    private static final int SNAPSHOTS_KEPT = 2;

    /** What a journal is told. */
    sealed interface Command {}

    /** Writes all or none, and tells {@link RunLedger.Appended}. One at a time. */
    record Append(List<LedgerEvent> events) implements Command {}

    private final ActorRef<? super RunLedger.Own> ledger;
    private final Runnable line;

    private LedgerJournal(PersistenceId id, ActorRef<? super RunLedger.Own> ledger, Runnable line) {
        super(id);
        this.ledger = ledger;
        this.line = line;
    }

    /**
     * @param ledger hears {@link RunLedger.Recovered}, then an answer to every {@link Append}
     * @param line of {@link JournalLedger}
     */
    static Behavior<Command> create(PersistenceId id, ActorRef<? super RunLedger.Own> ledger, Runnable line) {
        return Behaviors.setup(_ -> {
            line.run();
            return new LedgerJournal(id, ledger, line);
        });
    }

    @Override
    public LedgerBook emptyState() {
        return LedgerBook.empty();
    }

    @Override
    public CommandHandler<Command, LedgerPage, LedgerBook> commandHandler() {
        return (_, command) -> switch (command) {
            case Append(List<LedgerEvent> events) -> {
                line.run();
                yield Effect().persist(new LedgerPage(events)).thenRun(_ -> {
                    line.run();
                    ledger.tell(new RunLedger.Appended());
                });
            }
        };
    }

    @Override
    public EventHandler<LedgerBook, LedgerPage> eventHandler() {
        return LedgerBook::with;
    }

    @Override
    public SignalHandler<LedgerBook> signalHandler() {
        return newSignalHandlerBuilder()
                .onSignal(RecoveryCompleted.instance(), book -> ledger.tell(new RunLedger.Recovered(book)))
                .build();
    }

    @Override
    public RetentionCriteria retentionCriteria() {
        return RetentionCriteria.snapshotEvery(SNAPSHOT_PAGES, SNAPSHOTS_KEPT).withDeleteEventsOnSnapshot();
    }
}
