package darkroom.actors.run;

import darkroom.actors.workqueue.UnreliableWorkQueue;
import darkroom.tensors.OffHeapTensorStore;
import darkroom.tensors.PlanePeer;
import java.time.Duration;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/**
 * Carries tensors between the nodes of one world: late, lost or twice, as the network faults demand. Nodes die, and fall
 * silent for a while.
 */
public final class SimulatedNetwork {
    private final SimulatedWorld world;
    private final UnreliableWorkQueue.NetworkFaults networkFaults;
    private final Map<String, SimulatedTensorPlane> alive = new HashMap<>();
    private final Set<String> silent = new HashSet<>();

    public SimulatedNetwork(SimulatedWorld world, UnreliableWorkQueue.NetworkFaults networkFaults) {
        this.world = world;
        this.networkFaults = networkFaults;
    }

    /** Adds the node that owns the store; it reaches no other node until it knows its {@code peers}. */
    public SimulatedTensorPlane join(String node, OffHeapTensorStore store) {
        SimulatedTensorPlane plane = new SimulatedTensorPlane(node, store, this);
        alive.put(node, plane);
        return plane;
    }

    /** Removes the node with all its tensors. */
    public void die(String node) {
        alive.remove(node);
        silent.remove(node);
    }

    /** Drops all messages to and from the node. */
    public void silence(String node) {
        silent.add(node);
    }

    public void restore(String node) {
        silent.remove(node);
    }

    public boolean silent(String node) {
        return silent.contains(node);
    }

    boolean reaches(String from, String to) {
        return alive.containsKey(from) && alive.containsKey(to) && !silent.contains(from) && !silent.contains(to);
    }

    SimulatedWorld world() {
        return world;
    }

    /** Sends a message from one node to another and runs it there, if it arrives. */
    void carry(String from, String to, Word word) {
        if (!reaches(from, to)) {
            return;
        }
        for (int copy = networkFaults.copies(); copy > 0; copy--) {
            Duration late = Duration.ofNanos(networkFaults
                    .chance()
                    .nextLong(1 + networkFaults.lateAtMost().toNanos()));
            world.after(late, () -> Optional.ofNullable(silent.contains(to) ? null : alive.get(to))
                    .ifPresent(word::arrives));
        }
    }

    /** A message between planes. */
    @FunctionalInterface
    interface Word {
        void arrives(SimulatedTensorPlane there);
    }

    public static PlanePeer peer(String node) {
        return new PlanePeer(node, "one host", "", "", "", node + ":0");
    }

    /** Returns a roster without versions, of these nodes. */
    public static List<PlanePeer> peers(String... nodes) {
        return List.of(nodes).stream().map(SimulatedNetwork::peer).toList();
    }
}
