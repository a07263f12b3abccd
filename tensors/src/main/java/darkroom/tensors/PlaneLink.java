package darkroom.tensors;

import darkroom.config.ErrorReason;
import io.aeron.Aeron;
import io.aeron.ExclusivePublication;
import io.aeron.exceptions.RegistrationException;
import java.util.ArrayDeque;
import java.util.Iterator;
import java.util.Queue;
import org.agrona.concurrent.UnsafeBuffer;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * One publication and its pending messages: short messages first and in order, chunks as there is room. Used by the plane's
 * thread only; never blocks.
 */
final class PlaneLink {
    /**
     * Maximum number of short messages that wait. A node that misses an answer asks again, so beyond it the oldest are
     * dropped.
     */
    static final int WAITING_MAX = 4096;

    /** Maximum number of short messages in one Aeron message. */
    private static final int TOGETHER_MAX = 16;

    /** Delay before a publication that the driver refused is requested again: there may be room by then. */
    static final long AGAIN_NS = 1_000_000_000;

    private static final Logger LOG = LoggerFactory.getLogger(PlaneLink.class);

    private final Aeron aeron;
    private final String channel;
    private final int stream;
    private final Queue<PlaneFrame> waiting = new ArrayDeque<>();
    private final int together;
    private final UnsafeBuffer header = new UnsafeBuffer(new byte[PlaneFrame.BYTES * TOGETHER_MAX]);
    private final UnsafeBuffer chunk = new UnsafeBuffer(0, 0);
    private @Nullable ExclusivePublication publication;
    private long registration;
    private long refusedNs;
    private boolean told;
    private boolean closed;
    private long usedNs;
    private boolean written;

    /**
     * @param bytesMax limit of one message, without Aeron's header
     */
    PlaneLink(Aeron aeron, String channel, int stream, int bytesMax, long nowNs) {
        this.aeron = aeron;
        this.channel = channel;
        this.stream = stream;
        this.together = Math.clamp(bytesMax / PlaneFrame.BYTES, 1, TOGETHER_MAX);
        registration = aeron.asyncAddExclusivePublication(channel, stream);
        usedNs = nowNs;
    }

    void say(PlaneFrame frame) {
        if (waiting.size() == WAITING_MAX) {
            waiting.remove();
        }
        waiting.add(frame);
    }

    /** Sends waiting messages, as far as there is room. */
    int flush(long nowNs) {
        int said = 0;
        while (!waiting.isEmpty()) {
            ExclusivePublication to = publication(nowNs);
            int count = to == null ? 0 : offered(to);
            if (count == 0) {
                return said;
            }
            for (int i = 0; i < count; i++) {
                waiting.remove();
            }
            usedNs = nowNs;
            written = true;
            said += count;
        }
        return said;
    }

    /** Returns the number of waiting messages that were sent in one Aeron message. */
    private int offered(ExclusivePublication to) {
        int count = 0;
        for (Iterator<PlaneFrame> each = waiting.iterator(); each.hasNext() && count < together; count++) {
            each.next().write(header, count * PlaneFrame.BYTES);
        }
        return to.offer(header, 0, count * PlaneFrame.BYTES) < 0 ? 0 : count;
    }

    /** Sends a chunk; false if there is no room, or an earlier message waits. */
    boolean send(PlaneFrame data, long address, int length, long nowNs) {
        ExclusivePublication to = waiting.isEmpty() ? publication(nowNs) : null;
        if (to == null) {
            return false;
        }
        data.write(header, 0);
        chunk.wrap(address, length);
        if (to.offer(header, 0, PlaneFrame.BYTES, chunk, 0, length) < 0) {
            return false;
        }
        usedNs = nowNs;
        written = true;
        return true;
    }

    /** Marks that the reader must be notified of new messages. */
    void toBeRead() {
        written = true;
    }

    /** Whether something was written of which its reader has not been notified; true once. */
    boolean written() {
        boolean was = written;
        written = false;
        return was;
    }

    int stream() {
        return stream;
    }

    long usedNs() {
        return usedNs;
    }

    private @Nullable ExclusivePublication publication(long nowNs) {
        if (publication != null || closed) {
            return publication;
        }
        if (registration == Aeron.NULL_VALUE && nowNs - refusedNs >= AGAIN_NS) {
            registration = aeron.asyncAddExclusivePublication(channel, stream);
        }
        if (registration != Aeron.NULL_VALUE) {
            try {
                publication = aeron.getExclusivePublication(registration);
            } catch (RegistrationException refused) {
                registration = Aeron.NULL_VALUE;
                refusedNs = nowNs;
                if (!told) {
                    told = true;
                    LOG.warn(
                            "no publication on {}, asked for again every {} ms: {}",
                            channel,
                            AGAIN_NS / 1_000_000,
                            ErrorReason.of(refused));
                }
            }
        }
        return publication;
    }

    void close() {
        closed = true;
        if (registration != Aeron.NULL_VALUE) {
            aeron.asyncRemovePublication(registration);
            registration = Aeron.NULL_VALUE;
        }
        publication = null;
        waiting.clear();
    }

    @Override
    public String toString() {
        return channel + " stream " + stream;
    }
}
