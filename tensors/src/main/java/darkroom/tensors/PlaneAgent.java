package darkroom.tensors;

import darkroom.tensors.NetworkFaults.Fate;
import darkroom.tensors.PlaneFrame.Kind;
import darkroom.tensors.PlaneFrame.TensorKey;
import darkroom.tensors.SharedTensorExports.SharedRead;
import io.aeron.Subscription;
import io.aeron.logbuffer.FragmentHandler;
import io.aeron.logbuffer.Header;
import java.nio.ByteBuffer;
import java.util.ArrayDeque;
import java.util.Collection;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Queue;
import java.util.function.BooleanSupplier;
import java.util.function.Function;
import org.agrona.DirectBuffer;
import org.agrona.concurrent.ManyToOneConcurrentArrayQueue;
import org.agrona.concurrent.NanoClock;
import org.agrona.concurrent.UnsafeBuffer;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The single-threaded state machine of a tensor plane: reads what others publish, sends, keeps the roster, and retries
 * requests. Nothing in it blocks.
 */
final class PlaneAgent implements PlaneNetwork {
    /** Maximum number of calls that wait for the thread. Further calls are refused. */
    static final int CALLS_MAX = 8192;

    /** Maximum number of releases that a home has not answered. Beyond it the oldest is dropped. */
    static final int RELEASES_MAX = 1 << 16;

    private static final Logger LOG = LoggerFactory.getLogger(PlaneAgent.class);

    private static final int FRAGMENTS_MAX = 16;
    private static final int ADDRESSED_MAX = 1024;
    private static final long TICK_NS = 10_000_000;
    private static final long BULK_BYTES = 1 << 20;
    private static final long WARM_NS = 5_000_000;
    private static final long INVOKE_NS = 4_000_000;
    private static final long STOOD_STILL_NS = 200_000_000;
    private static final long RELEASE_AGAIN_NS = 200_000_000;
    private static final long LINK_IDLE_NS = 30_000_000_000L;

    /** Maximum number of nodes that have left and are known by name. Beyond it those that left first are forgotten. */
    static final int LEFT_MAX = 1024;

    /** Maximum number of delayed messages at a time. Further ones are lost. */
    private static final int LATE_MAX = 1 << 14;

    /** A message to be delivered at a later time. */
    private record Late(long dueNs, PlaneFrame frame, UnsafeBuffer content) {}

    private final PlaneEndpoint endpoint;
    private final PlanePeer here;
    private final long self;
    private final TensorPlaneSettings settings;
    private final NanoClock clock;
    private final OffHeapTensorStore store;
    private final Transfers transfers;
    private final Uploads uploads;
    private final @Nullable PlaneLink shared;
    private final Queue<Runnable> calls = new ManyToOneConcurrentArrayQueue<>(CALLS_MAX);
    private final Map<Long, PlanePeer> roster = new HashMap<>();
    private final Map<Long, String> left = new LinkedHashMap<>();
    private final Map<Long, PlaneLink> links = new HashMap<>();
    private final Map<TensorKey, Long> releases = new LinkedHashMap<>();
    private final FragmentHandler handler = this::message;
    private final FragmentHandler toAllHandler = this::messageToAll;
    private final Queue<Late> late = new ArrayDeque<>();
    private volatile Function<PlaneFrame, Fate> fate = _ -> Fate.DELIVERED;
    private volatile boolean deaf;
    private volatile PlaneStats stats = new PlaneStats(0, 0, 0, 0, 0, 0);
    private final ReplicaCache cache;
    private final SharedTensorExports exports;
    private volatile BooleanSupplier faultFree = () -> true;
    private long nowNs;
    private long tickedNs;
    private long invokedNs;
    private long workedNs;

    PlaneAgent(
            PlaneEndpoint endpoint,
            TensorPlaneSettings settings,
            OffHeapTensorStore store,
            ReplicaCache cache,
            SharedTensorExports exports,
            NanoClock clock) {
        this.endpoint = endpoint;
        this.here = endpoint.here();
        this.self = PlaneFrame.number(here.node());
        this.settings = settings;
        this.store = store;
        this.cache = cache;
        this.exports = exports;
        this.clock = clock;
        this.nowNs = clock.nanoTime();
        this.tickedNs = nowNs;
        this.transfers = new Transfers(this, settings);
        this.uploads = new Uploads(this, settings, store, cache);
        this.shared =
                here.driver().isEmpty() ? null : link(PlaneDriver.channelToAll(settings), PlaneFrame.STREAM_OF_ALL);
    }

    private PlaneLink link(String channel, int stream) {
        return new PlaneLink(endpoint.aeron(), channel, stream, PlaneFrame.BYTES + settings.chunkBytes(), nowNs);
    }

    /** Queues a call for the plane's thread; false if too many calls wait. */
    boolean call(Runnable call) {
        return calls.offer(call);
    }

    /** Runs one round and returns the amount of work done. */
    int work() {
        long before = nowNs;
        nowNs = clock.nanoTime();
        int work = 0;
        if (warm() || nowNs - invokedNs >= INVOKE_NS) {
            invokedNs = nowNs;
            work += endpoint.aeron().conductorAgentInvoker().invoke();
        }
        for (Runnable call = calls.poll(); call != null; call = calls.poll()) {
            call.run();
            work++;
        }
        if (!deaf) {
            work += listen() + hearLate();
        }
        if (nowNs - before >= STOOD_STILL_NS) {
            transfers.stoodStill(nowNs - before);
        }
        work += transfers.look(nowNs);
        work += flush();
        work += uploads.send(nowNs);
        if (nowNs - tickedNs >= TICK_NS) {
            tickedNs = nowNs;
            tick();
            work += flush();
        }
        if (work > 0) {
            workedNs = nowNs;
            account();
            ring();
        }
        return work;
    }

    private int listen() {
        int heard = 0;
        for (Subscription subscription : endpoint.addressed()) {
            heard += subscription.poll(handler, FRAGMENTS_MAX);
        }
        Subscription toAll = endpoint.toAll();
        return toAll == null ? heard : heard + toAll.poll(toAllHandler, FRAGMENTS_MAX);
    }

    /**
     * Handles a message on the shared publication. When a second node requests a tensor that is being sent to one, its
     * upload moves to the shared publication. What its sender published before for this node alone is readable by now and
     * is read first; uploads never move the other way.
     */
    private void messageToAll(DirectBuffer buffer, int index, int length, Header header) {
        // A poll that ends at the padding of a term reads nothing even if the next term is full; only two such polls
        // show that nothing is left.
        int heard = 0;
        int inVain = 0;
        while (inVain < 2 && heard < ADDRESSED_MAX) {
            int read = 0;
            for (Subscription subscription : endpoint.addressed()) {
                read += subscription.poll(handler, FRAGMENTS_MAX);
            }
            heard += read;
            inVain = read > 0 ? 0 : inVain + 1;
        }
        message(buffer, index, length, header);
    }

    /** Whether work is or recently was in progress, so that the next message is expected soon. */
    boolean warm() {
        return transfers.count() > 0 || uploads.sending() || nowNs - workedNs < WARM_NS;
    }

    /** Whether so much is in progress that a short delay does not matter and others use the processor better. */
    boolean bulk() {
        return uploads.sending() || transfers.missing() > BULK_BYTES;
    }

    boolean lost() {
        return endpoint.lost();
    }

    /** Wakes the nodes for which something was written. */
    private void ring() {
        PlaneFutex futex = endpoint.futex();
        if (futex != null) {
            for (PlaneLink link : links.values()) {
                if (link.written() && link.stream() != PlaneFrame.STREAM_OF_ALL) {
                    futex.ring(link.stream());
                }
            }
        }
    }

    private int flush() {
        int said = shared == null ? 0 : shared.flush(nowNs);
        for (PlaneLink link : links.values()) {
            said += link.flush(nowNs);
        }
        return said;
    }

    private void tick() {
        transfers.tick(nowNs);
        uploads.tick(nowNs);
        exports.tick();
        releases.replaceAll((key, said) -> nowNs - said >= RELEASE_AGAIN_NS ? sayReleased(key) : said);
        links.values().removeIf(link -> {
            boolean idle = nowNs - link.usedNs() >= LINK_IDLE_NS;
            if (idle) {
                link.close();
            }
            return idle;
        });
    }

    void begin(Transfer transfer) {
        transfers.begin(transfer, nowNs);
    }

    /** Notifies a home that its tensor is not needed, until it answers or has left. */
    void release(TensorKey key) {
        if (hasLeft(key.home())) {
            return;
        }
        if (releases.size() == RELEASES_MAX) {
            TensorKey oldest = releases.keySet().iterator().next();
            LOG.warn("{} waits for too many releases; that of tensor {} is dropped", name(oldest.home()), oldest.id());
            releases.remove(oldest);
        }
        releases.put(key, sayReleased(key));
    }

    private long sayReleased(TensorKey key) {
        peer(key.home())
                .filter(this::reachable)
                .ifPresent(home -> say(home, PlaneFrame.of(Kind.RELEASE, self, key.home(), key)));
        return nowNs;
    }

    void roster(Collection<PlanePeer> peers) {
        Map<Long, PlanePeer> next = new HashMap<>();
        for (PlanePeer peer : peers) {
            long number = PlaneFrame.number(peer.node());
            if (number == self) {
                continue;
            }
            PlanePeer other = next.putIfAbsent(number, peer);
            if (other != null && !other.equals(peer)) {
                LOG.error("{} and {} have the same number; the second is not reached. Rename it.", other, peer);
            }
        }
        List<Long> gone = roster.entrySet().stream()
                .filter(known -> !known.getValue().equals(next.get(known.getKey())))
                .map(Map.Entry::getKey)
                .toList();
        gone.forEach(number -> left.put(number, name(number)));
        roster.clear();
        roster.putAll(next);
        left.keySet().removeAll(next.keySet());
        while (left.size() > LEFT_MAX) {
            left.remove(left.keySet().iterator().next());
        }
        for (long number : gone) {
            PlaneLink link = links.remove(number);
            if (link != null) {
                link.close();
            }
            releases.keySet().removeIf(key -> key.home() == number);
            exports.shut(number);
            transfers.left(number, nowNs);
            uploads.left(number);
        }
        next.values().forEach(peer -> {
            if (settings.transport() != TensorPlaneSettings.Transport.UDP) {
                exports.open(peer);
            }
        });
    }

    /** Fails everything in progress. */
    void failAll(RuntimeException why) {
        for (Runnable call = calls.poll(); call != null; call = calls.poll()) {
            call.run();
        }
        transfers.failAll(why);
        uploads.close();
        releases.clear();
    }

    private void message(DirectBuffer buffer, int index, int length, Header header) {
        int left = length;
        while (left >= PlaneFrame.BYTES) {
            int at = index + length - left;
            Optional<PlaneFrame> read = PlaneFrame.read(buffer, at, left);
            if (read.isEmpty()) {
                return;
            }
            PlaneFrame frame = read.get();
            boolean chunk = frame.kind() == Kind.DATA && frame.bytes() > 0;
            frame(frame, buffer, at, chunk ? left : PlaneFrame.BYTES);
            left -= chunk ? left : PlaneFrame.BYTES;
        }
    }

    private void frame(PlaneFrame frame, DirectBuffer buffer, int index, int length) {
        if (frame.from() == self
                || (frame.to() != self && frame.to() != PlaneFrame.EVERYONE)
                || (frame.kind() == Kind.DATA && frame.bytes() > length - PlaneFrame.BYTES)) {
            return;
        }
        switch (fate.apply(frame)) {
            case DELIVERED -> heard(frame, buffer, index + PlaneFrame.BYTES);
            case TWICE -> {
                heard(frame, buffer, index + PlaneFrame.BYTES);
                heard(frame, buffer, index + PlaneFrame.BYTES);
            }
            case CORRUPTED -> {
                UnsafeBuffer other = contentOf(buffer, index, length);
                if (other.capacity() > 0) {
                    other.putByte(0, (byte) (other.getByte(0) + 1));
                }
                heard(frame, other, 0);
            }
            case LATE -> {
                if (late.size() < LATE_MAX) {
                    late.add(new Late(
                            nowNs + NetworkFaults.LATENESS.toNanos(), frame, contentOf(buffer, index, length)));
                }
            }
            case LOST -> {}
        }
    }

    private static UnsafeBuffer contentOf(DirectBuffer buffer, int index, int length) {
        UnsafeBuffer other = new UnsafeBuffer(ByteBuffer.allocateDirect(length - PlaneFrame.BYTES));
        other.putBytes(0, buffer, index + PlaneFrame.BYTES, other.capacity());
        return other;
    }

    private int hearLate() {
        int heard = 0;
        for (Late next = late.peek(); next != null && next.dueNs() <= nowNs; next = late.peek()) {
            late.remove();
            heard(next.frame(), next.content(), 0);
            heard++;
        }
        return heard;
    }

    private void heard(PlaneFrame frame, DirectBuffer buffer, int index) {
        if (roster.containsKey(frame.from())) {
            transfers.heard(frame.from(), nowNs);
        }
        switch (frame.kind()) {
            case DATA -> transfers.data(frame, buffer, index, nowNs);
            case QUEUED, ABSENT, REDIRECT -> transfers.answer(frame, nowNs);
            case REQUEST, REQUEST_CHECKED ->
                peer(frame.from()).filter(this::reachable).ifPresent(peer -> uploads.requested(frame, peer, nowNs));
            case HOLDING -> uploads.holding(frame, nowNs);
            case RELEASE -> {
                TensorKey key = frame.tensor();
                if (key.home() == self) {
                    store.release(key.id(), key.checksum(), key.bytes());
                    peer(frame.from())
                            .filter(this::reachable)
                            .ifPresent(peer -> say(peer, PlaneFrame.of(Kind.RELEASED, self, frame.from(), key)));
                }
            }
            case RELEASED -> releases.remove(frame.tensor());
        }
    }

    @Override
    public long self() {
        return self;
    }

    @Override
    public Optional<PlanePeer> peer(long number) {
        return Optional.ofNullable(roster.get(number));
    }

    @Override
    public String name(long number) {
        PlanePeer peer = roster.get(number);
        return peer == null ? left.getOrDefault(number, "node %016x".formatted(number)) : peer.node();
    }

    @Override
    public boolean hasLeft(long number) {
        return left.containsKey(number);
    }

    @Override
    public boolean reachable(PlanePeer peer) {
        return shared(peer) || (!here.address().isEmpty() && !peer.address().isEmpty());
    }

    @Override
    public boolean shared(PlanePeer peer) {
        return !here.driver().isEmpty() && here.driver().equals(peer.driver());
    }

    /** Returns empty while network faults are injected: they must affect every tensor. */
    @Override
    public Optional<SharedRead> sharedRead(TensorKey tensor) {
        return faultFree.getAsBoolean() ? exports.of(tensor) : Optional.empty();
    }

    @Override
    public boolean sameHost(PlanePeer peer) {
        return here.host().equals(peer.host());
    }

    @Override
    public @Nullable PlaneLink sharedLink() {
        return shared;
    }

    @Override
    public PlaneLink link(PlanePeer peer) {
        long number = PlaneFrame.number(peer.node());
        PlaneLink known = links.get(number);
        if (known != null) {
            return known;
        }
        PlaneLink link = shared(peer)
                ? link(PlaneDriver.channelToOne(settings), PlaneFrame.stream(number))
                : link(PlaneDriver.channelTo(peer.address(), settings), PlaneFrame.STREAM_OF_ALL);
        links.put(number, link);
        return link;
    }

    @Override
    public void say(PlanePeer peer, PlaneFrame frame) {
        link(peer).say(frame);
    }

    @Override
    public long nowNs() {
        return nowNs;
    }

    @Override
    public void account() {
        stats = new PlaneStats(
                transfers.bytesIn(), uploads.bytesOut(), transfers.count(), uploads.count(), 0, releases.size());
    }

    PlaneStats stats() {
        PlaneStats last = stats;
        return new PlaneStats(
                last.bytesIn(), last.bytesOut(), last.transfers(), last.uploads(), cache.bytes(), last.releases());
    }

    /**
     * Sets the fate of arriving messages, for tests and fault injection.
     *
     * @param none whether all messages currently arrive
     */
    void fate(Function<PlaneFrame, Fate> what, BooleanSupplier none) {
        fate = what;
        faultFree = none;
    }

    /** Returns the number of remembered nodes that are not among the peers; for tests. */
    int remembered() {
        return left.size() + transfers.heardOf(roster.keySet());
    }

    /** Sets whether arriving messages are ignored; for tests. */
    void deaf(boolean is) {
        deaf = is;
    }
}
