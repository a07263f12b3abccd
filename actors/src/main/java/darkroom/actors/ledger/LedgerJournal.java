package darkroom.actors.ledger;

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
 * Reads the events of a {@link RunLedger} from the journal, and appends to them; ends at the first failure. Every
 * {@link #SNAPSHOT_PAGES} batches the {@link LedgerSnapshot} is stored and the batches that it covers are deleted.
 */
final class LedgerJournal extends EventSourcedBehavior<LedgerJournal.Command, LedgerBatch, LedgerSnapshot> {
    /** Batches between two snapshots; the journal has at most three times as many. */
    static final int SNAPSHOT_PAGES = 1_000;

    private static final int SNAPSHOTS_KEPT = 2;

    /** Messages to a journal. */
    sealed interface Command {}

    /** Writes all events or none, and sends {@link RunLedger.Appended}. One at a time. */
    record Append(List<LedgerEvent> events) implements Command {}

    private final ActorRef<? super RunLedger.Own> ledger;
    private final Runnable line;

    private LedgerJournal(PersistenceId id, ActorRef<? super RunLedger.Own> ledger, Runnable line) {
        super(id);
        this.ledger = ledger;
        this.line = line;
    }

    /**
     * Creates a journal.
     *
     * @param ledger receives {@link RunLedger.Recovered}, then an answer to every {@link Append}
     * @param line of {@link JournalLedger}
     */
    static Behavior<Command> create(PersistenceId id, ActorRef<? super RunLedger.Own> ledger, Runnable line) {
        return Behaviors.setup(_ -> {
            line.run();
            return new LedgerJournal(id, ledger, line);
        });
    }

    @Override
    public LedgerSnapshot emptyState() {
        return LedgerSnapshot.empty();
    }

    @Override
    public CommandHandler<Command, LedgerBatch, LedgerSnapshot> commandHandler() {
        return (_, command) -> switch (command) {
            case Append(List<LedgerEvent> events) -> {
                line.run();
                yield Effect().persist(new LedgerBatch(events)).thenRun(_ -> {
                    line.run();
                    ledger.tell(new RunLedger.Appended());
                });
            }
        };
    }

    @Override
    public EventHandler<LedgerSnapshot, LedgerBatch> eventHandler() {
        return LedgerSnapshot::with;
    }

    @Override
    public SignalHandler<LedgerSnapshot> signalHandler() {
        return newSignalHandlerBuilder()
                .onSignal(RecoveryCompleted.instance(), snapshot -> ledger.tell(new RunLedger.Recovered(snapshot)))
                .build();
    }

    @Override
    public RetentionCriteria retentionCriteria() {
        return RetentionCriteria.snapshotEvery(SNAPSHOT_PAGES, SNAPSHOTS_KEPT).withDeleteEventsOnSnapshot();
    }
}
