package darkroom.runtime;

import java.time.Duration;
import java.util.Collection;
import java.util.HashSet;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;

/**
 * Which nodes are to be taken out of the cluster, as one of its nodes sees it. Time is counted in calls.
 *
 * <ul>
 *   <li><b>CQ-1</b> A node belongs to the side that stays if it reaches most of the control nodes; of two halves, the one with the
 *       first of them. So of the sides of a partition never more than one stays.
 *   <li><b>CQ-2</b> On that side, control nodes take out whoever was not reached for {@code goneAfter} without a break: each node for
 *       itself, however many others come and go meanwhile, and whoever suspects whom.
 *   <li><b>CQ-3</b> A node that was on no such side for that long takes out itself, and nobody else. Workers take out nobody
 *       else ever: however many vanish at once, the others stay.
 *   <li><b>CQ-4</b> Where there is no control node at all there is nothing to belong to, and nobody is taken out.
 * </ul>
 */
final class ControlQuorum {
    /** Membership is for topology; work is given to others by leases, long before. */
    static final Duration GONE_AFTER = Duration.ofSeconds(3);

    private final long calls;
    private final Map<String, Integer> missed = new TreeMap<>();
    private int alone;

    /**
     * @param goneAfter from the first call that sees a node unreachable
     * @param every time from call to call
     */
    ControlQuorum(Duration goneAfter, Duration every) {
        this.calls = Math.ceilDiv(goneAfter.toNanos(), every.toNanos());
    }

    /**
     * A node that is or becomes a member.
     *
     * @param node its name; one that dies and comes again has another
     * @param self whether it is this node
     */
    record Seen(String node, boolean control, boolean reachable, boolean self) {}

    /** @return nodes to be taken out now */
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
            return gone; // not let in yet
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

    /** CQ-1, CQ-4. */
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
