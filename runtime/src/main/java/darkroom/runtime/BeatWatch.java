package darkroom.runtime;

import java.time.Duration;
import java.util.Optional;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;

/**
 * Judges by what it sees of {@link ControlBeat}s, and by its own clock, whether a run has an active control node. Clocks of two machines are
 * never compared.
 */
final class BeatWatch {
    private final Duration silentAfter;
    private final LongSupplier nanos;
    private @Nullable ControlBeat last;
    private long changedNanos;

    /** What there is to do. */
    sealed interface Sight {
        /** Nobody has begun the run. */
        record Nobody() implements Sight {}

        /** Someone works on it. */
        record Active(ControlBeat beat) implements Sight {}

        /** Its process is no more, or nothing was seen of it for long. */
        record Gone(ControlBeat beat, String why) implements Sight {}

        /** The run has ended; nobody is to go on. */
        record Ended(ControlBeat beat) implements Sight {}
    }

    /** @param nanos a clock that only goes forward */
    BeatWatch(Duration silentAfter, LongSupplier nanos) {
        this.silentAfter = silentAfter;
        this.nanos = nanos;
    }

    /**
     * @param seen the beat that is there now
     * @param alive whether its process lives, as far as can be told from here; nothing if it cannot
     */
    Sight look(Optional<ControlBeat> seen, Optional<Boolean> alive) {
        if (seen.isEmpty()) {
            return last == null ? new Sight.Nobody() : judged(last, Optional.empty());
        }
        ControlBeat now = seen.get();
        if (!now.equals(last)) {
            last = now;
            changedNanos = nanos.getAsLong();
        }
        return judged(now, alive);
    }

    private Sight judged(ControlBeat beat, Optional<Boolean> alive) {
        if (beat.hasEnded()) {
            return new Sight.Ended(beat);
        }
        if (alive.isPresent() && !alive.get()) {
            return new Sight.Gone(beat, "its process is gone");
        }
        long silent = nanos.getAsLong() - changedNanos;
        return silent >= silentAfter.toNanos()
                ? new Sight.Gone(beat, "nothing was seen of it for " + silentAfter.toMillis() + " ms")
                : new Sight.Active(beat);
    }
}
