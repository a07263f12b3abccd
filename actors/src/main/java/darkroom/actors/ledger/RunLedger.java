package darkroom.actors.ledger;

import darkroom.actors.workqueue.SwitchBehavior;
import darkroom.config.ErrorReason;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import org.apache.pekko.actor.typed.ActorRef;
import org.apache.pekko.actor.typed.Behavior;
import org.apache.pekko.actor.typed.ChildFailed;
import org.apache.pekko.actor.typed.Signal;
import org.apache.pekko.actor.typed.Terminated;
import org.apache.pekko.actor.typed.javadsl.ActorContext;
import org.apache.pekko.actor.typed.javadsl.Behaviors;
import org.apache.pekko.actor.typed.javadsl.TimerScheduler;
import org.apache.pekko.persistence.typed.PersistenceId;
import org.jspecify.annotations.Nullable;

/**
 * The writer of a run's ledger in a journal of Pekko Persistence. Keeps the laws of {@link Ledger}, and:
 *
 * <ul>
 *   <li><b>RL-1</b> Events that arrive during a write are written together in the next one. If none of them is urgent, the
 *       write waits for more, at most {@code Limits.gather}: a write costs a database as much as its contents.
 *   <li><b>RL-2</b> A journal that fails is read again and written to again, at most {@code ledger.write-attempts-max}
 *       times in a row; no event is written twice.
 *   <li><b>RL-3</b> Nothing is acknowledged before the event that makes this the writer is written. The journal refuses two
 *       events of one number, so of two competing writers one is refused, and learns from the journal that it is not the
 *       writer (LG-2).
 * </ul>
 */
final class RunLedger extends SwitchBehavior<Ledger.Command> {

    /** Messages of a writer to itself, and from its journal. */
    sealed interface Own extends Ledger.Command {}

    record Recovered(LedgerSnapshot snapshot) implements Own {}

    record Appended() implements Own {}

    private record Again() implements Own {}

    private record Gathered() implements Own {}

    private static final String GATHERING = "gathering";

    private final ActorContext<Ledger.Command> context;
    private final TimerScheduler<Ledger.Command> timers;
    private final String run;
    private final PersistenceId id;
    private final JournalLedger.Limits limits;
    private final Runnable line;

    private final Deque<Ledger.Write> queue = new ArrayDeque<>();
    private int eventsQueued;
    private List<Ledger.Write> inFlight = List.of();
    private Ledger.@Nullable Open open;
    private @Nullable LedgerHistory history;
    private boolean opened;
    private @Nullable ActorRef<LedgerJournal.Command> journal;
    private int epoch;
    private long written;
    private int failures;
    private boolean failed;
    private boolean closing;
    private int urgent;
    private boolean gathered;

    private RunLedger(
            ActorContext<Ledger.Command> context,
            TimerScheduler<Ledger.Command> timers,
            String run,
            PersistenceId id,
            JournalLedger.Limits limits,
            Runnable line) {
        this.context = context;
        this.timers = timers;
        this.run = run;
        this.id = id;
        this.limits = limits;
        this.line = line;
    }

    static Behavior<Ledger.Command> create(String run, PersistenceId id, JournalLedger.Limits limits, Runnable line) {
        return Behaviors.setup(
                context -> Behaviors.withTimers(timers -> new RunLedger(context, timers, run, id, limits, line)));
    }

    static String fenced(String run, int epoch, int newer) {
        return "writer %d of the ledger of run %s has been followed by writer %d, and writes no more: another process continues the run"
                .formatted(epoch, run, newer);
    }

    @Override
    public Behavior<Ledger.Command> onMessage(Ledger.Command command) {
        switch (command) {
            case Ledger.Open asked -> {
                open = asked;
                readJournal();
            }
            case Ledger.Write write -> onWrite(write);
            case Ledger.Close() -> {
                closing = true;
                append();
            }
            case Recovered(LedgerSnapshot snapshot) -> onRecovered(snapshot);
            case Appended() -> onAppended();
            case Again() -> readJournal();
            case Gathered() -> {
                gathered = true;
                append();
            }
        }
        return goOn();
    }

    @Override
    public Behavior<Ledger.Command> onSignal(Signal signal) {
        switch (signal) {
            case ChildFailed child -> onJournalGone(String.valueOf(child.getCause()));
            case Terminated _ -> onJournalGone("its journal ended");
            default -> {
                return Behaviors.unhandled();
            }
        }
        return goOn();
    }

    private Behavior<Ledger.Command> goOn() {
        boolean nothingToDo = open == null || (opened && queue.isEmpty() && inFlight.isEmpty());
        if (closing && (failed || nothingToDo)) {
            tell(new Ledger.Closed());
            return Behaviors.stopped();
        }
        return this;
    }

    private void readJournal() {
        if (failed) {
            return;
        }
        journal = context.spawnAnonymous(LedgerJournal.create(id, context.getSelf(), line));
        context.watch(journal);
    }

    private void onWrite(Ledger.Write write) {
        if (failed) {
            return;
        }
        if (eventsQueued + write.events().size() > limits.eventsQueuedMax()) {
            fail(
                    "%d events of run %s wait to be written and %d more do not fit, ledger.events-queued-max=%d: the database is too slow, or gone"
                            .formatted(eventsQueued, run, write.events().size(), limits.eventsQueuedMax())); // LG-3
            return;
        }
        eventsQueued += write.events().size();
        urgent += write.urgent() ? 1 : 0;
        queue.addLast(write);
        append();
    }

    private void onRecovered(LedgerSnapshot snapshot) {
        Ledger.Open asked = open;
        if (asked == null || failed) {
            return;
        }
        if (!opened) {
            claim(asked, snapshot);
        } else if (snapshot.epoch() != epoch) {
            fail(fenced(run, epoch, snapshot.epoch())); // LG-2
        } else if (snapshot.written() == written) {
            writeNow(events(inFlight));
        } else if (snapshot.written() == written + events(inFlight).size()) {
            onAppended(); // RL-2: it was written, and the answer was lost
        } else {
            fail("the ledger of run %s has %d events, and %d or %d were expected: somebody else has written to it"
                    .formatted(
                            run,
                            snapshot.written(),
                            written,
                            written + events(inFlight).size()));
        }
    }

    /** Claims the ledger, whatever was tried before: a claim that may have been written is followed by a newer one. */
    private void claim(Ledger.Open asked, LedgerSnapshot snapshot) {
        try {
            LedgerEvent.RunOpened first = snapshot.nextWriter(asked.step(), asked.digests());
            history = LedgerHistory.of(snapshot, asked.step());
            epoch = first.epoch();
            written = snapshot.written();
            inFlight = List.of(Ledger.Write.of(first));
            writeNow(List.of(first));
        } catch (LedgerException refused) {
            fail(ErrorReason.of(refused)); // LG-4
        }
    }

    private void onAppended() {
        List<Ledger.Write> done = inFlight;
        inFlight = List.of();
        written += events(done).size();
        failures = 0;
        LedgerHistory known = history;
        if (known != null) {
            history = null;
            opened = true;
            tell(new Ledger.Opened(known)); // RL-3
        }
        for (Ledger.Write write : done) {
            write.replyTo().ifPresent(who -> who.tell(new Ledger.Written(write.events()))); // LG-1
        }
        append();
    }

    /** Writes waiting events (RL-1). */
    private void append() {
        if (!opened || !inFlight.isEmpty() || queue.isEmpty() || journal == null) {
            return;
        }
        if (urgent == 0 && !gathered && !closing) {
            if (!timers.isTimerActive(GATHERING)) {
                timers.startSingleTimer(GATHERING, new Gathered(), limits.gather());
            }
            return;
        }
        gathered = false;
        timers.cancel(GATHERING);
        List<Ledger.Write> batch = new ArrayList<>();
        int size = 0;
        while (!queue.isEmpty()
                && (size == 0 || size + queue.getFirst().events().size() <= limits.eventsPerWriteMax())) {
            Ledger.Write next = queue.removeFirst();
            batch.add(next);
            size += next.events().size();
            urgent -= next.urgent() ? 1 : 0;
        }
        eventsQueued -= size;
        inFlight = List.copyOf(batch);
        writeNow(events(inFlight));
    }

    private void writeNow(List<LedgerEvent> events) {
        ActorRef<LedgerJournal.Command> into = journal;
        if (into != null) {
            into.tell(new LedgerJournal.Append(events));
        }
    }

    /** Retries after a failure of the journal (RL-2). */
    private void onJournalGone(String why) {
        journal = null;
        if (failed) {
            return;
        }
        failures++;
        if (failures >= limits.writeAttemptsMax()) {
            fail(
                    "the ledger of run %s could not be read and written %d times in a row, ledger.write-attempts-max=%d; the last time: %s"
                            .formatted(run, failures, limits.writeAttemptsMax(), why));
            return;
        }
        context.getLog().warn("the journal of run {} failed, it is tried again: {}", run, why);
        timers.startSingleTimer(new Again(), limits.pause());
    }

    private void fail(String message) {
        failed = true;
        queue.clear();
        urgent = 0;
        inFlight = List.of();
        tell(new Ledger.Failed(message));
    }

    private void tell(Ledger.Answer answer) {
        Ledger.Open asked = open;
        if (asked != null) {
            asked.owner().tell(answer);
        }
    }

    private static List<LedgerEvent> events(List<Ledger.Write> writes) {
        return writes.stream().flatMap(write -> write.events().stream()).toList();
    }
}
