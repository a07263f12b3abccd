package darkroom.tensors;

import darkroom.tensors.PlaneFrame.Kind;
import darkroom.tensors.PlaneFrame.TensorKey;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Queue;

/**
 * The sending half of a plane: decides who gets a tensor from here and who from another peer, and sends. Used by the
 * plane's thread only; time is a parameter.
 */
final class Uploads {
    /** Size from which on a tensor is spread by the peers that have it. */
    static final long SPREAD_BYTES_MIN = 1 << 20;

    /** Copies of one tensor that its home sends to other drivers at a time; the rest come from peers that have it. */
    static final int DIRECT_MAX = 2;

    private static final int TURN_CHUNKS = 8;
    private static final int SPREADS_MAX = 1024;

    private final PlaneNetwork network;
    private final TensorPlaneSettings settings;
    private final OffHeapTensorStore store;
    private final ReplicaCache cache;
    private final List<Upload> uploads = new ArrayList<>();
    private final Queue<PlaneFrame> waiting = new ArrayDeque<>();
    private final Map<TensorKey, Map<Long, Copy>> spreads = new LinkedHashMap<>();
    private int turn;
    private long bytesOut;

    /** A copy that a peer has or was promised: the sender and the start time. */
    private record Copy(long parent, long sinceNs, boolean whole) {}

    Uploads(PlaneNetwork network, TensorPlaneSettings settings, OffHeapTensorStore store, ReplicaCache cache) {
        this.network = network;
        this.settings = settings;
        this.store = store;
        this.cache = cache;
    }

    /** Handles a request for a tensor. */
    void requested(PlaneFrame request, PlanePeer peer, long nowNs) {
        for (Upload upload : uploads) {
            if (upload.key.equals(request.tensor()) && upload.serves(request.from())) {
                join(upload, request, peer, nowNs);
                return;
            }
        }
        waiting.removeIf(
                other -> other.from() == request.from() && other.tensor().equals(request.tensor()));
        if (!served(request, peer, nowNs)) {
            if (waiting.size() < TensorPlaneSettings.WAITING_MAX) {
                waiting.add(request);
            }
            answer(Kind.QUEUED, request, peer, 0);
        }
    }

    private boolean served(PlaneFrame request, PlanePeer peer, long nowNs) {
        TensorKey key = request.tensor();
        if (request.kind() == Kind.REQUEST_CHECKED && !intact(key)) {
            answer(Kind.ABSENT, request, peer, 0);
            return true;
        }
        Optional<BlockPool.Block> pinned = pinned(key);
        if (pinned.isEmpty()) {
            answer(Kind.ABSENT, request, peer, 0);
            return true;
        }
        BlockPool.Block block = pinned.get();
        if (key.bytes() == 0) {
            answer(Kind.DATA, request, peer, 0);
            block.unpin();
            return true;
        }
        if (!network.shared(peer) && key.home() == network.self() && key.bytes() >= SPREAD_BYTES_MIN) {
            Map<Long, Copy> copies = copies(key);
            if (request.third() != 0) {
                copies.remove(request.third());
            }
            Optional<Long> other = holder(copies, request, peer, nowNs);
            if (other.isPresent()) {
                copies.put(request.from(), new Copy(other.get(), nowNs, false));
                answer(Kind.REDIRECT, request, peer, other.get());
                block.unpin();
                return true;
            }
            if (comesToItsHost(copies, request, peer, nowNs) || direct(key) >= DIRECT_MAX) {
                block.unpin();
                return false;
            }
        }
        for (Upload upload : uploads) {
            if (upload.shared() && network.shared(peer) && upload.key.equals(key)) {
                block.unpin();
                join(upload, request, peer, nowNs);
                return true;
            }
        }
        if (uploads.size() >= settings.transfersMax()) {
            block.unpin();
            return false;
        }
        if (!network.shared(peer) && key.home() == network.self() && key.bytes() >= SPREAD_BYTES_MIN) {
            copies(key).put(request.from(), new Copy(network.self(), nowNs, false));
        }
        Upload upload = new Upload(key, network.shared(peer) ? network.sharedLink() : null, block, nowNs);
        uploads.add(upload);
        join(upload, request, peer, nowNs);
        return true;
    }

    private void join(Upload upload, PlaneFrame request, PlanePeer peer, long nowNs) {
        upload.join(request.from(), network.link(peer), request.offset(), request.bytes(), nowNs);
    }

    private void answer(Kind kind, PlaneFrame request, PlanePeer peer, long third) {
        network.say(
                peer,
                PlaneFrame.of(kind, network.self(), request.from(), request.tensor())
                        .naming(third));
    }

    private Optional<BlockPool.Block> pinned(TensorKey key) {
        return key.home() == network.self() ? store.pinned(key.id(), key.checksum(), key.bytes()) : cache.pinned(key);
    }

    /** Whether the bytes here match their checksum. Slow; used only after wrong bytes have arrived. */
    private boolean intact(TensorKey key) {
        return pinned(key)
                .map(block -> {
                    boolean same = OffHeapTensorStore.checksum(block.memory(key.bytes())) == key.checksum();
                    block.unpin();
                    return same;
                })
                .orElse(false);
    }

    private Map<Long, Copy> copies(TensorKey key) {
        Map<Long, Copy> copies = spreads.computeIfAbsent(key, _ -> new HashMap<>());
        if (spreads.size() > SPREADS_MAX) {
            spreads.remove(spreads.keySet().iterator().next());
        }
        return copies;
    }

    private int direct(TensorKey key) {
        return (int) uploads.stream()
                .filter(upload -> upload.key.equals(key) && !upload.shared())
                .count();
    }

    /** Chooses another peer to send it: on the requester's machine before others, then the one that sends it to the fewest. */
    private Optional<Long> holder(Map<Long, Copy> copies, PlaneFrame request, PlanePeer peer, long nowNs) {
        boolean far = !network.sameHost(peer);
        boolean free = direct(request.tensor()) < DIRECT_MAX;
        return copies.entrySet().stream()
                .filter(copy ->
                        copy.getValue().whole() && copy.getKey() != request.from() && copy.getKey() != request.third())
                .flatMap(copy -> network.peer(copy.getKey()).stream().map(at -> Map.entry(copy.getKey(), at)))
                .filter(at -> !free || (far && at.getValue().host().equals(peer.host())))
                .min(Comparator.comparing((Map.Entry<Long, PlanePeer> at) ->
                                !at.getValue().host().equals(peer.host()))
                        .thenComparing(at -> children(copies, at.getKey(), nowNs))
                        .thenComparing(Map.Entry::getKey))
                .map(Map.Entry::getKey);
    }

    private long children(Map<Long, Copy> copies, long parent, long nowNs) {
        return copies.values().stream()
                .filter(copy -> copy.parent() == parent && underWay(copy, nowNs))
                .count();
    }

    private boolean underWay(Copy copy, long nowNs) {
        return !copy.whole()
                && nowNs - copy.sinceNs() < settings.transferTimeout().toNanos();
    }

    /** Whether another node of the requester's machine is receiving it: one copy crosses, and is passed on there. */
    private boolean comesToItsHost(Map<Long, Copy> copies, PlaneFrame request, PlanePeer peer, long nowNs) {
        return !network.sameHost(peer)
                && request.third() == 0
                && copies.entrySet().stream()
                        .anyMatch(copy -> copy.getKey() != request.from()
                                && underWay(copy.getValue(), nowNs)
                                && network.peer(copy.getKey())
                                        .filter(at -> at.host().equals(peer.host()))
                                        .isPresent());
    }

    /** Records that a peer has all of a tensor of this node, and stops sending it to that peer. */
    void holding(PlaneFrame frame, long nowNs) {
        for (Upload upload : uploads) {
            if (upload.key.equals(frame.tensor())) {
                upload.leave(frame.from());
            }
        }
        if (frame.tensor().home() == network.self()
                && frame.bytes() >= SPREAD_BYTES_MIN
                && store.holds(frame.tensor().id())) {
            copies(frame.tensor()).put(frame.from(), new Copy(0, nowNs, true));
        }
    }

    /** Sends in turns; links without room are skipped. */
    int send(long nowNs) {
        int sent = 0;
        for (int i = 0; i < uploads.size(); i++) {
            Upload upload = uploads.get((turn + i) % uploads.size());
            for (int chunk = 0; chunk < TURN_CHUNKS && !upload.done(); chunk++) {
                int bytes = upload.send(network.self(), settings.chunkBytes(), nowNs);
                if (bytes == 0) {
                    break;
                }
                bytesOut += bytes;
                sent++;
            }
        }
        turn = uploads.isEmpty() ? 0 : (turn + 1) % uploads.size();
        if (uploads.removeIf(Uploads::closedIfDone)) {
            serveWaiting(nowNs);
        }
        return sent;
    }

    private static boolean closedIfDone(Upload upload) {
        if (upload.done()) {
            upload.close();
        }
        return upload.done();
    }

    private void serveWaiting(long nowNs) {
        for (int i = waiting.size(); i > 0; i--) {
            PlaneFrame request = waiting.remove();
            Optional<PlanePeer> peer = network.peer(request.from());
            if (peer.isPresent() && !served(request, peer.get(), nowNs)) {
                waiting.add(request);
            }
        }
    }

    /** Handles timers: serves or redirects waiting requests, and forgets tensors that no longer exist. */
    void tick(long nowNs) {
        for (Iterator<Upload> each = uploads.iterator(); each.hasNext(); ) {
            Upload upload = each.next();
            if (nowNs - upload.movedNs() >= settings.peerSilentAfter().toNanos()) { // a living receiver asks again
                upload.close();
                each.remove();
            }
        }
        serveWaiting(nowNs);
        spreads.keySet().removeIf(key -> !store.holds(key.id()));
    }

    void left(long peer) {
        waiting.removeIf(request -> request.from() == peer);
        uploads.forEach(upload -> upload.leave(peer));
        spreads.values().forEach(copies -> copies.remove(peer));
    }

    void close() {
        for (Iterator<Upload> each = uploads.iterator(); each.hasNext(); ) {
            each.next().close();
            each.remove();
        }
        waiting.clear();
    }

    int count() {
        return uploads.size() + waiting.size();
    }

    /** Returns whether uploads are being sent. */
    boolean sending() {
        return !uploads.isEmpty();
    }

    long bytesOut() {
        return bytesOut;
    }
}
