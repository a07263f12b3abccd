package darkroom.actors;

import io.aeron.Aeron;
import io.aeron.ExclusivePublication;
import io.aeron.exceptions.RegistrationException;
import java.util.ArrayDeque;
import java.util.Queue;
import org.agrona.concurrent.UnsafeBuffer;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * One publication and what is to be said on it: short messages first and in order, chunks as there is room. Used by the
 * plane's thread only; nothing waits.
 */
final class PlaneLink {
    /** Short messages that wait. Whoever misses an answer asks again, so of more the oldest are forgotten. */
    static final int WAITING_MAX = 4096;

    private static final Logger LOG = LoggerFactory.getLogger(PlaneLink.class);

    private final Aeron aeron;
    private final String channel;
    private final int stream;
    private final Queue<PlaneFrame> waiting = new ArrayDeque<>();
    private final UnsafeBuffer header = new UnsafeBuffer(new byte[PlaneFrame.BYTES]);
    private final UnsafeBuffer chunk = new UnsafeBuffer(0, 0);
    private @Nullable ExclusivePublication publication;
    private long registration;
    private long usedNs;

    PlaneLink(Aeron aeron, String channel, int stream, long nowNs) {
        this.aeron = aeron;
        this.channel = channel;
        this.stream = stream;
        registration = aeron.asyncAddExclusivePublication(channel, stream);
        usedNs = nowNs;
    }

    void say(PlaneFrame frame) {
        if (waiting.size() == WAITING_MAX) {
            waiting.remove();
        }
        waiting.add(frame);
    }

    /** Says what waits, as far as there is room. */
    int flush(long nowNs) {
        int said = 0;
        for (PlaneFrame next = waiting.peek(); next != null; next = waiting.peek()) {
            ExclusivePublication to = publication();
            if (to == null) {
                return said;
            }
            next.write(header);
            if (to.offer(header, 0, PlaneFrame.BYTES) < 0) {
                return said;
            }
            waiting.remove();
            usedNs = nowNs;
            said++;
        }
        return said;
    }

    /** False if there is no room for the chunk, or something that comes before it waits. */
    boolean send(PlaneFrame data, long address, int length, long nowNs) {
        ExclusivePublication to = waiting.isEmpty() ? publication() : null;
        if (to == null) {
            return false;
        }
        data.write(header);
        chunk.wrap(address, length);
        if (to.offer(header, 0, PlaneFrame.BYTES, chunk, 0, length) < 0) {
            return false;
        }
        usedNs = nowNs;
        return true;
    }

    long usedNs() {
        return usedNs;
    }

    private @Nullable ExclusivePublication publication() {
        if (publication == null && registration != Aeron.NULL_VALUE) {
            try {
                publication = aeron.getExclusivePublication(registration);
            } catch (RegistrationException refused) {
                registration = Aeron.NULL_VALUE;
                LOG.warn("no publication on {}: {}", channel, refused.getMessage());
            }
        }
        return publication;
    }

    void close() {
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
