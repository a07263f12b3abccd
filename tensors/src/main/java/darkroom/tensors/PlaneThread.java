package darkroom.tensors;

import java.util.concurrent.locks.LockSupport;
import org.agrona.concurrent.NanoClock;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The thread of a plane: runs the rounds of its agent until the plane is closed or lost, and then fails what is in progress.
 * Calls from other threads are queued, and wake it.
 */
final class PlaneThread implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(PlaneThread.class);

    private final String node;
    private final PlaneAgent agent;
    private final PlaneLife life;
    private final @Nullable PlaneFutex futex;
    private final NanoClock clock;
    private final Thread thread;

    /**
     * Creates the thread, which is started by {@link #start}.
     *
     * @param futex wakes the thread when another process of the driver has written; null if none can
     */
    PlaneThread(String node, PlaneAgent agent, PlaneLife life, @Nullable PlaneFutex futex, NanoClock clock) {
        this.node = node;
        this.agent = agent;
        this.life = life;
        this.futex = futex;
        this.clock = clock;
        this.thread = Thread.ofPlatform().name("tensor-plane-" + node).daemon().unstarted(this::run);
    }

    void start() {
        thread.start();
    }

    /** Whether the plane is neither closed nor lost. */
    boolean running() {
        return life.running();
    }

    /** Queues a call for the thread; false if the plane has ended or too many calls wait. */
    boolean call(Runnable call) {
        if (!life.running() || !agent.call(call)) {
            return false;
        }
        wake();
        if (life.ended()) { // after the last round
            failAll();
        }
        return true;
    }

    private void wake() {
        if (futex == null) {
            LockSupport.unpark(thread);
        } else {
            futex.ring();
        }
    }

    private void run() {
        PlanePause pause = new PlanePause(futex, clock);
        try {
            while (life.running()) {
                if (pause.round(agent) == 0 && agent.lost()) {
                    life.lose("the client was closed");
                }
            }
        } catch (RuntimeException | InternalError broken) { // InternalError: mapped memory is gone
            LOG.error("the tensor plane of {} is broken", node, broken);
            life.lose(broken.toString());
        }
        life.end();
        failAll();
        life.announceLoss();
    }

    private synchronized void failAll() {
        agent.failAll(new TensorTransferException("the tensor plane of %s is closed%s"
                .formatted(node, life.loss().map(why -> ": " + why).orElse(""))));
    }

    /** Ends the thread, and waits until it has failed what was in progress. */
    @Override
    public void close() {
        life.close();
        wake();
        boolean interrupted = false;
        while (thread.isAlive() && Thread.currentThread() != thread) {
            try {
                thread.join();
            } catch (InterruptedException e) {
                interrupted = true;
            }
        }
        if (interrupted) {
            Thread.currentThread().interrupt();
        }
    }
}
