package darkroom.tensors;

import java.nio.file.Path;
import java.time.Duration;
import java.util.Optional;

/**
 * Settings of a node's tensor plane.
 *
 * @param transport allowed transports
 * @param driver directory of a running media driver shared with other processes; empty: an embedded driver
 * @param host address that is bound, and under which others reach this node; nothing listens elsewhere
 * @param port UDP port that is bound; 0 takes a free one
 * @param termBytes the longest term buffer, a power of two from 64 KiB to 1 GiB; at most half of one is in flight on a
 *     publication
 * @param chunkBytes tensor bytes in one message, a multiple of 64 up to {@link #CHUNK_BYTES_MAX}; a UDP datagram carries
 *     one. Between machines with packet loss, 8,128 costs less for each loss.
 * @param socketBytes requested size of each socket's buffers; a receiver's window is what the system grants
 * @param transfersMax tensors received at a time, and tensors sent at a time; {@link #WAITING_MAX} more wait
 * @param replicaBytesMax memory for tensors of other nodes, out of the store's budget
 * @param shown whether other processes of this machine can read the tensors in place
 * @param transferTimeout time for one tensor, including all waiting and retries
 * @param peerSilentAfter silence after which a peer that owes something is lost
 */
public record TensorPlaneSettings(
        Transport transport,
        Optional<Path> driver,
        String host,
        int port,
        int termBytes,
        int chunkBytes,
        int socketBytes,
        int transfersMax,
        long replicaBytesMax,
        boolean shown,
        Duration transferTimeout,
        Duration peerSilentAfter) {
    /** The most tensor bytes that fit an Aeron message of 65,504 bytes with both headers, in whole cache lines. */
    public static final int CHUNK_BYTES_MAX = 65_344;

    /** Transfers that may wait for one of {@link #transfersMax} to end. Further ones are refused. */
    public static final int WAITING_MAX = 4096;

    /**
     * The longest term between two nodes of one driver. A log has three; n nodes that all send to each other have n (n - 1)
     * logs.
     */
    static final int PAIR_TERM_BYTES_MAX = 1 << 20;

    /** The longest term on which a node sends to all nodes of its driver. */
    static final int ALL_TERM_BYTES_MAX = 4 << 20;

    /**
     * The longest term to a node of another driver: half of it, the most in flight, keeps 40 Gbit/s busy over 0.1 ms. A log
     * takes its memory when it is created, which must be quick.
     */
    static final int NETWORK_TERM_BYTES_MAX = 1 << 20;

    private static final int TERM_BYTES_MIN = 1 << 16;
    private static final int TERM_BYTES_MAX = 1 << 30;

    /** Transports between nodes. */
    public enum Transport {
        /** Shared memory where two nodes use one driver, UDP elsewhere. */
        AUTO,
        /** Shared memory only: no socket is opened, and nodes of other drivers are out of reach. */
        IPC,
        /** UDP only, also between nodes of one driver. */
        UDP
    }

    public TensorPlaneSettings {
        require(
                Integer.bitCount(termBytes) == 1 && termBytes >= TERM_BYTES_MIN && termBytes <= TERM_BYTES_MAX,
                "term length %d is not a power of two from 64 KiB to 1 GiB",
                termBytes);
        require(
                chunkBytes >= 64
                        && chunkBytes <= CHUNK_BYTES_MAX
                        && chunkBytes % 64 == 0
                        && chunkBytes <= termBytes / 16,
                "chunk bytes %d are not a multiple of 64 from 64 to 65344 and at most a 16th of a term",
                chunkBytes);
        require(port >= 0 && port < 1 << 16, "port %d is none", port);
        require(socketBytes >= 1 << 16, "socket buffers of %d bytes hold no message; at least 65536", socketBytes);
        require(transfersMax >= 1, "%d transfers at a time move nothing", transfersMax);
        require(replicaBytesMax >= 0, "%d bytes for replicas", replicaBytesMax);
        require(transferTimeout.isPositive(), "no time for a transfer: %s", transferTimeout);
        require(peerSilentAfter.isPositive(), "a peer is not silent after %s", peerSilentAfter);
    }

    /** Returns the length of a term between two nodes of one driver. */
    int pairTermBytes() {
        return Math.min(termBytes, PAIR_TERM_BYTES_MAX);
    }

    /** Returns the length of a term on which a node sends to all nodes of its driver. */
    int allTermBytes() {
        return Math.min(termBytes, ALL_TERM_BYTES_MAX);
    }

    /** Returns the length of a term to a node of another driver. */
    int networkTermBytes() {
        return Math.min(termBytes, NETWORK_TERM_BYTES_MAX);
    }

    /** Returns a copy with terms for which a place has room, and chunks that fit them. */
    TensorPlaneSettings within(long block) {
        int longest = Math.min(termBytes, PlaneMemory.termBytesMax(block));
        return new TensorPlaneSettings(
                transport,
                driver,
                host,
                port,
                longest,
                Math.min(chunkBytes, longest / 16 / 64 * 64),
                socketBytes,
                transfersMax,
                replicaBytesMax,
                shown,
                transferTimeout,
                peerSilentAfter);
    }

    private static void require(boolean holds, String otherwise, Object value) {
        if (!holds) {
            throw new IllegalArgumentException(otherwise.formatted(value));
        }
    }

    /**
     * Returns the defaults: every transport, an embedded driver, loopback only; ten seconds for a tensor, one for a silent
     * peer.
     */
    public static TensorPlaneSettings defaults(long replicaBytesMax) {
        return new TensorPlaneSettings(
                Transport.AUTO,
                Optional.empty(),
                "127.0.0.1",
                0,
                16 << 20,
                CHUNK_BYTES_MAX,
                4 << 20,
                8,
                replicaBytesMax,
                true,
                Duration.ofSeconds(10),
                Duration.ofSeconds(1));
    }

    /** Returns a copy with another transport. */
    public TensorPlaneSettings over(Transport other) {
        return changed(other, driver, termBytes, shown);
    }

    /** Returns a copy with the driver that runs in a directory. */
    public TensorPlaneSettings with(Path driverDirectory) {
        return changed(transport, Optional.of(driverDirectory), termBytes, shown);
    }

    /** Returns a copy with another term length. */
    public TensorPlaneSettings inTermsOf(int bytes) {
        return changed(transport, driver, bytes, shown);
    }

    /** Returns a copy without a shared tensor export. */
    public TensorPlaneSettings byMessages() {
        return changed(transport, driver, termBytes, false);
    }

    private TensorPlaneSettings changed(Transport way, Optional<Path> from, int inTermsOf, boolean show) {
        return new TensorPlaneSettings(
                way,
                from,
                host,
                port,
                inTermsOf,
                chunkBytes,
                socketBytes,
                transfersMax,
                replicaBytesMax,
                show,
                transferTimeout,
                peerSilentAfter);
    }
}
