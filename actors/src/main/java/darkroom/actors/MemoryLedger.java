package darkroom.actors;

import darkroom.config.ErrorReason;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.apache.pekko.actor.typed.ActorRef;
import org.apache.pekko.actor.typed.Behavior;
import org.apache.pekko.actor.typed.javadsl.Behaviors;
import org.jspecify.annotations.Nullable;

/**
 * A ledger that lives as long as its object: for simulations, in which processes die and objects do not, and for runs that
 * are not resumed. Keeps the laws of {@link Ledger}; writes in the call.
 */
public final class MemoryLedger implements Ledger {
    private final Map<String, LedgerBook> books = new HashMap<>();

    @Override
    public Behavior<Command> writer(String run) {
        return Behaviors.setup(context -> new Writer(this, run));
    }

    /** What is written of a run; empty if nothing is. */
    public synchronized LedgerBook book(String run) {
        return books.getOrDefault(run, LedgerBook.empty());
    }

    /** The book of a run is another one from here on, as if its last events had been torn off. */
    synchronized void replace(String run, LedgerBook book) {
        books.put(run, book);
    }

    static Behavior<Command> forgetful() {
        return Behaviors.setup(context -> new Writer(null, ""));
    }

    private synchronized LedgerHistory open(String run, int step, RunDigests digests) {
        LedgerBook book = book(run);
        books.put(run, book.with(book.nextWriter(step, digests)));
        return LedgerHistory.of(book, step);
    }

    /** Whether the writer of this epoch is still the one. */
    private synchronized boolean write(String run, int epoch, List<LedgerEvent> events) {
        LedgerBook book = book(run);
        if (book.epoch() != epoch) {
            return false; // LG-2
        }
        for (LedgerEvent event : events) {
            book = book.with(event);
        }
        books.put(run, book);
        return true;
    }

    private static final class Writer extends SwitchBehavior<Command> {
        private final @Nullable MemoryLedger ledger;
        private final String run;
        private @Nullable ActorRef<? super Answer> owner;
        private int epoch;
        private boolean failed;

        Writer(@Nullable MemoryLedger ledger, String run) {
            this.ledger = ledger;
            this.run = run;
        }

        @Override
        Behavior<Command> onMessage(Command command) {
            switch (command) {
                case Open open -> onOpen(open);
                case Write write -> onWrite(write);
                case Close() -> {
                    tell(new Closed());
                    return Behaviors.stopped();
                }
                case RunLedger.Own own -> throw new IllegalArgumentException(own + " is told by nobody");
            }
            return this;
        }

        private void onOpen(Open open) {
            owner = open.owner();
            if (ledger == null) {
                tell(new Opened(LedgerHistory.NONE));
                return;
            }
            try {
                LedgerHistory history = ledger.open(run, open.step(), open.digests());
                epoch = ledger.book(run).epoch();
                tell(new Opened(history));
            } catch (LedgerException refused) {
                fail(ErrorReason.of(refused)); // LG-4
            }
        }

        private void onWrite(Write write) {
            if (failed) {
                return;
            }
            if (ledger != null && !ledger.write(run, epoch, write.events())) {
                fail(RunLedger.fenced(run, epoch, ledger.book(run).epoch()));
                return;
            }
            write.replyTo().ifPresent(who -> who.tell(new Written(write.events())));
        }

        private void fail(String message) {
            failed = true;
            tell(new Failed(message));
        }

        private void tell(Answer answer) {
            if (owner != null) {
                owner.tell(answer);
            }
        }
    }
}
