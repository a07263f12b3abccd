package darkroom.actors;

import java.util.concurrent.locks.LockSupport;

/**
 * How the thread of a plane waits when there is nothing to do: it looks again and again for {@link #AWAKE_NS}, yielding to
 * whoever else wants the processor, and parks then, in steps that grow.
 */
final class PlanePause {
    /** Long enough for a short message to be answered, and the answer to be followed by the next one. */
    private static final long AWAKE_NS = 150_000;

    private static final long PARK_NS = 1_000;
    private static final long WARM_PARK_MAX_NS = 50_000;
    private static final long PARK_MAX_NS = 1_000_000;

    private boolean waiting;
    private long sinceNs;
    private long parkNs = PARK_NS;

    /** There was something to do. */
    void worked() {
        waiting = false;
        parkNs = PARK_NS;
    }

    /**
     * Waits a moment.
     *
     * @param warm whether something is under way or has just been
     */
    void pause(boolean warm) {
        long nowNs = System.nanoTime();
        if (!waiting) {
            waiting = true;
            sinceNs = nowNs;
        }
        if (nowNs - sinceNs < AWAKE_NS) {
            Thread.yield();
            return;
        }
        LockSupport.parkNanos(parkNs);
        parkNs = Math.min(2 * parkNs, warm ? WARM_PARK_MAX_NS : PARK_MAX_NS);
    }
}
