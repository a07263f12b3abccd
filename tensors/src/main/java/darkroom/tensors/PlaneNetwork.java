package darkroom.tensors;

import java.util.Optional;
import org.jspecify.annotations.Nullable;

/** The other nodes, as seen by {@link Transfers} and {@link Uploads}. */
interface PlaneNetwork {
    /** Returns the number of this node. */
    long self();

    /** Returns the peer with a number; empty if it is not on the roster. */
    Optional<PlanePeer> peer(long number);

    /** Returns the name of a node, or its number where it has none. */
    String name(long number);

    /** Whether the node was on the roster and has left. */
    boolean hasLeft(long number);

    /** Whether a link to the peer exists. */
    boolean reachable(PlanePeer peer);

    /** Whether the peer is reached through shared memory: both use one driver. */
    boolean shared(PlanePeer peer);

    /** Whether the peer is on this machine. */
    boolean sameHost(PlanePeer peer);

    /** Opens a shared-memory read of a tensor that its home exports to this machine; empty if it does not. Closed once. */
    Optional<SharedTensorExports.SharedRead> sharedRead(PlaneFrame.TensorKey tensor);

    /** Returns the link to this peer alone. */
    PlaneLink link(PlanePeer peer);

    /** Returns the link that all nodes of this driver read; null if there is none. */
    @Nullable
    PlaneLink sharedLink();

    /** Sends a short message. */
    void say(PlanePeer peer, PlaneFrame frame);

    long nowNs();

    /** Updates the node's statistics with the work done so far. */
    void account();
}
