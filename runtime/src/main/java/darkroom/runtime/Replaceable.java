package darkroom.runtime;

import java.util.Optional;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Something open of which there is one at a time: what is replaced is closed, and what comes after the end is closed at once. */
final class Replaceable<T extends AutoCloseable> implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(Replaceable.class);

    private @Nullable T now;
    private boolean closed;

    /** Takes the place of what is open, which is closed. */
    void replace(T next) {
        T before;
        synchronized (this) {
            before = closed ? next : now;
            now = closed ? null : next;
        }
        close(before);
    }

    /** What is open. */
    synchronized Optional<T> now() {
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
