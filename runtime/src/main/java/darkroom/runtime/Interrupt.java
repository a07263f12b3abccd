package darkroom.runtime;

import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Holds the end of the process back (Ctrl-C, SIGTERM) until the step in work is committed and its checkpoint is on the
 * disk, at most {@link #SECONDS_MAX}.
 */
final class Interrupt implements AutoCloseable {
    /** A second kill -9 is always at hand; a machine that is taken away gives about this much notice. */
    static final int SECONDS_MAX = 110;

    private static final Logger LOG = LoggerFactory.getLogger(Interrupt.class);

    private final CountDownLatch raised = new CountDownLatch(1);
    private final CountDownLatch done = new CountDownLatch(1);
    private final Thread hook;

    /** @param finishStep asks for the end after the step in work; returns at once */
    Interrupt(Runnable finishStep) {
        hook = new Thread(() -> wait(finishStep), "interrupt");
        Runtime.getRuntime().addShutdownHook(hook);
    }

    /** Whether someone asked the process to end. */
    boolean isRaised() {
        return raised.getCount() == 0;
    }

    private void wait(Runnable finishStep) {
        raised.countDown();
        finishStep.run();
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
