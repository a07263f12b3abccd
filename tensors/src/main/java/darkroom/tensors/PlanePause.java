package darkroom.tensors;

import java.util.concurrent.locks.LockSupport;
import org.agrona.concurrent.NanoClock;
import org.jspecify.annotations.Nullable;

/**
 * Idle strategy of a plane's thread: polls for {@link #AWAKE_NS}, yielding the processor, and then sleeps for growing
 * times. Writers wake it, except while so much is in progress that a short delay does not matter.
 */
final class PlanePause {
    /** Polling time: long enough for a short message to be answered and for the answer to be followed by the next one. */
    private static final long AWAKE_NS = 100_000;

    private static final long BULK_AWAKE_NS = 5_000;
    private static final long SLEEP_NS = 1_000;
    private static final long WARM_SLEEP_MAX_NS = 50_000;
    private static final long SLEEP_MAX_NS = 4_000_000;

    private final @Nullable PlaneFutex futex;
    private final NanoClock clock;
    private boolean waiting;
    private long sinceNs;
    private long sleepNs = SLEEP_NS;

    PlanePause(@Nullable PlaneFutex futex, NanoClock clock) {
        this.futex = futex;
        this.clock = clock;
    }

    /** Runs one round of an agent, and pauses if there was nothing to do. */
    int round(PlaneAgent agent) {
        int work = agent.work();
        if (work == 0 && tired(agent.bulk() ? BULK_AWAKE_NS : AWAKE_NS)) {
            work = lastLook(agent);
        }
        if (work > 0) {
            waiting = false;
            sleepNs = SLEEP_NS;
        }
        return work;
    }

    @SuppressWarnings("ThreadPriorityCheck") // a hint is all that is wanted
    private boolean tired(long afterNs) {
        long nowNs = clock.nanoTime();
        if (!waiting) {
            waiting = true;
            sinceNs = nowNs;
        }
        if (nowNs - sinceNs >= afterNs) {
            return true;
        }
        Thread.yield();
        return false;
    }

    private int lastLook(PlaneAgent agent) {
        if (futex == null || agent.bulk()) {
            LockSupport.parkNanos(sleepNs);
        } else {
            futex.drowsy();
            int work = agent.work();
            if (work > 0) {
                futex.awake();
                return work;
            }
            futex.sleep(sleepNs);
        }
        sleepNs = Math.min(2 * sleepNs, agent.warm() ? WARM_SLEEP_MAX_NS : SLEEP_MAX_NS);
        return 0;
    }
}
