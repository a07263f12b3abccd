package darkroom.actors;

import java.time.Duration;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/**
 * What carries tensors between the nodes of one world: late, lost or twice, as the weather says. Nodes die, and fall silent
 * for a while.
 */
final class SimulatedNetwork {
    private final SimulatedWorld world;
    private final UnreliableDesk.Weather weather;
    private final Map<String, SimulatedTensorPlane> alive = new HashMap<>();
    private final Set<String> silent = new HashSet<>();

    SimulatedNetwork(SimulatedWorld world, UnreliableDesk.Weather weather) {
        this.world = world;
        this.weather = weather;
    }

    /** The node that owns the store is there; it reaches nobody before it was told of {@code peers}. */
    SimulatedTensorPlane join(String node, OffHeapTensorStore store) {
        SimulatedTensorPlane plane = new SimulatedTensorPlane(node, store, this);
        alive.put(node, plane);
        return plane;
    }

    /** The node is gone with all its tensors. */
    void die(String node) {
        alive.remove(node);
        silent.remove(node);
    }

    /** Nothing reaches the node, and nothing comes from it. */
    void silence(String node) {
        silent.add(node);
    }

    void mend(String node) {
        silent.remove(node);
    }

    boolean silent(String node) {
        return silent.contains(node);
    }

    boolean reaches(String from, String to) {
        return alive.containsKey(from) && alive.containsKey(to) && !silent.contains(from) && !silent.contains(to);
    }

    SimulatedWorld world() {
        return world;
    }

    /** The message of one node to another does there what it does, if it arrives. */
    void carry(String from, String to, Word word) {
        if (!reaches(from, to)) {
            return;
        }
        for (int copy = weather.copies(); copy > 0; copy--) {
            Duration late = Duration.ofNanos(
                    weather.chance().nextLong(1 + weather.lateAtMost().toNanos()));
            world.after(late, () -> Optional.ofNullable(silent.contains(to) ? null : alive.get(to))
                    .ifPresent(word::arrives));
        }
    }

    /** A message between planes. */
    @FunctionalInterface
    interface Word {
        void arrives(SimulatedTensorPlane there);
    }

    static PlanePeer peer(String node) {
        return new PlanePeer(node, "one host", "", "", "", node + ":0");
    }

    /** A roster without versions, of these nodes. */
    static List<PlanePeer> peers(String... nodes) {
        return List.of(nodes).stream().map(SimulatedNetwork::peer).toList();
    }
}
