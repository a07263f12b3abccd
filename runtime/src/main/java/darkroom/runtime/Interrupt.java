package darkroom.runtime;

import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicReference;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Holds the end of the process back (Ctrl-C, SIGTERM) until the step in work is committed, its checkpoint is on the disk and
 * other nodes have gone, at most {@link #SECONDS_MAX}.
 */
final class Interrupt implements AutoCloseable {
    /** A second kill -9 is always at hand; a machine that is taken away gives about this much notice. */
    static final int SECONDS_MAX = 110;

    private static final Logger LOG = LoggerFactory.getLogger(Interrupt.class);

    private final CountDownLatch raised = new CountDownLatch(1);
    private final CountDownLatch done = new CountDownLatch(1);
    private final AtomicReference<@Nullable Runnable> finishStep = new AtomicReference<>();
    private final Runnable idle;
    private final Thread hook;

    /**
     * Holds nothing back until there is something to finish. Closed after all that has to be put away in good order.
     *
     * @param idle called when the process is asked to end before there is something to finish: tells the user how to continue
     */
    Interrupt(Runnable idle) {
        this.idle = idle;
        hook = new Thread(this::hold, "interrupt");
        Runtime.getRuntime().addShutdownHook(hook);
    }

    /** @param finishStep asks for the end after the step in work; returns at once */
    void finishing(Runnable finishStep) {
        this.finishStep.set(finishStep);
    }

    /** Whether someone asked the process to end. */
    boolean isRaised() {
        return raised.getCount() == 0;
    }

    private void hold() {
        raised.countDown();
        Runnable finish = finishStep.get();
        if (finish == null) {
            idle.run();
            return;
        }
        finish.run();
        try {
            if (!done.await(SECONDS_MAX, TimeUnit.SECONDS)) {
                LOG.warn("the step in work has not ended within {} s; the last checkpoint stands", SECONDS_MAX);
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    @Override
    public void close() {
        done.countDown();
        if (!isRaised()) {
            try {
                Runtime.getRuntime().removeShutdownHook(hook);
            } catch (IllegalStateException exiting) {
                LOG.debug("the process is ending", exiting);
            }
        }
    }
}
