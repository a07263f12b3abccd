package darkroom.tensors;

import static org.assertj.core.api.Assertions.assertThat;

import darkroom.tensors.TensorPlaneSettings.Transport;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.SplittableRandom;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.locks.LockSupport;
import java.util.function.BooleanSupplier;
import java.util.function.UnaryOperator;
import org.agrona.concurrent.SystemNanoClock;

/** Planes of several nodes in this process, all on one roster. */
final class PlaneFleet implements AutoCloseable {
    static final long BYTES_MAX = 64 << 20;
    private static final Duration PATIENCE = Duration.ofSeconds(20);

    private final Map<String, AeronTensorPlane> planes = new LinkedHashMap<>();
    private final Map<String, OffHeapTensorStore> stores = new LinkedHashMap<>();
    private final AtomicLong aheadNs = new AtomicLong();

    /** Creates nodes that reach each other by the transport; over shared memory with one driver, which is the first one's. */
    static PlaneFleet of(Transport transport, String... nodes) {
        return of(settings -> settings.over(transport), nodes);
    }

    static PlaneFleet of(UnaryOperator<TensorPlaneSettings> changes, String... nodes) {
        PlaneFleet fleet = new PlaneFleet();
        for (String node : nodes) {
            fleet.join(node, changes);
        }
        fleet.know();
        return fleet;
    }

    /** Adds a node, which nobody knows yet. */
    AeronTensorPlane join(String node, UnaryOperator<TensorPlaneSettings> changes) {
        TensorPlaneSettings settings =
                changes.apply(TensorPlaneSettings.defaults(BYTES_MAX / 2).byMessages());
        if (settings.transport() == Transport.IPC && !planes.isEmpty()) {
            settings = settings.with(
                    planes.values().iterator().next().driverDirectory().orElseThrow());
        }
        OffHeapTensorStore store = new OffHeapTensorStore(node, BYTES_MAX);
        stores.put(node, store);
        AeronTensorPlane plane =
                AeronTensorPlane.open(node, store, settings, () -> SystemNanoClock.INSTANCE.nanoTime() + aheadNs.get());
        planes.put(node, plane);
        return plane;
    }

    /** Announces all nodes to each other. */
    void know() {
        List<PlanePeer> roster =
                planes.values().stream().map(AeronTensorPlane::peer).toList();
        planes.values().forEach(plane -> plane.peers(roster));
    }

    /** Announces these other nodes to one node. */
    void knows(String node, PlanePeer... others) {
        plane(node).peers(List.of(others));
    }

    /** Ends the node without notice. */
    void vanish(String node) {
        Objects.requireNonNull(planes.remove(node), node).close();
    }

    /** Acts as if all nodes had been idle for this long. */
    void idle(Duration time) {
        aheadNs.addAndGet(time.toNanos());
    }

    AeronTensorPlane plane(String node) {
        return Objects.requireNonNull(planes.get(node), node);
    }

    OffHeapTensorStore store(String node) {
        return Objects.requireNonNull(stores.get(node), node);
    }

    /** Stores a tensor of seeded bytes. */
    TensorRef put(String node, int bytes, long seed) {
        return plane(node).store().put(TensorRef.ElementType.UINT8, List.of(bytes), to -> fill(to, seed));
    }

    static void fill(MemorySegment to, long seed) {
        byte[] random = new byte[(int) to.byteSize()];
        new SplittableRandom(seed).nextBytes(random);
        MemorySegment.copy(random, 0, to, ValueLayout.JAVA_BYTE, 0, random.length);
    }

    static byte[] bytes(int length, long seed) {
        byte[] random = new byte[length];
        new SplittableRandom(seed).nextBytes(random);
        return random;
    }

    byte[] read(String node, TensorRef ref) {
        return plane(node).store().read(ref).toArray(ValueLayout.JAVA_BYTE);
    }

    void bring(String node, TensorRef... refs) {
        answer(plane(node).bring(List.of(refs)));
    }

    static <T> T answer(CompletionStage<T> stage) {
        try {
            return stage.toCompletableFuture().get(PATIENCE.toSeconds(), TimeUnit.SECONDS);
        } catch (ExecutionException e) {
            if (e.getCause() instanceof RuntimeException failure) {
                throw failure;
            }
            throw new IllegalStateException(e);
        } catch (InterruptedException | TimeoutException e) {
            throw new IllegalStateException(e);
        }
    }

    static void until(String reason, BooleanSupplier holds) {
        long begun = System.nanoTime();
        while (!holds.getAsBoolean()) {
            assertThat(System.nanoTime() - begun).as(reason).isLessThan(PATIENCE.toNanos());
            LockSupport.parkNanos(1_000_000);
        }
    }

    /** Ends all nodes, and asserts that only memory owned by tests is left. */
    @Override
    public void close() {
        List<AeronTensorPlane> last = new ArrayList<>(planes.values());
        last.reversed().forEach(AeronTensorPlane::close);
        stores.forEach((node, store) -> {
            assertThat(store.bytesLent()).as("bytes lent by " + node).isZero(); // TP-11
            store.close();
            assertThat(store.bytesMapped()).as("bytes mapped by " + node).isZero();
        });
    }
}
