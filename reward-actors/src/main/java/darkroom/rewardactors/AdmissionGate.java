package darkroom.rewardactors;

import java.util.ArrayDeque;
import java.util.Queue;
import java.util.concurrent.Executor;

/** Lets so many pieces of work run at a time and so many wait; more than that is told at once. First come, first served. */
final class AdmissionGate {
    private final int waitingMax;
    private final Executor executor;
    private final Queue<Runnable> waiting = new ArrayDeque<>();
    private int free;

    AdmissionGate(int runningMax, int waitingMax, Executor executor) {
        this.free = runningMax;
        this.waitingMax = waitingMax;
        this.executor = executor;
    }

    /** Runs {@code work} now or later; whoever runs it calls {@link #leave} once. False if too many wait already. */
    synchronized boolean enter(Runnable work) {
        if (free > 0) {
            free--;
            executor.execute(work);
            return true;
        }
        return waiting.size() < waitingMax && waiting.offer(work);
    }

    synchronized void leave() {
        Runnable next = waiting.poll();
        if (next == null) {
            free++;
        } else {
            executor.execute(next);
        }
    }
}
