package darkroom.runtime.cluster;

import java.time.Duration;
import java.util.Optional;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;

/**
 * Decides from {@link ControlHeartbeat}s and its own clock whether a run has an active control node. Clocks of two
 * machines are never compared.
 */
final class HeartbeatMonitor {
    private final Duration silentAfter;
    private final LongSupplier nanos;
    private @Nullable ControlHeartbeat last;
    private long changedNanos;

    /** Result of one look. */
    sealed interface Observation {
        /** No control node has begun the run. */
        record Nobody() implements Observation {}

        /** A control node is active. */
        record Active(ControlHeartbeat heartbeat) implements Observation {}

        /** Its process has ended, or it was silent for too long. */
        record Gone(ControlHeartbeat heartbeat, String why) implements Observation {}

        /** The run has ended; no control node resumes it. */
        record Ended(ControlHeartbeat heartbeat) implements Observation {}
    }

    /** @param nanos a monotonic clock */
    HeartbeatMonitor(Duration silentAfter, LongSupplier nanos) {
        this.silentAfter = silentAfter;
        this.nanos = nanos;
    }

    /**
     * Judges the current heartbeat.
     *
     * @param seen the current heartbeat
     * @param alive whether its process is alive, as far as this machine can tell; empty if it cannot
     */
    Observation look(Optional<ControlHeartbeat> seen, Optional<Boolean> alive) {
        if (seen.isEmpty()) {
            return last == null ? new Observation.Nobody() : judged(last, Optional.empty());
        }
        ControlHeartbeat now = seen.get();
        if (!now.equals(last)) {
            last = now;
            changedNanos = nanos.getAsLong();
        }
        return judged(now, alive);
    }

    private Observation judged(ControlHeartbeat heartbeat, Optional<Boolean> alive) {
        if (heartbeat.hasEnded()) {
            return new Observation.Ended(heartbeat);
        }
        if (alive.isPresent() && !alive.get()) {
            return new Observation.Gone(heartbeat, "its process is gone");
        }
        long silent = nanos.getAsLong() - changedNanos;
        return silent >= silentAfter.toNanos()
                ? new Observation.Gone(heartbeat, "nothing was seen of it for " + silentAfter.toMillis() + " ms")
                : new Observation.Active(heartbeat);
    }
}
