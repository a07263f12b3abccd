package darkroom.runtime.cluster;

import java.time.Duration;
import java.util.Collection;
import java.util.HashSet;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;

/**
 * Selects the nodes to remove from the cluster, as seen by one of its nodes. Time is counted in calls.
 *
 * <ul>
 *   <li><b>CQ-1</b> A node belongs to the side that stays if it reaches most of the control nodes; of two halves, the
 *       one with the first of them. So at most one side of a partition stays.
 *   <li><b>CQ-2</b> On that side, control nodes remove every node that was unreachable for {@code goneAfter} without a
 *       break: each node for itself, regardless of how many others come and go and of which nodes suspect each other.
 *   <li><b>CQ-3</b> A node that was on no such side for that long removes itself, and no other. Workers never remove
 *       another node: however many vanish at once, the others stay.
 *   <li><b>CQ-4</b> Without any control node there is no side to belong to, and no node is removed.
 * </ul>
 */
final class ControlQuorum {
    /** Membership is for topology; leases reassign work long before. */
    static final Duration GONE_AFTER = Duration.ofSeconds(3);

    private final long calls;
    private final Map<String, Integer> missed = new TreeMap<>();
    private int alone;

    /**
     * Creates the rule.
     *
     * @param goneAfter from the first call that sees a node unreachable
     * @param every time between calls
     */
    ControlQuorum(Duration goneAfter, Duration every) {
        this.calls = Math.ceilDiv(goneAfter.toNanos(), every.toNanos());
    }

    /**
     * A node that is or becomes a member.
     *
     * @param node its name; a node that dies and returns has another
     * @param self whether it is this node
     */
    record Seen(String node, boolean control, boolean reachable, boolean self) {}

    /** @return nodes to remove now */
    Set<String> gone(Collection<Seen> all) {
        Set<String> there = new HashSet<>();
        for (Seen seen : all) {
            there.add(seen.node());
            if (seen.reachable() || seen.self()) {
                missed.remove(seen.node());
            } else {
                missed.merge(seen.node(), 1, Integer::sum);
            }
        }
        missed.keySet().retainAll(there);
        Set<String> gone = new TreeSet<>();
        Seen self = all.stream().filter(Seen::self).findFirst().orElse(null);
        if (self == null) {
            return gone; // not admitted yet
        }
        alone = stays(all) ? 0 : alone + 1;
        if (alone > calls) {
            gone.add(self.node()); // CQ-3
        } else if (alone == 0 && self.control()) {
            missed.forEach((node, times) -> {
                if (times > calls) {
                    gone.add(node); // CQ-2
                }
            });
        }
        return gone;
    }

    /** Whether this node's side stays (CQ-1, CQ-4). */
    private static boolean stays(Collection<Seen> all) {
        Set<String> controls = new TreeSet<>();
        Set<String> reached = new TreeSet<>();
        for (Seen seen : all) {
            if (seen.control()) {
                controls.add(seen.node());
                if (seen.reachable() || seen.self()) {
                    reached.add(seen.node());
                }
            }
        }
        boolean half = 2 * reached.size() == controls.size();
        return controls.isEmpty()
                || 2 * reached.size() > controls.size()
                || (half && reached.contains(controls.iterator().next()));
    }
}
