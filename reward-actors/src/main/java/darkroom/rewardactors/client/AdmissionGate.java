package darkroom.rewardactors.client;

import java.util.ArrayDeque;
import java.util.Queue;
import java.util.concurrent.Executor;

/** Limits how many pieces of work run and how many wait; any further one is rejected at once. First come, first served. */
public final class AdmissionGate {
    private final int waitingMax;
    private final Executor executor;
    private final Queue<Runnable> waiting = new ArrayDeque<>();
    private int free;

    public AdmissionGate(int runningMax, int waitingMax, Executor executor) {
        this.free = runningMax;
        this.waitingMax = waitingMax;
        this.executor = executor;
    }

    /** Runs {@code work} now or later; the work calls {@link #leave} once. Returns false if too many wait already. */
    public synchronized boolean enter(Runnable work) {
        if (free > 0) {
            free--;
            executor.execute(work);
            return true;
        }
        return waiting.size() < waitingMax && waiting.offer(work);
    }

    public synchronized void leave() {
        Runnable next = waiting.poll();
        if (next == null) {
            free++;
        } else {
            executor.execute(next);
        }
    }
}
