package darkroom.runtime;

import darkroom.actors.Gate;
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

/** Tells who joins and leaves the cluster, a line each, and where the control node is. */
final class Membership {
    private static final Logger LOG = LoggerFactory.getLogger(Membership.class);

    private Membership() {}

    /**
     * @param gate told where the gate of the oldest control node is, and when there is none any more
     * @param line told each change, for people; the log has it too
     */
    static Behavior<ClusterEvent.ClusterDomainEvent> create(
            Consumer<Optional<ActorRef<Gate.Command>>> gate, Consumer<String> line) {
        return Behaviors.setup(context -> {
            Cluster cluster = Cluster.get(context.getSystem());
            cluster.subscriptions().tell(new Subscribe<>(context.getSelf(), ClusterEvent.ClusterDomainEvent.class));
            return Behaviors.receiveMessage(event -> {
                told(event).ifPresent(text -> {
                    LOG.info("{}", text);
                    line.accept(text);
                });
                if (event instanceof ClusterEvent.MemberEvent || event instanceof ClusterEvent.ReachabilityEvent) {
                    gate.accept(gateIn(context, cluster));
                }
                return Behaviors.same();
            });
        });
    }

    private static Optional<ActorRef<Gate.Command>> gateIn(ActorContext<?> context, Cluster cluster) {
        Member oldest = null;
        for (Member member : cluster.state().getMembers()) {
            boolean there =
                    member.status().equals(MemberStatus.up()) || member.status().equals(MemberStatus.weaklyUp());
            if (there && member.hasRole(ControlNode.ROLE) && (oldest == null || member.isOlderThan(oldest))) {
                oldest = member;
            }
        }
        return Optional.ofNullable(oldest).map(member -> Gates.at(context.getSystem(), member.address()));
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
