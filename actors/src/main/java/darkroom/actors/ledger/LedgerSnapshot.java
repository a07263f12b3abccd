package darkroom.actors.ledger;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * The events of a run that still count, in the order in which they were written: the content of a snapshot and the source
 * of all reads. Immutable; adding an event costs the same however many exist.
 *
 * <p><b>LB-1</b> Of steps before the oldest one that the run can be resumed from, only commits and beginnings of writers
 * are kept.
 */
public final class LedgerSnapshot {
    private static final LedgerSnapshot EMPTY = new LedgerSnapshot(0, 0, null);

    private record Link(LedgerEvent event, @Nullable Link before) {}

    private final long written;
    private final int epoch;
    private final @Nullable Link newest;

    private LedgerSnapshot(long written, int epoch, @Nullable Link newest) {
        this.written = written;
        this.epoch = epoch;
        this.newest = newest;
    }

    /** Returns a snapshot without events. */
    public static LedgerSnapshot empty() {
        return EMPTY;
    }

    /**
     * Creates a snapshot.
     *
     * @param written events ever written, at least as many as are kept here
     */
    public static LedgerSnapshot of(long written, List<LedgerEvent> events) {
        LedgerSnapshot snapshot = EMPTY;
        for (LedgerEvent event : events) {
            snapshot = snapshot.with(event);
        }
        return new LedgerSnapshot(written, snapshot.epoch, snapshot.newest);
    }

    /** Returns the snapshot with one event appended. */
    public LedgerSnapshot with(LedgerEvent event) {
        LedgerSnapshot longer = new LedgerSnapshot(
                written + 1,
                event instanceof LedgerEvent.RunOpened opened ? Math.max(epoch, opened.epoch()) : epoch,
                new Link(event, newest));
        return event instanceof LedgerEvent.CheckpointWritten checkpoint
                ? longer.reducedBefore(checkpoint.resumableFrom())
                : longer;
    }

    /** Returns the snapshot with the events of a batch appended. */
    LedgerSnapshot with(LedgerBatch page) {
        LedgerSnapshot longer = this;
        for (LedgerEvent event : page.events()) {
            longer = longer.with(event);
        }
        return longer;
    }

    /** Returns the snapshot reduced by LB-1. */
    private LedgerSnapshot reducedBefore(int step) {
        Link kept = null;
        for (LedgerEvent event : events()) {
            boolean stays = event instanceof LedgerEvent.StepCommitted || event instanceof LedgerEvent.RunOpened;
            if (stays || event.step() >= step) {
                kept = new Link(event, kept);
            }
        }
        return new LedgerSnapshot(written, epoch, kept);
    }

    /** Returns the number of events ever written, including those that are gone. */
    public long written() {
        return written;
    }

    /** Returns the number of the newest writer, 0 before the first. */
    public int epoch() {
        return epoch;
    }

    /** Returns the events, oldest first. */
    public List<LedgerEvent> events() {
        Deque<LedgerEvent> oldestFirst = new ArrayDeque<>();
        for (Link link = newest; link != null; link = link.before()) {
            oldestFirst.addFirst(link.event());
        }
        return List.copyOf(new ArrayList<>(oldestFirst));
    }

    /**
     * Returns the first event of a further writer.
     *
     * @param step steps committed in the state that it begins from
     * @param digests of that state
     * @throws LedgerException if that state is not the one that was recorded for this step
     */
    public LedgerEvent.RunOpened nextWriter(int step, RunDigests digests) {
        for (Link link = newest; link != null; link = link.before()) {
            if (link.event() instanceof LedgerEvent.StepCommitted commit
                    && commit.step() == step - 1
                    && !commit.digests().equals(digests)) {
                throw new LedgerException(
                        "the run would begin after step %d with %s, and the ledger has %s: the ledger and the checkpoint are not of one run"
                                .formatted(commit.step(), digests, commit.digests()));
            }
            if (link.event() instanceof LedgerEvent.RunOpened before
                    && before.step() == step
                    && !before.digests().equals(digests)) {
                throw new LedgerException(
                        "the run would begin with %s after %d steps, and writer %d of the ledger began with %s there: the ledger is not of this run"
                                .formatted(digests, step, before.epoch(), before.digests()));
            }
        }
        return new LedgerEvent.RunOpened(epoch + 1, step, digests);
    }
}
