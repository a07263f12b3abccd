package darkroom.actors;

import darkroom.actors.PlaneFrame.Kind;
import darkroom.actors.PlaneFrame.TensorKey;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;

/**
 * One tensor that goes round on one publication until everyone who asked has had all of it. Who comes late begins where it
 * is and gets the rest on the next round, so many receivers in shared memory cost one pass.
 */
final class Upload {
    final TensorKey key;
    final PlaneLink link;
    private final OffHeapTensorStore.Room room;
    private final long address;
    private final List<Requester> requesters = new ArrayList<>();
    private long position;
    private long movedNs;

    private static final class Requester {
        final long peer;
        long next;
        long missing;

        Requester(long peer, long next, long missing) {
            this.peer = peer;
            this.next = next;
            this.missing = missing;
        }
    }

    /** Takes the pin over that the room comes with. */
    Upload(TensorKey key, PlaneLink link, OffHeapTensorStore.Room room, long nowNs) {
        this.key = key;
        this.link = link;
        this.room = room;
        this.address = room.memory(key.bytes()).address();
        this.movedNs = nowNs;
    }

    /**
     * Someone wants it, from a byte on or from anywhere; who asks again is answered again.
     *
     * @return the byte that comes first
     */
    long join(long peer, long from, long missing, long nowNs) {
        movedNs = nowNs;
        requesters.removeIf(requester -> requester.peer == peer);
        long first = from == PlaneFrame.ANYWHERE ? position : from;
        if (missing > 0) {
            requesters.add(new Requester(peer, first, missing));
            if (requesters.size() == 1) {
                position = first;
            }
        }
        return first;
    }

    void leave(long peer) {
        requesters.removeIf(requester -> requester.peer == peer);
    }

    /** When something was sent last, or someone asked. */
    long movedNs() {
        return movedNs;
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
        long to = requesters.size() == 1 ? requesters.getFirst().peer : PlaneFrame.EVERYONE;
        if (!link.send(
                new PlaneFrame(Kind.DATA, self, to, key, position, length, 0),
                address + position,
                (int) length,
                nowNs)) {
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

    /** Lets the memory go. */
    void close() {
        room.unpin();
    }
}
