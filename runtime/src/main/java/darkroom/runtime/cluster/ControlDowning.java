package darkroom.runtime.cluster;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import org.apache.pekko.actor.ActorSystem;
import org.apache.pekko.actor.Address;
import org.apache.pekko.actor.Props;
import org.apache.pekko.actor.typed.Behavior;
import org.apache.pekko.actor.typed.javadsl.Adapter;
import org.apache.pekko.actor.typed.javadsl.Behaviors;
import org.apache.pekko.cluster.Cluster;
import org.apache.pekko.cluster.DowningProvider;
import org.apache.pekko.cluster.Member;
import org.apache.pekko.cluster.MemberStatus;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import scala.Option;
import scala.concurrent.duration.FiniteDuration;

/**
 * Removes lost nodes from the cluster, by {@link ControlQuorum}. Pekko creates one on every node.
 *
 * <p>Pekko's own split-brain resolver is not used: it takes nodes that suspect each other for an indirectly connected
 * network and downs them, and on the second such decision it downs all nodes. Workers that die while they monitor each
 * other look the same, so that a storm of deaths ended the control node as well.
 */
public final class ControlDowning extends DowningProvider {
    private static final Duration TICK = Duration.ofMillis(250);
    private static final Logger LOG = LoggerFactory.getLogger(ControlDowning.class);

    private final ActorSystem system;

    /**
     * Called by Pekko.
     *
     * @param system of the node
     */
    public ControlDowning(ActorSystem system) {
        this.system = system;
    }

    /** Returns zero: nothing is restarted when a node is removed, so there is nothing to wait for. */
    @Override
    public FiniteDuration downRemovalMargin() {
        return FiniteDuration.Zero();
    }

    @Override
    public Option<Props> downingActorProps() {
        return Option.apply(Adapter.props(() -> watching(system)));
    }

    private enum Tick {
        TICK
    }

    private static Behavior<Tick> watching(ActorSystem system) {
        return Behaviors.withTimers(timers -> {
            timers.startTimerWithFixedDelay(Tick.TICK, TICK);
            ControlQuorum quorum = new ControlQuorum(ControlQuorum.GONE_AFTER, TICK);
            return Behaviors.receiveMessage(_ -> {
                look(Cluster.get(system), quorum);
                return Behaviors.same();
            });
        });
    }

    /**
     * Whether this node monitors the member and receives its heartbeats. Reports of others count only where it does
     * not: a node that has just died, or slept, suspects all nodes.
     */
    private static boolean hears(Cluster cluster, Member member) {
        return cluster.failureDetector().isMonitoring(member.address())
                && cluster.failureDetector().isAvailable(member.address());
    }

    private static void look(Cluster cluster, ControlQuorum quorum) {
        Set<Member> unreachable = cluster.state().getUnreachable();
        List<ControlQuorum.Seen> seen = new ArrayList<>();
        for (Member member : cluster.state().getMembers()) {
            if (member.status() != MemberStatus.down() && member.status() != MemberStatus.removed()) {
                seen.add(new ControlQuorum.Seen(
                        member.uniqueAddress().toString(),
                        member.hasRole(ControlNode.ROLE),
                        !unreachable.contains(member) || hears(cluster, member),
                        member.uniqueAddress().equals(cluster.selfUniqueAddress())));
            }
        }
        Set<String> gone = quorum.gone(seen);
        Set<Address> addresses = new TreeSet<>(Address.addressOrdering());
        for (Member member : cluster.state().getMembers()) {
            if (gone.contains(member.uniqueAddress().toString())) {
                addresses.add(member.address());
            }
        }
        for (Address address : addresses) {
            LOG.warn(
                    address.equals(cluster.selfAddress())
                            ? "no control node has been reached for {} s: this node leaves the cluster ({})"
                            : "not reached for {} s, taken out of the cluster: {}",
                    ControlQuorum.GONE_AFTER.toMillis() / 1000.0,
                    address);
            cluster.down(address);
        }
    }
}
