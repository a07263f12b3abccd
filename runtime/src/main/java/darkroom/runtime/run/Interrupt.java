package darkroom.runtime.run;

import darkroom.runtime.report.Logging;
import java.time.Duration;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Consumer;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Delays the end of the process (Ctrl-C, SIGTERM) until the step in progress is committed, its checkpoint is on the
 * disk and other nodes have left, at most {@code limits.shutdown-grace}. Prints what it waits for and until when, and
 * whether that time was too short.
 */
public final class Interrupt implements AutoCloseable {
    /** Grace period of commands that are not a run and have no such setting. */
    static final Duration GRACE = Duration.ofSeconds(25);

    private static final Logger LOG = LoggerFactory.getLogger(Interrupt.class);

    private final Duration grace;
    private final AtomicBoolean held = new AtomicBoolean();
    private final CountDownLatch raised = new CountDownLatch(1);
    private final CountDownLatch done = new CountDownLatch(1);
    private final AtomicReference<@Nullable Work> work = new AtomicReference<>();
    private final Runnable idle;
    private final Consumer<String> terminal;
    private final Thread hook;

    /** Work to finish before the process ends. */
    private record Work(Runnable finish, Supplier<String> what, String otherwise) {}

    /** @param idle see {@link #Interrupt(Duration, Runnable)} */
    public Interrupt(Runnable idle) {
        this(GRACE, idle);
    }

    /**
     * Delays nothing until there is something to finish. Close it after everything that must be closed in good order.
     *
     * @param grace {@code limits.shutdown-grace}
     * @param idle called if the process is asked to end before there is something to finish; tells the user how to
     *     continue
     */
    Interrupt(Duration grace, Runnable idle) {
        this(grace, idle, line -> Logging.terminal().say(line));
    }

    /** @param terminal receives what is waited for */
    Interrupt(Duration grace, Runnable idle, Consumer<String> terminal) {
        this.grace = grace;
        this.idle = idle;
        this.terminal = terminal;
        hook = new Thread(this::hold, "interrupt");
        Runtime.getRuntime().addShutdownHook(hook);
    }

    /**
     * Registers the work to finish.
     *
     * @param finish requests the end; returns at once
     */
    public void finishing(Runnable finish) {
        finishing(finish, () -> "", "");
    }

    /**
     * Registers the work to finish.
     *
     * @param finish requests the end after the step in progress; returns at once
     * @param what what is waited for, for display; empty for no message
     * @param otherwise what holds if it does not end in time, for display
     */
    void finishing(Runnable finish, Supplier<String> what, String otherwise) {
        work.set(new Work(finish, what, otherwise));
    }

    /** Whether the process was asked to end. */
    boolean isRaised() {
        return raised.getCount() == 0;
    }

    /** Runs when the process is asked to end; returns when it may. A second call returns at once and prints nothing. */
    void hold() {
        if (held.getAndSet(true)) {
            return;
        }
        raised.countDown();
        Work now = work.get();
        if (now == null) {
            idle.run();
        } else {
            hold(now);
        }
    }

    private void hold(Work now) {
        String what = now.what().get();
        if (!what.isEmpty()) {
            say("asked to end: waits for %s, until %s at the latest (limits.shutdown-grace=%s)"
                    .formatted(what, Instant.now().plus(grace).truncatedTo(ChronoUnit.SECONDS), text(grace)));
        }
        now.finish().run();
        try {
            if (!done.await(grace.toMillis(), TimeUnit.MILLISECONDS)) {
                String late = "%s has not ended within limits.shutdown-grace=%s. %s"
                        .formatted(what.isEmpty() ? "the work" : what, text(grace), now.otherwise());
                LOG.warn("{}", late.strip());
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    private void say(String line) {
        LOG.info("{}", line);
        terminal.accept(line);
    }

    private static String text(Duration time) {
        return time.toMillis() % 1000 == 0 ? time.toSeconds() + "s" : time.toMillis() + "ms";
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
