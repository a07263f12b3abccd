package darkroom.tensors;

import darkroom.tensors.PlaneFrame.TensorKey;
import darkroom.tensors.ReplicaCache.Replica;
import io.aeron.Aeron;
import java.lang.foreign.MemorySegment;
import java.nio.file.Path;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.function.Consumer;
import java.util.function.Function;
import org.agrona.concurrent.NanoClock;
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

    private final OffHeapTensorStore own;
    private final ReplicaCache cache;
    private final TensorStore view = new View();
    private final PlanePeer here;
    private final PlaneDriver driver;
    private final PlaneEndpoint endpoint;
    private final PlaneAgent agent;
    private final SharedTensorExports exports;
    private final SharedMemoryReads sharedReads;
    private final ReplicaFetches fetches;
    private final PlaneLife life = new PlaneLife();
    private final PlaneThread thread;

    private AeronTensorPlane(
            String node, OffHeapTensorStore store, TensorPlaneSettings settings, NanoClock clock, PlaneDriver driver) {
        this.own = store;
        this.driver = driver;
        this.cache = new ReplicaCache(store, settings.replicaBytesMax());
        this.exports = new SharedTensorExports(clock);
        Aeron aeron = driver.connect(life::failed);
        PlaneEndpoint opened = null;
        try {
            opened = PlaneEndpoint.open(node, settings, driver, aeron, clock);
            this.agent = new PlaneAgent(opened, settings, store, cache, exports, clock);
        } catch (RuntimeException e) {
            if (opened != null) {
                opened.exported().ifPresent(SharedTensorExport::close);
            }
            aeron.close();
            throw e;
        }
        this.endpoint = opened;
        this.here = opened.here();
        this.thread = new PlaneThread(node, agent, life, opened.futex(), clock);
        this.sharedReads =
                new SharedMemoryReads(key -> life.running() ? agent.sharedRead(key) : Optional.empty(), store, cache);
        this.fetches = new ReplicaFetches(node, cache, this::begin, clock);
        opened.exported().ifPresent(store::show);
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
        PlaneDriver driver = PlaneDriver.open(settings, PlaneLife::logged);
        try {
            AeronTensorPlane plane = new AeronTensorPlane(node, store, driver.settings(), clock, driver);
            plane.thread.start();
            return plane;
        } catch (RuntimeException e) {
            driver.close();
            throw e;
        }
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
        if (!thread.call(() -> agent.roster(now)) && thread.running()) {
            LOG.error("{} calls wait for the plane of {}: a roster is lost", PlaneAgent.CALLS_MAX, here.node());
        }
    }

    /**
     * Sets a listener that is notified once, with the reason, when the driver or the client is gone; the plane is then
     * closed and must be opened again.
     */
    public void onLost(Consumer<String> listener) {
        life.onLost(listener);
    }

    /** Returns transfer counters and current holdings. */
    public PlaneStats stats() {
        return agent.stats().withMore(sharedReads.bytesRead());
    }

    @Override
    public TensorStore store() {
        return view;
    }

    @Override
    public CompletionStage<Void> bring(Collection<TensorRef> tensors) {
        CompletableFuture<Void> brought = new CompletableFuture<>();
        fetches.fetch(tensors).whenComplete((replicas, why) -> {
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
        Optional<Map<TensorKey, TensorRef>> copies =
                sharedReads.copyAll(originals.stream().filter(ref -> !mine(ref)).toList());
        if (copies.isPresent()) {
            releaseAtHome(copies.get().keySet());
            return CompletableFuture.completedStage(originals.stream()
                    .map(ref -> mine(ref) ? ref : copies.get().get(TensorKey.of(ref)))
                    .toList());
        }
        CompletableFuture<List<TensorRef>> adopted = new CompletableFuture<>();
        fetches.fetch(originals).whenComplete((replicas, why) -> {
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

    /** Frees the memory of replicas before it is needed. Their homes keep owning the tensors. */
    public void forget(Collection<TensorRef> tensors) {
        tensors.stream().filter(ref -> !mine(ref)).map(TensorKey::of).forEach(cache::drop);
    }

    private boolean mine(TensorRef ref) {
        return ref.home().equals(here.node());
    }

    private void begin(List<Transfer> all) {
        List<Transfer> transfers =
                all.stream().filter(transfer -> !sharedReads.complete(transfer)).toList();
        if (transfers.isEmpty()) {
            return;
        }
        if (fetches.count() > TensorPlaneSettings.WAITING_MAX || !thread.call(() -> transfers.forEach(agent::begin))) {
            for (Transfer transfer : transfers) {
                transfer.outcome.failed(new TensorTransferException("tensor %d of %s is not fetched: %s"
                        .formatted(
                                transfer.ref.id(),
                                transfer.ref.home(),
                                thread.running() ? "too many transfers wait" : "the plane is closed"))); // TP-5
            }
        }
    }

    private void releaseAtHome(Collection<TensorKey> tensors) {
        List<TensorKey> keys = List.copyOf(tensors);
        keys.forEach(cache::drop);
        if (!keys.isEmpty() && !thread.call(() -> keys.forEach(agent::release)) && thread.running()) {
            LOG.warn("releases of {} are not sent: too many calls wait", keys);
        }
    }

    /** Ends all transfers and uploads and gives replicas back; the store stays open. */
    @Override
    public void close() {
        thread.close();
        endpoint.exported().ifPresent(export -> {
            own.showNoMore();
            export.close();
        });
        endpoint.aeron().close();
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
        if (!thread.call(() -> count.complete(agent.remembered()))) {
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
            if (mine(ref)) {
                return own.read(ref);
            }
            BlockPool.Block block = cache.pinned(TensorKey.of(ref))
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
            if (mine(ref)) {
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
