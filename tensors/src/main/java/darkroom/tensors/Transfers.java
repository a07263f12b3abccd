package darkroom.tensors;

import darkroom.tensors.PlaneFrame.Kind;
import darkroom.tensors.PlaneFrame.TensorKey;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Queue;
import java.util.Set;
import org.agrona.DirectBuffer;
import org.agrona.collections.Long2LongHashMap;

/**
 * The requesting half of a plane: every tensor on its way to this node. Used by the plane's thread only; time is a
 * parameter.
 */
final class Transfers {
    /** Time without a byte after which a request is repeated, from the first missing byte. */
    private static final long ASK_AGAIN_NS = 100_000_000;

    /** Bytes read of one tensor per round, so that others are not delayed. */
    private static final int LOOK_BYTES = 1 << 20;

    /** Maximum fetches of one tensor with wrong bytes, before the transfer fails. */
    private static final int MISMATCHES_MAX = 3;

    private final PlaneNetwork network;
    private final TensorPlaneSettings settings;
    private final Map<TensorKey, List<Transfer>> active = new HashMap<>();
    private final Queue<Transfer> waiting = new ArrayDeque<>();
    private final List<Transfer> looking = new ArrayList<>();
    private final Long2LongHashMap heard = new Long2LongHashMap(Long.MIN_VALUE);
    private int activeCount;
    private long bytesIn;

    Transfers(PlaneNetwork network, TensorPlaneSettings settings) {
        this.network = network;
        this.settings = settings;
    }

    void begin(Transfer transfer, long nowNs) {
        if (network.hasLeft(transfer.key.home())) {
            transfer.outcome.failed(gone(transfer));
        } else if (activeCount < settings.transfersMax()) {
            activate(transfer, nowNs);
        } else {
            waiting.add(transfer);
        }
    }

    private void activate(Transfer transfer, long nowNs) {
        activeCount++;
        active.computeIfAbsent(transfer.key, _ -> new ArrayList<>(1)).add(transfer);
        network.sharedRead(transfer.key)
                .ifPresentOrElse(
                        sharedRead -> {
                            transfer.lookAt(sharedRead);
                            looked(transfer, nowNs);
                            looking.add(transfer);
                        },
                        () -> from(transfer, transfer.key.home(), nowNs));
    }

    private static void looked(Transfer transfer, long nowNs) {
        transfer.source = transfer.key.home();
        transfer.sourceSinceNs = nowNs;
        transfer.movedNs = nowNs;
    }

    /** Continues the shared-memory reads and returns their number. */
    int look(long nowNs) {
        int looks = 0;
        for (Transfer transfer : List.copyOf(looking)) {
            looks++;
            bytesIn += transfer.look(LOOK_BYTES);
            looked(transfer, nowNs);
            if (transfer.complete()) {
                looking.remove(transfer);
                if (transfer.lookAway()) {
                    finish(transfer, nowNs);
                } else { // TP-12
                    transfer.forget();
                    from(transfer, transfer.key.home(), nowNs);
                }
            }
        }
        return looks;
    }

    private void from(Transfer transfer, long source, long nowNs) {
        transfer.source = source;
        transfer.sourceSinceNs = nowNs;
        ask(transfer, nowNs);
    }

    private void ask(Transfer transfer, long nowNs) {
        transfer.movedNs = nowNs;
        network.peer(transfer.source)
                .filter(network::reachable)
                .ifPresent(peer -> network.say(
                        peer,
                        PlaneFrame.of(
                                        transfer.mismatches == 0 ? Kind.REQUEST : Kind.REQUEST_CHECKED,
                                        network.self(),
                                        transfer.source,
                                        transfer.key)
                                .range(transfer.next(), transfer.missing())
                                .naming(transfer.without)));
    }

    void heard(long peer, long nowNs) {
        heard.put(peer, nowNs);
    }

    /** Handles a chunk that may belong to one of these transfers. */
    void data(PlaneFrame frame, DirectBuffer buffer, int index, long nowNs) {
        List<Transfer> wanted = active.get(frame.tensor());
        if (wanted == null) {
            return;
        }
        for (Transfer transfer : List.copyOf(wanted)) {
            if (transfer.source != frame.from()) {
                continue;
            }
            int taken = transfer.take(frame.offset(), buffer, index, (int) frame.bytes());
            if (taken > 0 || frame.tensor().bytes() == 0) {
                bytesIn += taken;
                transfer.movedNs = nowNs;
                finish(transfer, nowNs);
            } else if (frame.to() == network.self() && transfer.gapSeen(frame.offset())) {
                ask(transfer, nowNs); // TP-4
            }
        }
    }

    /** Handles an answer of a peer that was asked. */
    void answer(PlaneFrame frame, long nowNs) {
        for (Transfer transfer : List.copyOf(active.getOrDefault(frame.tensor(), List.of()))) {
            if (transfer.source != frame.from()) {
                continue;
            }
            switch (frame.kind()) {
                case ABSENT -> {
                    if (transfer.source == transfer.key.home()) {
                        fail(
                                transfer,
                                new TensorLostException(
                                        transfer.ref,
                                        "tensor %d %s is not on %s (any more)"
                                                .formatted(
                                                        transfer.ref.id(), transfer.ref.shape(), transfer.ref.home())));
                    } else {
                        backHome(transfer, nowNs);
                    }
                }
                case REDIRECT -> {
                    if (network.peer(frame.third()).filter(network::reachable).isPresent()) {
                        from(transfer, frame.third(), nowNs);
                    } else {
                        transfer.without = frame.third();
                    }
                }
                case REQUEST, REQUEST_CHECKED, QUEUED, DATA, HOLDING, RELEASE, RELEASED -> {}
            }
        }
    }

    private void backHome(Transfer transfer, long nowNs) {
        transfer.without = transfer.source;
        from(transfer, transfer.key.home(), nowNs);
    }

    private void finish(Transfer transfer, long nowNs) {
        if (!transfer.complete()) {
            return;
        }
        if (transfer.checksum() == transfer.key.checksum()) {
            remove(transfer, nowNs);
            network.peer(transfer.key.home())
                    .filter(home -> transfer.key.bytes() >= Uploads.SPREAD_BYTES_MIN && network.reachable(home))
                    .ifPresent(home -> network.say(
                            home,
                            PlaneFrame.of(Kind.HOLDING, network.self(), transfer.key.home(), transfer.key)
                                    .range(0, transfer.key.bytes())));
            network.account();
            transfer.outcome.landed();
            return;
        }
        transfer.mismatches++;
        if (transfer.mismatches == MISMATCHES_MAX) {
            fail(
                    transfer,
                    new TensorTransferException("tensor %d %s of %s came from %s with wrong bytes, %d times"
                            .formatted(
                                    transfer.ref.id(),
                                    transfer.ref.shape(),
                                    transfer.ref.home(),
                                    network.name(transfer.source),
                                    transfer.mismatches)));
            return;
        }
        transfer.forget();
        if (transfer.source == transfer.key.home()) {
            from(transfer, transfer.source, nowNs);
        } else {
            backHome(transfer, nowNs);
        }
    }

    /** Handles timers: repeated requests, silent peers, deadlines. */
    void tick(long nowNs) {
        if (count() == 0) {
            return;
        }
        for (Transfer late :
                waiting.stream().filter(transfer -> overdue(transfer, nowNs)).toList()) {
            waiting.remove(late);
            late.outcome.failed(tooLate(late, nowNs));
        }
        for (Transfer transfer : all()) {
            boolean relayed = transfer.source != transfer.key.home();
            boolean there = network.peer(transfer.source).isPresent();
            if (overdue(transfer, nowNs)) {
                fail(transfer, tooLate(transfer, nowNs));
            } else if (there && !network.reachable(network.peer(transfer.source).orElseThrow())) {
                fail(
                        transfer,
                        new TensorTransferException(
                                "tensor %d of %s is out of reach: the node uses another media driver or other shared memory, and cluster.tensor-plane.transport=ipc"
                                        .formatted(transfer.ref.id(), network.name(transfer.source))));
            } else if (silent(transfer, nowNs)) {
                if (relayed) {
                    backHome(transfer, nowNs);
                } else if (there) {
                    fail(
                            transfer,
                            new TensorTransferException("%s was silent for %d ms: tensor %d %s, %d of %d bytes"
                                    .formatted(
                                            network.name(transfer.source),
                                            settings.peerSilentAfter().toMillis(),
                                            transfer.ref.id(),
                                            transfer.ref.shape(),
                                            transfer.received(),
                                            transfer.key.bytes())));
                } else {
                    fail(transfer, gone(transfer));
                }
            } else if (nowNs - transfer.movedNs >= ASK_AGAIN_NS) {
                ask(transfer, nowNs);
            }
        }
    }

    private boolean silent(Transfer transfer, long nowNs) {
        long last = Math.max(transfer.sourceSinceNs, heard.getOrDefault(transfer.source, transfer.sourceSinceNs));
        return nowNs - last >= settings.peerSilentAfter().toNanos();
    }

    private boolean overdue(Transfer transfer, long nowNs) {
        return nowNs - transfer.begunNs >= settings.transferTimeout().toNanos();
    }

    private TensorTransferException tooLate(Transfer transfer, long nowNs) {
        return new TensorTransferException("tensor %d %s of %s did not come within %d ms: %d of %d bytes, %s"
                .formatted(
                        transfer.ref.id(),
                        transfer.ref.shape(),
                        transfer.ref.home(),
                        (nowNs - transfer.begunNs) / 1_000_000,
                        transfer.received(),
                        transfer.key.bytes(),
                        transfer.source == 0
                                ? "%d transfers were first".formatted(settings.transfersMax())
                                : "asked of " + network.name(transfer.source)));
    }

    private TensorLostException gone(Transfer transfer) {
        return new TensorLostException(
                transfer.ref,
                "tensor %d %s is lost: %s %s"
                        .formatted(
                                transfer.ref.id(),
                                transfer.ref.shape(),
                                transfer.ref.home(),
                                network.hasLeft(transfer.key.home()) ? "has left" : "is not among the peers"));
    }

    /** Handles a node that has left: its tensors are lost, and tensors that it passed on are requested from their homes. */
    void left(long peer, long nowNs) {
        for (Transfer lost :
                waiting.stream().filter(transfer -> transfer.key.home() == peer).toList()) {
            waiting.remove(lost);
            lost.outcome.failed(gone(lost));
        }
        for (Transfer transfer : all()) {
            if (transfer.key.home() == peer) {
                fail(transfer, gone(transfer));
            } else if (transfer.source == peer) {
                backHome(transfer, nowNs);
            }
        }
        heard.remove(peer);
    }

    /** Returns the number of nodes beyond these from which messages arrived. */
    int heardOf(Set<Long> peers) {
        return (int) heard.keySet().stream()
                .filter(number -> !peers.contains(number))
                .count();
    }

    /** Extends timeouts by the time for which this process was stopped and received nothing. */
    void stoodStill(long ns) {
        for (Transfer transfer : all()) {
            transfer.sourceSinceNs += ns;
            transfer.movedNs += ns;
        }
        heard.replaceAll((_, at) -> at + ns);
    }

    void failAll(RuntimeException why) {
        List<Transfer> every = new ArrayList<>(waiting);
        waiting.clear();
        every.addAll(all());
        active.clear();
        looking.forEach(Transfer::lookAway);
        looking.clear();
        activeCount = 0;
        every.forEach(transfer -> transfer.outcome.failed(why));
    }

    int count() {
        return activeCount + waiting.size();
    }

    /** Returns the bytes that the active transfers still wait for. */
    long missing() {
        long missing = 0;
        for (List<Transfer> same : active.values()) {
            for (Transfer transfer : same) {
                missing += transfer.missing();
            }
        }
        return missing;
    }

    long bytesIn() {
        return bytesIn;
    }

    private List<Transfer> all() {
        return active.values().stream().flatMap(List::stream).toList();
    }

    private void fail(Transfer transfer, RuntimeException why) {
        remove(transfer, network.nowNs());
        network.account();
        transfer.outcome.failed(why);
    }

    private void remove(Transfer transfer, long nowNs) {
        List<Transfer> same = active.get(transfer.key);
        if (same == null || !same.remove(transfer)) {
            return;
        }
        if (same.isEmpty()) {
            active.remove(transfer.key);
        }
        activeCount--;
        if (transfer.looks()) {
            looking.remove(transfer);
            transfer.lookAway();
        }
        Transfer next = waiting.poll();
        if (next != null) {
            activate(next, nowNs);
        }
    }
}
