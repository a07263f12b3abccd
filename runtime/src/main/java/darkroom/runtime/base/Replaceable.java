package darkroom.runtime.base;

import java.util.Optional;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Holds at most one open resource: a replaced resource is closed, and a resource that arrives after the end is closed
 * at once.
 */
public final class Replaceable<T extends AutoCloseable> implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(Replaceable.class);

    private @Nullable T now;
    private boolean closed;

    /** Replaces the open resource and closes it. */
    public void replace(T next) {
        T before;
        synchronized (this) {
            before = closed ? next : now;
            now = closed ? null : next;
        }
        close(before);
    }

    /** Returns the open resource. */
    public synchronized Optional<T> now() {
        return Optional.ofNullable(now);
    }

    @Override
    public void close() {
        T last;
        synchronized (this) {
            closed = true;
            last = now;
            now = null;
        }
        close(last);
    }

    private static void close(@Nullable AutoCloseable one) {
        try {
            if (one != null) {
                one.close();
            }
        } catch (Exception e) {
            LOG.warn("{} was not closed", one, e);
        }
    }
}
