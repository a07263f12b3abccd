package darkroom.actors.ledger;

import darkroom.actors.workqueue.SwitchBehavior;
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
    private final Map<String, LedgerSnapshot> books = new HashMap<>();

    @Override
    public Behavior<Command> writer(String run) {
        return Behaviors.setup(context -> new Writer(this, run));
    }

    /** Returns the recorded events of a run; empty if none exist. */
    public synchronized LedgerSnapshot snapshot(String run) {
        return books.getOrDefault(run, LedgerSnapshot.empty());
    }

    /** Replaces the ledger snapshot of a run, as if its last events had been lost. */
    public synchronized void replace(String run, LedgerSnapshot snapshot) {
        books.put(run, snapshot);
    }

    static Behavior<Command> forgetful() {
        return Behaviors.setup(context -> new Writer(null, ""));
    }

    private synchronized LedgerHistory open(String run, int step, RunDigests digests) {
        LedgerSnapshot snapshot = snapshot(run);
        books.put(run, snapshot.with(snapshot.nextWriter(step, digests)));
        return LedgerHistory.of(snapshot, step);
    }

    /** Writes events; returns whether the writer of this epoch is still current. */
    private synchronized boolean write(String run, int epoch, List<LedgerEvent> events) {
        LedgerSnapshot snapshot = snapshot(run);
        if (snapshot.epoch() != epoch) {
            return false; // LG-2
        }
        for (LedgerEvent event : events) {
            snapshot = snapshot.with(event);
        }
        books.put(run, snapshot);
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
        public Behavior<Command> onMessage(Command command) {
            switch (command) {
                case Open open -> onOpen(open);
                case Write write -> onWrite(write);
                case Close() -> {
                    tell(new Closed());
                    return Behaviors.stopped();
                }
                case RunLedger.Own own -> throw new IllegalArgumentException(own + " is never sent here");
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
                epoch = ledger.snapshot(run).epoch();
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
                fail(RunLedger.fenced(run, epoch, ledger.snapshot(run).epoch()));
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
