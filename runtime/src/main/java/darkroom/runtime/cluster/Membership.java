package darkroom.runtime.cluster;

import darkroom.actors.cluster.NodeRegistry;
import darkroom.runtime.run.PekkoConfig;
import java.util.Optional;
import java.util.function.Consumer;
import org.apache.pekko.actor.typed.ActorRef;
import org.apache.pekko.actor.typed.Behavior;
import org.apache.pekko.actor.typed.javadsl.ActorContext;
import org.apache.pekko.actor.typed.javadsl.Behaviors;
import org.apache.pekko.cluster.ClusterEvent;
import org.apache.pekko.cluster.Member;
import org.apache.pekko.cluster.MemberStatus;
import org.apache.pekko.cluster.typed.Cluster;
import org.apache.pekko.cluster.typed.Subscribe;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Reports nodes that join and leave the cluster, one line each, and the address of the control node. */
final class Membership {
    private static final Logger LOG = LoggerFactory.getLogger(Membership.class);

    private Membership() {}

    /**
     * Creates the behaviour.
     *
     * @param registry receives the node registry of the oldest control node, and empty when it is gone
     * @param line receives each change, for people; the log has it too
     */
    static Behavior<ClusterEvent.ClusterDomainEvent> create(
            Consumer<Optional<ActorRef<NodeRegistry.Command>>> registry, Consumer<String> line) {
        return Behaviors.setup(context -> {
            Cluster cluster = Cluster.get(context.getSystem());
            cluster.subscriptions().tell(new Subscribe<>(context.getSelf(), ClusterEvent.ClusterDomainEvent.class));
            return Behaviors.receiveMessage(event -> {
                told(event).ifPresent(text -> {
                    LOG.info("{}", text);
                    line.accept(text);
                });
                if (event instanceof ClusterEvent.MemberEvent || event instanceof ClusterEvent.ReachabilityEvent) {
                    registry.accept(registryIn(context, cluster));
                }
                return Behaviors.same();
            });
        });
    }

    private static Optional<ActorRef<NodeRegistry.Command>> registryIn(ActorContext<?> context, Cluster cluster) {
        Member oldest = null;
        for (Member member : cluster.state().getMembers()) {
            boolean there =
                    member.status().equals(MemberStatus.up()) || member.status().equals(MemberStatus.weaklyUp());
            if (there && member.hasRole(ControlNode.ROLE) && (oldest == null || member.isOlderThan(oldest))) {
                oldest = member;
            }
        }
        return Optional.ofNullable(oldest).map(member -> NodeRegistries.at(context.getSystem(), member.address()));
    }

    private static Optional<String> told(ClusterEvent.ClusterDomainEvent event) {
        return switch (event) {
            case ClusterEvent.MemberJoined joined -> line(joined.member(), "joins");
            case ClusterEvent.MemberWeaklyUp up -> line(up.member(), "works while another node is unreachable");
            case ClusterEvent.MemberUp up -> line(up.member(), "is up");
            case ClusterEvent.UnreachableMember silent -> line(silent.member(), "is unreachable");
            case ClusterEvent.ReachableMember back -> line(back.member(), "is reachable again");
            case ClusterEvent.MemberLeft left -> line(left.member(), "leaves");
            case ClusterEvent.MemberDowned downed -> line(downed.member(), "was given up");
            case ClusterEvent.MemberRemoved removed -> line(removed.member(), "is out");
            default -> Optional.empty();
        };
    }

    private static Optional<String> line(Member member, String what) {
        return Optional.of("%s at %s %s"
                .formatted(
                        member.getRoles().stream()
                                .filter(role -> !role.startsWith("dc-"))
                                .sorted()
                                .toList(),
                        PekkoConfig.address(member.address()),
                        what));
    }
}
