package darkroom.tensors;

import darkroom.tensors.PlaneFrame.Kind;
import darkroom.tensors.PlaneFrame.TensorKey;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * One tensor that is sent in rounds until every requester has all of it. A single receiver is served on its own link; from
 * the second one on, all of the driver are served on the shared link, until the end. A late receiver begins at the current
 * position and gets the rest in the next round, so many receivers in shared memory cost one pass.
 */
final class Upload {
    final TensorKey key;
    private final @Nullable PlaneLink all;
    private final BlockPool.Block block;
    private final long address;
    private final List<Requester> requesters = new ArrayList<>();
    private boolean toAll;
    private long position;
    private long movedNs;

    private static final class Requester {
        final long peer;
        final PlaneLink link;
        long next;
        long missing;

        Requester(long peer, PlaneLink link, long next, long missing) {
            this.peer = peer;
            this.link = link;
            this.next = next;
            this.missing = missing;
        }
    }

    /**
     * Takes over the pin of the block.
     *
     * @param all link to every node that may request a share in it; null if it is for one peer only
     */
    Upload(TensorKey key, @Nullable PlaneLink all, BlockPool.Block block, long nowNs) {
        this.key = key;
        this.all = all;
        this.block = block;
        this.address = block.memory(key.bytes()).address();
        this.movedNs = nowNs;
    }

    /**
     * Adds a receiver that requests the tensor from a byte on, or from anywhere.
     *
     * @param link the link to this receiver alone
     */
    void join(long peer, PlaneLink link, long from, long missing, long nowNs) {
        movedNs = nowNs;
        requesters.removeIf(requester -> requester.peer == peer);
        long first = from == PlaneFrame.ANYWHERE ? position : from;
        if (requesters.isEmpty()) {
            position = first;
        }
        requesters.add(new Requester(peer, link, first, missing));
        toAll |= requesters.size() > 1;
    }

    void leave(long peer) {
        requesters.removeIf(requester -> requester.peer == peer);
    }

    /** Returns the time of the last send or request. */
    long movedNs() {
        return movedNs;
    }

    /** Whether nodes of this driver can join. */
    boolean shared() {
        return all != null;
    }

    boolean done() {
        return requesters.isEmpty();
    }

    boolean serves(long peer) {
        return requesters.stream().anyMatch(requester -> requester.peer == peer);
    }

    /**
     * Sends the next chunk.
     *
     * @return bytes sent, 0 if there is no room
     */
    int send(long self, int chunkBytes, long nowNs) {
        long length = Math.min(chunkBytes, key.bytes() - position);
        for (Requester requester : requesters) {
            if (requester.next > position) {
                length = Math.min(length, requester.next - position);
            }
        }
        if (!sent(self, (int) length, nowNs)) {
            return 0;
        }
        movedNs = nowNs;
        long end = (position + length) % key.bytes();
        for (Iterator<Requester> each = requesters.iterator(); each.hasNext(); ) {
            Requester requester = each.next();
            if (requester.next == position) {
                requester.next = end;
                requester.missing -= length;
                if (requester.missing <= 0) {
                    each.remove();
                }
            }
        }
        position = end;
        if (!requesters.isEmpty() && requesters.stream().noneMatch(requester -> requester.next == position)) {
            position = requesters.getFirst().next;
        }
        return (int) length;
    }

    private boolean sent(long self, int length, long nowNs) {
        if (!toAll || all == null) {
            Requester only = requesters.getFirst();
            return only.link.send(data(self, only.peer, length), address + position, length, nowNs);
        }
        if (!all.send(data(self, PlaneFrame.EVERYONE, length), address + position, length, nowNs)) {
            return false;
        }
        requesters.forEach(requester -> requester.link.toBeRead());
        return true;
    }

    private PlaneFrame data(long self, long to, int length) {
        return new PlaneFrame(Kind.DATA, self, to, key, position, length, 0);
    }

    /** Releases the memory. */
    void close() {
        block.unpin();
    }
}
