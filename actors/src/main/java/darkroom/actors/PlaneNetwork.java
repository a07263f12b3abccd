package darkroom.actors;

import java.util.Optional;
import org.jspecify.annotations.Nullable;

/** The other nodes, as the two halves of a plane see them. */
interface PlaneNetwork {
    /** Number of this node. */
    long self();

    /** Empty if there is no such node now. */
    Optional<PlanePeer> peer(long number);

    /** Name of a node, or its number where it has none. */
    String name(long number);

    /** Whether it was there and is not. */
    boolean hasLeft(long number);

    /** Whether there is a way to it. */
    boolean reachable(PlanePeer peer);

    /** Whether it is reached through shared memory: both use one driver. */
    boolean shared(PlanePeer peer);

    /** Whether it is on this machine. */
    boolean sameHost(PlanePeer peer);

    /** What a tensor's home shows of it to this machine; empty if nothing. To be closed once. */
    Optional<TensorWindows.Sight> sight(PlaneFrame.TensorKey tensor);

    /** The way to it alone. */
    PlaneLink link(PlanePeer peer);

    /** The way that all nodes of this driver read; null where there is none. */
    @Nullable
    PlaneLink sharedLink();

    /** Says something short. */
    void say(PlanePeer peer, PlaneFrame frame);

    long nowNs();

    /** What has been done shows in the node's figures from here on. */
    void account();
}
