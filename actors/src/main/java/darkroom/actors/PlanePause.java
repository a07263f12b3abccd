package darkroom.actors;

import java.util.concurrent.locks.LockSupport;
import org.agrona.concurrent.NanoClock;
import org.jspecify.annotations.Nullable;

/**
 * How the thread of a plane waits when there is nothing to do: it looks again and again for {@link #AWAKE_NS}, yielding to
 * whoever else wants the processor, and sleeps then, for times that grow. Who writes something for it rings its bell, except
 * while so much is on its way that a moment is nothing.
 */
final class PlanePause {
    /** Long enough for a short message to be answered, and for the answer to be followed by the next one. */
    private static final long AWAKE_NS = 100_000;

    private static final long BULK_AWAKE_NS = 5_000;
    private static final long SLEEP_NS = 1_000;
    private static final long WARM_SLEEP_MAX_NS = 50_000;
    private static final long SLEEP_MAX_NS = 4_000_000;

    private final @Nullable PlaneBell bell;
    private final NanoClock clock;
    private boolean waiting;
    private long sinceNs;
    private long sleepNs = SLEEP_NS;

    PlanePause(@Nullable PlaneBell bell, NanoClock clock) {
        this.bell = bell;
        this.clock = clock;
    }

    /** One round of an agent, and a moment's wait if there was nothing to do. */
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
        if (bell == null || agent.bulk()) {
            LockSupport.parkNanos(sleepNs);
        } else {
            bell.drowsy();
            int work = agent.work();
            if (work > 0) {
                bell.awake();
                return work;
            }
            bell.sleep(sleepNs);
        }
        sleepNs = Math.min(2 * sleepNs, agent.warm() ? WARM_SLEEP_MAX_NS : SLEEP_MAX_NS);
        return 0;
    }
}
