package darkroom.actors;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * The events of a run that still count, in the order in which they were written: what a snapshot keeps and what everything
 * else is read from. Immutable; one event more costs the same however many there are.
 *
 * <p><b>LB-1</b> What lies before the oldest step that the run can be resumed from is there as commits and beginnings of writers alone.
 */
public final class LedgerBook {
    private static final LedgerBook EMPTY = new LedgerBook(0, 0, null);

    private record Link(LedgerEvent event, @Nullable Link before) {}

    private final long written;
    private final int epoch;
    private final @Nullable Link newest;

    private LedgerBook(long written, int epoch, @Nullable Link newest) {
        this.written = written;
        this.epoch = epoch;
        this.newest = newest;
    }

    /** Nothing is written yet. */
    public static LedgerBook empty() {
        return EMPTY;
    }

    /** @param written events ever written, at least as many as there are here */
    static LedgerBook of(long written, List<LedgerEvent> events) {
        LedgerBook book = EMPTY;
        for (LedgerEvent event : events) {
            book = book.with(event);
        }
        return new LedgerBook(written, book.epoch, book.newest);
    }

    /** The book with one event more. */
    public LedgerBook with(LedgerEvent event) {
        LedgerBook longer = new LedgerBook(
                written + 1,
                event instanceof LedgerEvent.RunOpened opened ? Math.max(epoch, opened.epoch()) : epoch,
                new Link(event, newest));
        return event instanceof LedgerEvent.CheckpointWritten checkpoint
                ? longer.reducedBefore(checkpoint.resumableFrom())
                : longer;
    }

    /** The book with the events of a page more. */
    LedgerBook with(LedgerPage page) {
        LedgerBook longer = this;
        for (LedgerEvent event : page.events()) {
            longer = longer.with(event);
        }
        return longer;
    }

    /** LB-1. */
    private LedgerBook reducedBefore(int step) {
        Link kept = null;
        for (LedgerEvent event : events()) {
            boolean stays = event instanceof LedgerEvent.StepCommitted || event instanceof LedgerEvent.RunOpened;
            if (stays || event.step() >= step) {
                kept = new Link(event, kept);
            }
        }
        return new LedgerBook(written, epoch, kept);
    }

    /** Events ever written, those that are gone included. */
    public long written() {
        return written;
    }

    /** Number of the newest writer, 0 before the first. */
    public int epoch() {
        return epoch;
    }

    /** Oldest first. */
    public List<LedgerEvent> events() {
        Deque<LedgerEvent> oldestFirst = new ArrayDeque<>();
        for (Link link = newest; link != null; link = link.before()) {
            oldestFirst.addFirst(link.event());
        }
        return List.copyOf(new ArrayList<>(oldestFirst));
    }

    /**
     * The first event of a further writer.
     *
     * @param step steps committed in the state that it begins from
     * @param digests of that state
     * @throws LedgerException if that state is not the one that was recorded for this step
     */
    LedgerEvent.RunOpened nextWriter(int step, RunDigests digests) {
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
