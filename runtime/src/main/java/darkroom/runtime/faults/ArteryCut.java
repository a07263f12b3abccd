package darkroom.runtime.faults;

import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import org.apache.pekko.actor.Address;
import org.apache.pekko.actor.typed.ActorSystem;
import org.apache.pekko.cluster.Member;
import org.apache.pekko.cluster.typed.Cluster;
import org.apache.pekko.remote.RARP;
import org.apache.pekko.remote.transport.ThrottlerTransportAdapter;

/**
 * Loses the messages between a node and others, with the facility that Pekko's own multi-node tests use. The node needs
 * {@code pekko.remote.artery.advanced.test-mode}.
 */
@SuppressWarnings("deprecation") // names that Artery's test mode has kept from the transport before it
final class ArteryCut {
    private final ActorSystem<?> system;
    private final FaultOrder.Direction direction;
    private final List<Address> addresses;

    private ArteryCut(ActorSystem<?> system, FaultOrder.Direction direction, List<Address> addresses) {
        this.system = system;
        this.direction = direction;
        this.addresses = List.copyOf(addresses);
    }

    /**
     * Selects the connections to cut.
     *
     * @param peer substring of a role; empty for all other current nodes
     */
    static ArteryCut to(ActorSystem<?> system, FaultOrder.Direction direction, String peer) {
        Cluster cluster = Cluster.get(system);
        List<Address> addresses = new ArrayList<>();
        for (Member member : cluster.state().getMembers()) {
            Set<String> roles = member.getRoles();
            boolean meant = peer.isEmpty() || roles.stream().anyMatch(role -> role.contains(peer));
            if (meant && !member.address().equals(cluster.selfMember().address())) {
                addresses.add(member.address());
            }
        }
        return new ArteryCut(system, direction, addresses);
    }

    /** Cuts the connections; returns their number. */
    int cut() {
        command(ThrottlerTransportAdapter.Blackhole$.MODULE$);
        return addresses.size();
    }

    void heal() {
        command(ThrottlerTransportAdapter.Unthrottled$.MODULE$);
    }

    private void command(ThrottlerTransportAdapter.ThrottleMode mode) {
        ThrottlerTransportAdapter.Direction way =
                switch (direction) {
                    case BOTH -> way("Both");
                    case IN -> way("Receive");
                    case OUT -> way("Send");
                };
        for (Address address : addresses) {
            var _ = ((RARP) RARP.get(system.classicSystem()))
                    .provider()
                    .transport()
                    .managementCommand(new ThrottlerTransportAdapter.SetThrottle(address, way, mode));
        }
    }

    /** Returns a Scala object nested in an object, which has no name in Java. */
    private static ThrottlerTransportAdapter.Direction way(String name) {
        String type = ThrottlerTransportAdapter.Direction.class.getName() + "$" + name + "$";
        try {
            return (ThrottlerTransportAdapter.Direction)
                    Class.forName(type).getField("MODULE$").get(null);
        } catch (ReflectiveOperationException e) {
            throw new IllegalStateException("this Pekko has no " + type, e);
        }
    }
}
