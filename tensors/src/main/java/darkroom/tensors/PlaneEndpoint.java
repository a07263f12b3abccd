package darkroom.tensors;

import io.aeron.Aeron;
import io.aeron.Subscription;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.agrona.concurrent.BackoffIdleStrategy;
import org.agrona.concurrent.IdleStrategy;
import org.agrona.concurrent.NanoClock;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The places where a node is reached: its subscriptions, its futex, and the shared tensor export that others read.
 *
 * @param here the address that other nodes get
 * @param addressed subscriptions with messages for this node
 * @param toAll subscription with messages for all nodes of the driver; null without shared memory
 * @param futex wakes this node; null without shared memory
 * @param export tensors that other processes may read; null if there are none
 */
record PlaneEndpoint(
        PlanePeer here,
        Aeron aeron,
        List<Subscription> addressed,
        @Nullable Subscription toAll,
        @Nullable PlaneFutex futex,
        @Nullable SharedTensorExport export) {
    private static final Logger LOG = LoggerFactory.getLogger(PlaneEndpoint.class);

    /** Longest sleep between two looks for the port. */
    private static final long PARK_MAX_NS = 1_000_000;

    /** Time in which the system chooses a port. */
    private static final long BIND_NS = 5_000_000_000L;

    PlaneEndpoint {
        addressed = List.copyOf(addressed);
    }

    /**
     * Opens the subscriptions of a node, and its export.
     *
     * @param aeron the client, which stays the caller's
     * @throws RuntimeException if the address cannot be bound
     */
    static PlaneEndpoint open(
            String node, TensorPlaneSettings settings, PlaneDriver driver, Aeron aeron, NanoClock clock) {
        boolean memory = settings.transport() != TensorPlaneSettings.Transport.UDP;
        boolean network = settings.transport() != TensorPlaneSettings.Transport.IPC;
        int stream = PlaneFrame.stream(PlaneFrame.number(node));
        List<Subscription> addressed = new ArrayList<>();
        Subscription toAll = null;
        if (memory) {
            addressed.add(aeron.addSubscription("aeron:ipc", stream));
            toAll = aeron.addSubscription("aeron:ipc?tether=false", PlaneFrame.STREAM_OF_ALL);
        }
        String address = "";
        if (network) {
            Subscription udp = aeron.addSubscription(PlaneDriver.channelOf(settings), PlaneFrame.STREAM_OF_ALL);
            addressed.add(udp);
            address = address(udp, aeron, clock);
        }
        SharedTensorExport export = memory && settings.shown()
                ? SharedTensorExport.open(
                                PlaneMemory.SHARED, PlaneMemory.leftByTensors(driver.directory()), driver.isShort())
                        .orElse(null)
                : null;
        try {
            PlanePeer here = new PlanePeer(
                    node,
                    host(memory),
                    memory ? driver.token() : "",
                    export == null ? "" : export.directory().toString(),
                    export == null ? "" : export.token(),
                    address);
            PlaneFutex futex =
                    memory ? PlaneFutex.open(driver.directory(), stream).orElse(null) : null;
            return new PlaneEndpoint(here, aeron, addressed, toAll, futex, export);
        } catch (RuntimeException e) {
            if (export != null) {
                export.close();
            }
            throw e;
        }
    }

    /** Returns the export, if tensors are exported. */
    Optional<SharedTensorExport> exported() {
        return Optional.ofNullable(export);
    }

    /** Whether the client or a subscription is closed. */
    boolean lost() {
        return aeron.isClosed()
                || addressed.stream().anyMatch(Subscription::isClosed)
                || (toAll != null && toAll.isClosed());
    }

    /** Waits until the system has chosen a port. */
    private static String address(Subscription udp, Aeron aeron, NanoClock clock) {
        IdleStrategy idle = new BackoffIdleStrategy(10, 20, 1_000, PARK_MAX_NS);
        long begun = clock.nanoTime();
        while (clock.nanoTime() - begun < BIND_NS) {
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
}
