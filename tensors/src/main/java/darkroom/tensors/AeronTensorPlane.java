package darkroom.tensors;

import darkroom.tensors.PlaneFrame.TensorKey;
import darkroom.tensors.ReplicaCache.Replica;
import darkroom.tensors.SharedTensorExports.SharedRead;
import io.aeron.Aeron;
import io.aeron.Subscription;
import io.aeron.exceptions.ConductorServiceTimeoutException;
import io.aeron.exceptions.DriverTimeoutException;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicReference;
import java.util.concurrent.atomic.LongAdder;
import java.util.concurrent.locks.LockSupport;
import java.util.function.Consumer;
import java.util.function.Function;
import org.agrona.concurrent.BackoffIdleStrategy;
import org.agrona.concurrent.IdleStrategy;
import org.agrona.concurrent.NanoClock;
import org.agrona.concurrent.UnsafeBuffer;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Moves tensors between nodes over Aeron: through shared memory where two nodes have proved that they use one media driver,
 * over UDP elsewhere. The receiver requests a tensor and re-requests missing bytes; the tensor's home sends chunks as there
 * is room. One thread does all the work and never blocks.
 *
 * <ul>
 *   <li><b>TP-1</b> Bytes that a stage makes readable match the checksum of their reference. Other bytes are fetched again
 *       and never delivered (promise P-6).
 *   <li><b>TP-2</b> Concurrent calls for one tensor share one transfer.
 *   <li><b>TP-3</b> A transfer ends with the tensor; as lost when its home reports that the tensor is missing, or has left;
 *       or as failed when the peer that owes it has been silent for {@code peerSilentAfter}, or the deadline has passed.
 *   <li><b>TP-4</b> An interrupted transfer resumes at its first missing byte, from the same peer or another one that has
 *       the tensor.
 *   <li><b>TP-5</b> Transfers, uploads, waiting calls and waiting messages are bounded. A receiver that does not read
 *       delays the sender and nothing else; a full queue fails the stage.
 *   <li><b>TP-6</b> Replicas take at most {@code replicaBytesMax} of the store's budget; the least recently used one is
 *       evicted. A replica that is being sent, or that an unfinished call has requested, stays.
 *   <li><b>TP-7</b> A release reaches the home as long as the home is on the roster, and counts once.
 *   <li><b>TP-8</b> Adoption takes all or nothing: originals are released once every copy is a tensor of this node.
 *   <li><b>TP-9</b> Receivers of one driver that request a tensor concurrently cost one pass over it.
 *   <li><b>TP-10</b> A home sends a tensor of a mebibyte or more to at most two other drivers at a time; later receivers
 *       get it from a peer that has it, preferably on their own machine.
 *   <li><b>TP-11</b> Memory lent to an operation is given back exactly once, however the operation ends.
 *   <li><b>TP-12</b> A tensor in the shared tensor export of another process of this machine is read there, without
 *       messages. The read counts only if the tensor was still exported after the last byte was read; otherwise the home is
 *       asked.
 *   <li><b>TP-13</b> Memory is shared only with a node whose token this process has read in it. Names of directories and
 *       processes prove nothing, since containers share them.
 * </ul>
 */
public final class AeronTensorPlane implements TensorPlane, AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(AeronTensorPlane.class);
    private static final long PARK_MAX_NS = 1_000_000;

    /** Limit for a shared-memory read on the caller's own thread; up to here it is faster than asking another thread. */
    private static final long SHARED_READ_BYTES_MAX = 1 << 20;

    private final OffHeapTensorStore own;
    private final ReplicaCache cache;
    private final TensorStore view = new View();
    private final PlanePeer here;
    private final PlaneDriver driver;
    private final Aeron aeron;
    private final PlaneAgent agent;
    private final NanoClock clock;
    private final int chunkBytes;
    private final Map<TensorKey, Joined> underWay = new ConcurrentHashMap<>();
    private final AtomicReference<@Nullable String> lost = new AtomicReference<>();
    private final CompletableFuture<String> gone = new CompletableFuture<>();
    private final @Nullable PlaneFutex futex;
    private final SharedTensorExports exports;
    private final @Nullable SharedTensorExport export;
    private final LongAdder bytesReadShared = new LongAdder();
    private final Thread thread;
    private volatile boolean closing;
    private volatile boolean ended;

    private AeronTensorPlane(
            String node, OffHeapTensorStore store, TensorPlaneSettings settings, NanoClock clock, PlaneDriver driver) {
        this.own = store;
        this.clock = clock;
        this.driver = driver;
        this.chunkBytes = settings.chunkBytes();
        this.cache = new ReplicaCache(store, settings.replicaBytesMax());
        this.exports = new SharedTensorExports(clock);
        this.aeron = driver.connect(this::failed);
        boolean memory = settings.transport() != TensorPlaneSettings.Transport.UDP;
        boolean network = settings.transport() != TensorPlaneSettings.Transport.IPC;
        SharedTensorExport shown = null;
        try {
            List<Subscription> addressed = new ArrayList<>();
            Subscription toAll = null;
            if (memory) {
                addressed.add(aeron.addSubscription("aeron:ipc", PlaneFrame.stream(PlaneFrame.number(node))));
                toAll = aeron.addSubscription("aeron:ipc?tether=false", PlaneFrame.STREAM_OF_ALL);
            }
            String address = "";
            if (network) {
                Subscription udp = aeron.addSubscription(PlaneDriver.channelOf(settings), PlaneFrame.STREAM_OF_ALL);
                addressed.add(udp);
                address = address(udp);
            }
            shown = memory && settings.shown()
                    ? SharedTensorExport.open(
                                    PlaneMemory.SHARED, PlaneMemory.leftByTensors(driver.directory()), driver.isShort())
                            .orElse(null)
                    : null;
            this.export = shown;
            this.here = new PlanePeer(
                    node,
                    host(memory),
                    memory ? driver.token() : "",
                    shown == null ? "" : shown.directory().toString(),
                    shown == null ? "" : shown.token(),
                    address);
            this.futex = memory
                    ? PlaneFutex.open(driver.directory(), PlaneFrame.stream(PlaneFrame.number(node)))
                            .orElse(null)
                    : null;
            this.agent = new PlaneAgent(here, settings, aeron, addressed, toAll, futex, store, cache, exports, clock);
        } catch (RuntimeException e) {
            if (shown != null) {
                shown.close();
            }
            aeron.close();
            throw e;
        }
        if (export != null) {
            store.show(export);
        }
        this.thread = Thread.ofPlatform().name("tensor-plane-" + node).daemon().unstarted(this::run);
    }

    /**
     * Starts the tensor plane of a node. No peer is contacted before {@link #peers} has named it.
     *
     * @param node name of this node, which is that of the store
     * @param clock monotonic; for deadlines only
     * @throws PlaneUnavailableException if the driver has no room or is not running
     * @throws RuntimeException if the address cannot be bound
     */
    public static AeronTensorPlane open(
            String node, OffHeapTensorStore store, TensorPlaneSettings settings, NanoClock clock) {
        if (!store.home().equals(node)) {
            throw new IllegalArgumentException("the store of %s is not that of %s".formatted(store.home(), node));
        }
        PlaneDriver driver = PlaneDriver.open(settings, AeronTensorPlane::logged);
        try {
            AeronTensorPlane plane = new AeronTensorPlane(node, store, driver.settings(), clock, driver);
            plane.thread.start();
            return plane;
        } catch (RuntimeException e) {
            driver.close();
            throw e;
        }
    }

    /** A transfer's replica and the number of calls that wait for it. */
    private static final class Joined {
        final CompletableFuture<Replica> replica = new CompletableFuture<>();
        int calls = 1; // guarded by the map's entry
    }

    /**
     * Returns the directory of the media driver, which other planes of this machine may share; empty if this plane is
     * reached by UDP only.
     */
    public Optional<Path> driverDirectory() {
        return here.driver().isEmpty() ? Optional.empty() : Optional.of(driver.directory());
    }

    /** Returns the address under which other nodes reach this one. */
    public PlanePeer peer() {
        return here;
    }

    /** Replaces the roster. Nodes that are no longer on it have left, and their tensors are lost. */
    public void peers(Collection<PlanePeer> roster) {
        List<PlanePeer> now = List.copyOf(roster);
        if (!call(() -> agent.roster(now)) && !closing) {
            LOG.error("{} calls wait for the plane of {}: a roster is lost", PlaneAgent.CALLS_MAX, here.node());
        }
    }

    /**
     * Sets a listener that is notified once, with the reason, when the driver or the client is gone; the plane is then
     * closed and must be opened again.
     */
    public void onLost(Consumer<String> listener) {
        CompletionStage<String> once = gone;
        once.thenAccept(listener);
    }

    /** Returns transfer counters and current holdings. */
    public PlaneStats stats() {
        return agent.stats().withMore(bytesReadShared.sum());
    }

    @Override
    public TensorStore store() {
        return view;
    }

    @Override
    public CompletionStage<Void> bring(Collection<TensorRef> tensors) {
        CompletableFuture<Void> brought = new CompletableFuture<>();
        fetched(tensors).whenComplete((replicas, why) -> {
            if (replicas == null) {
                brought.completeExceptionally(why);
            } else {
                replicas.values().forEach(cache::unwanted);
                brought.complete(null);
            }
        });
        return brought;
    }

    @Override
    public CompletionStage<List<TensorRef>> adopt(List<TensorRef> tensors) {
        List<TensorRef> originals = List.copyOf(tensors);
        Optional<List<TensorRef>> fromSharedMemory = adoptFromSharedMemory(originals);
        if (fromSharedMemory.isPresent()) {
            return CompletableFuture.completedStage(fromSharedMemory.get());
        }
        CompletableFuture<List<TensorRef>> adopted = new CompletableFuture<>();
        fetched(originals).whenComplete((replicas, why) -> {
            if (replicas == null) {
                adopted.completeExceptionally(why); // TP-8
                return;
            }
            Map<TensorRef, TensorRef> taken = new HashMap<>();
            for (Replica replica : replicas.values()) {
                cache.own(replica).ifPresent(copy -> taken.put(replica.ref(), copy));
            }
            replicas.values().forEach(cache::unwanted);
            if (taken.size() < replicas.size()) {
                taken.values().forEach(own::release); // TP-8
                adopted.completeExceptionally(new TensorLostException(
                        tensors.getFirst(), "another call on %s has adopted the same tensor".formatted(here.node())));
                return;
            }
            releaseAtHome(taken.keySet().stream().map(TensorKey::of).toList());
            adopted.complete(
                    originals.stream().map(ref -> taken.getOrDefault(ref, ref)).toList());
        });
        return adopted;
    }

    /** Returns empty, taking nothing, unless all are here or small and exported by other processes of this machine (TP-8). */
    private Optional<List<TensorRef>> adoptFromSharedMemory(List<TensorRef> originals) {
        Map<TensorKey, TensorRef> taken = new HashMap<>();
        List<TensorRef> all = new ArrayList<>(originals.size());
        boolean complete = false;
        try {
            for (TensorRef ref : originals) {
                if (ref.home().equals(here.node())) {
                    all.add(ref);
                    continue;
                }
                TensorKey key = TensorKey.of(ref);
                Optional<TensorRef> copy = Optional.ofNullable(taken.get(key)).or(() -> copyFromSharedMemory(ref, key));
                if (copy.isEmpty()) {
                    return Optional.empty();
                }
                taken.put(key, copy.get());
                all.add(copy.get());
            }
            complete = true;
        } finally {
            if (!complete) {
                taken.values().forEach(own::release);
            }
        }
        taken.keySet().forEach(key -> bytesReadShared.add(key.bytes()));
        releaseAtHome(taken.keySet());
        return Optional.of(List.copyOf(all));
    }

    private Optional<TensorRef> copyFromSharedMemory(TensorRef ref, TensorKey key) {
        Optional<SharedRead> shown = openSharedRead(key);
        if (shown.isEmpty()) {
            return Optional.empty();
        }
        try (SharedRead sharedRead = shown.get()) {
            OffHeapTensorStore.Block block = cache.withBlock(() -> own.lend(key.bytes()));
            boolean whole = false;
            try {
                whole = sharedRead.copyTo(block.memory(key.bytes())); // TP-1, TP-12
            } finally {
                if (!whole) {
                    own.giveBack(block); // TP-11
                }
            }
            return whole ? Optional.of(own.seal(block, ref)) : Optional.empty();
        } catch (TensorStoreFullException full) {
            return Optional.empty();
        }
    }

    /** Returns the shared-memory read of a tensor that the caller's own thread may read. */
    private Optional<SharedRead> openSharedRead(TensorKey key) {
        return closing || key.bytes() > SHARED_READ_BYTES_MAX ? Optional.empty() : agent.sharedRead(key);
    }

    /**
     * Reads a tensor in place, without keeping a copy. The reader runs on a thread of the plane, or on the caller's thread
     * if the tensor is here; if it throws, the stage fails with that exception.
     */
    public CompletionStage<Void> readInPlace(TensorRef ref, ChunkReader reader) {
        CompletableFuture<Void> read = new CompletableFuture<>();
        TensorKey key = TensorKey.of(ref);
        boolean mine = ref.home().equals(here.node());
        if (mine || cache.pinned(key).map(block -> unpinned(block)).isPresent()) {
            try {
                chunks(view.read(ref), reader);
                read.complete(null);
            } catch (RuntimeException e) {
                read.completeExceptionally(e);
            }
            return read;
        }
        begin(List.of(Transfer.past(reader, ref, clock.nanoTime(), new Transfer.Outcome() {
            @Override
            public void landed() {
                read.complete(null);
            }

            @Override
            public void failed(RuntimeException why) {
                read.completeExceptionally(why);
            }
        })));
        return read;
    }

    /** Frees the memory of replicas before it is needed. Their homes keep owning the tensors. */
    public void forget(Collection<TensorRef> tensors) {
        tensors.stream()
                .filter(ref -> !ref.home().equals(here.node()))
                .map(TensorKey::of)
                .forEach(cache::drop);
    }

    private static OffHeapTensorStore.Block unpinned(OffHeapTensorStore.Block block) {
        block.unpin();
        return block;
    }

    private void chunks(MemorySegment bytes, ChunkReader reader) {
        UnsafeBuffer chunk = new UnsafeBuffer(0, 0);
        for (long offset = 0; offset < bytes.byteSize(); offset += chunkBytes) {
            int length = (int) Math.min(chunkBytes, bytes.byteSize() - offset);
            chunk.wrap(bytes.address() + offset, length);
            reader.read(offset, chunk, 0, length);
        }
    }

    /** Fetches every tensor of another node among these into the cache, marked as wanted once; fails with the first error. */
    private CompletionStage<Map<TensorRef, Replica>> fetched(Collection<TensorRef> tensors) {
        Set<TensorRef> remote = new LinkedHashSet<>(tensors);
        remote.removeIf(ref -> ref.home().equals(here.node()));
        Map<TensorRef, CompletableFuture<Replica>> each = new HashMap<>();
        List<Transfer> fresh = new ArrayList<>();
        remote.forEach(ref -> each.put(ref, fetch(ref, fresh)));
        if (!fresh.isEmpty()) {
            begin(fresh);
        }
        CompletableFuture<Map<TensorRef, Replica>> all = new CompletableFuture<>();
        for (CompletionStage<Replica> one : each.values()) {
            one.whenComplete((_, why) -> {
                if (why != null) {
                    all.completeExceptionally(why);
                }
            });
        }
        CompletionStage<Void> ended = CompletableFuture.allOf(each.values().toArray(CompletableFuture[]::new));
        ended.whenComplete((_, _) -> {
            Map<TensorRef, Replica> replicas = new HashMap<>();
            each.forEach((ref, one) -> {
                if (!one.isCompletedExceptionally()) {
                    replicas.put(ref, one.join());
                }
            });
            if (replicas.size() < each.size() || !all.complete(replicas)) {
                replicas.values().forEach(cache::unwanted); // TP-11
            }
        });
        return all;
    }

    /**
     * @param fresh receives the transfer, if another one is needed
     */
    private CompletableFuture<Replica> fetch(TensorRef ref, List<Transfer> fresh) {
        TensorKey key = TensorKey.of(ref);
        CompletableFuture<Replica> here = new CompletableFuture<>();
        List<Joined> first = new ArrayList<>(1);
        Joined joined = underWay.compute(key, (_, now) -> {
            if (now != null) {
                now.calls++; // TP-2
                return now;
            }
            Optional<Replica> present = cache.wanted(key);
            if (present.isPresent()) {
                here.complete(present.get());
                return null;
            }
            Joined one = new Joined();
            first.add(one);
            return one;
        });
        if (joined == null) {
            return here;
        }
        if (!first.isEmpty()) {
            start(ref, key, joined, fresh);
        }
        return joined.replica;
    }

    private void start(TensorRef ref, TensorKey key, Joined joined, List<Transfer> fresh) {
        OffHeapTensorStore.Block block;
        try {
            block = cache.block(ref.bytes());
        } catch (TensorStoreFullException full) {
            underWay.remove(key);
            joined.replica.completeExceptionally(full); // TP-5
            return;
        }
        fresh.add(Transfer.into(block.memory(ref.bytes()), ref, clock.nanoTime(), new Transfer.Outcome() {
            @Override
            public void landed() {
                List<Replica> placed = new ArrayList<>(1);
                underWay.compute(key, (_, _) -> {
                    placed.add(cache.place(ref, block, joined.calls));
                    return null;
                });
                joined.replica.complete(placed.getFirst());
            }

            @Override
            public void failed(RuntimeException why) {
                underWay.remove(key);
                cache.giveBack(block, ref.bytes()); // TP-11
                joined.replica.completeExceptionally(why);
            }
        }));
    }

    private void begin(List<Transfer> all) {
        List<Transfer> transfers =
                all.stream().filter(transfer -> !readFromSharedMemory(transfer)).toList();
        if (transfers.isEmpty()) {
            return;
        }
        if (underWay.size() > TensorPlaneSettings.WAITING_MAX || !call(() -> transfers.forEach(agent::begin))) {
            for (Transfer transfer : transfers) {
                transfer.outcome.failed(new TensorTransferException("tensor %d of %s is not fetched: %s"
                        .formatted(
                                transfer.ref.id(),
                                transfer.ref.home(),
                                closing ? "the plane is closed" : "too many transfers wait"))); // TP-5
            }
        }
    }

    /** Returns whether the transfer ended at once: the tensor is small and was read in another process's export. */
    private boolean readFromSharedMemory(Transfer transfer) {
        Optional<SharedRead> sharedRead = openSharedRead(transfer.key);
        if (sharedRead.isEmpty()) {
            return false;
        }
        transfer.lookAt(sharedRead.get());
        RuntimeException failure = null;
        try {
            transfer.look(SHARED_READ_BYTES_MAX);
        } catch (RuntimeException reader) {
            failure = reader;
        }
        boolean still = transfer.lookAway();
        if (failure == null && still && transfer.checksum() == transfer.key.checksum()) {
            bytesReadShared.add(transfer.key.bytes());
            transfer.outcome.landed();
            return true;
        }
        if (failure == null && transfer.repeatable()) {
            transfer.forget(); // TP-12
            return false;
        }
        transfer.outcome.failed(failure == null ? Transfers.releasedMeanwhile(transfer) : failure);
        return true;
    }

    private void releaseAtHome(Collection<TensorKey> tensors) {
        List<TensorKey> keys = List.copyOf(tensors);
        keys.forEach(cache::drop);
        if (!keys.isEmpty() && !call(() -> keys.forEach(agent::release)) && !closing) {
            LOG.warn("releases of {} are not sent: too many calls wait", keys);
        }
    }

    private boolean call(Runnable call) {
        if (closing || !agent.call(call)) {
            return false;
        }
        wake();
        if (ended) { // after the last round
            end();
        }
        return true;
    }

    private void wake() {
        if (futex == null) {
            LockSupport.unpark(thread);
        } else {
            futex.ring();
        }
    }

    private void run() {
        PlanePause pause = new PlanePause(futex, clock);
        try {
            while (!closing && lost.get() == null) {
                if (pause.round(agent) == 0 && agent.lost()) {
                    lost.compareAndSet(null, "the client was closed");
                }
            }
        } catch (RuntimeException | InternalError broken) { // InternalError: mapped memory is gone
            LOG.error("the tensor plane of {} is broken", here.node(), broken);
            lost.compareAndSet(null, broken.toString());
        }
        closing = true;
        ended = true;
        end();
        String why = lost.get();
        if (why != null) {
            gone.complete(why);
        }
    }

    private synchronized void end() {
        String why = lost.get();
        agent.failAll(new TensorTransferException(
                "the tensor plane of %s is closed%s".formatted(here.node(), why == null ? "" : ": " + why)));
    }

    private void failed(Throwable error) {
        logged(error);
        if (error instanceof DriverTimeoutException || error instanceof ConductorServiceTimeoutException) {
            lost.compareAndSet(null, error.toString());
        }
    }

    private static void logged(Throwable error) {
        LOG.warn("Aeron: {}", error.toString());
        LOG.debug("Aeron", error);
    }

    /** Waits until the system has chosen a port. */
    private String address(Subscription udp) {
        IdleStrategy idle = new BackoffIdleStrategy(10, 20, 1_000, PARK_MAX_NS);
        long begun = clock.nanoTime();
        while (clock.nanoTime() - begun < 5_000_000_000L) {
            aeron.conductorAgentInvoker().invoke();
            String endpoint = udp.resolvedEndpoint();
            if (endpoint != null) {
                return endpoint;
            }
            idle.idle();
        }
        throw new TensorTransferException("no UDP port could be bound: " + udp.channel());
    }

    /**
     * Returns the identity of the machine: its boot ID and, without shared memory, the network namespace. If the system
     * does not report them, the node is alone on its machine.
     */
    private static String host(boolean memory) {
        try {
            String boot =
                    Files.readString(Path.of("/proc/sys/kernel/random/boot_id")).strip();
            return memory ? boot : boot + "/" + Files.readSymbolicLink(Path.of("/proc/self/ns/net"));
        } catch (IOException e) {
            LOG.debug("this machine has no boot id", e);
            return Token.create();
        }
    }

    /** Ends all transfers and uploads and gives replicas back; the store stays open. */
    @Override
    public void close() {
        closing = true;
        wake();
        boolean interrupted = false;
        while (thread.isAlive() && Thread.currentThread() != thread) {
            try {
                thread.join();
            } catch (InterruptedException e) {
                interrupted = true;
            }
        }
        if (interrupted) {
            Thread.currentThread().interrupt();
        }
        if (export != null) {
            own.showNoMore();
            export.close();
        }
        aeron.close();
        driver.close();
        cache.clear();
        exports.close();
    }

    /** Sets the faults that are injected into arriving messages. */
    public void networkFaults(NetworkFaults networkFaults) {
        agent.fate(
                frame -> networkFaults.fate(
                        agent.name(frame.from()), frame.kind() == PlaneFrame.Kind.DATA ? frame.bytes() : 0),
                networkFaults::isFaultFree);
    }

    /** Sets the fate of arriving messages; for tests. */
    void fate(Function<PlaneFrame, NetworkFaults.Fate> fate) {
        agent.fate(fate, () -> false);
    }

    /** Returns the number of remembered nodes that are not among the peers; for tests. */
    CompletionStage<Integer> remembered() {
        CompletableFuture<Integer> count = new CompletableFuture<>();
        if (!call(() -> count.complete(agent.remembered()))) {
            count.completeExceptionally(new TensorTransferException("too many calls wait"));
        }
        return count;
    }

    /** Sets whether this node ignores everything that arrives; for tests. */
    void deaf(boolean is) {
        agent.deaf(is);
    }

    /** The readable tensors of this node: its own and replicas. */
    private final class View implements TensorStore {
        @Override
        public TensorRef put(TensorRef.ElementType type, List<Integer> shape, Consumer<MemorySegment> filler) {
            return cache.withBlock(() -> own.put(type, shape, filler));
        }

        @Override
        public MemorySegment read(TensorRef ref) {
            if (ref.home().equals(here.node())) {
                return own.read(ref);
            }
            OffHeapTensorStore.Block block = cache.pinned(TensorKey.of(ref))
                    .orElseThrow(() -> new TensorLostException(
                            ref,
                            "tensor %d %s of %s was not brought to %s, or had to make room"
                                    .formatted(ref.id(), ref.shape(), ref.home(), here.node())));
            try {
                return OffHeapTensorStore.verified(ref, block, here.node());
            } finally {
                block.unpin();
            }
        }

        @Override
        public void release(TensorRef ref) {
            if (ref.home().equals(here.node())) {
                own.release(ref);
                return;
            }
            releaseAtHome(List.of(TensorKey.of(ref)));
        }

        @Override
        public long bytesHeld() {
            return own.bytesHeld();
        }
    }
}
