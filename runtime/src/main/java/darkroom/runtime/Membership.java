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

/** Logs who joins and leaves the cluster, a line each, and says where the control node is. */
final class Membership {
    private static final Logger LOG = LoggerFactory.getLogger(Membership.class);

    private Membership() {}

    /** Logs only. */
    static Behavior<ClusterEvent.ClusterDomainEvent> logged() {
        return create(_ -> {});
    }

    /** @param gate told where the gate of the oldest control node is, and when there is none any more */
    static Behavior<ClusterEvent.ClusterDomainEvent> create(Consumer<Optional<ActorRef<Gate.Command>>> gate) {
        return Behaviors.setup(context -> {
            Cluster cluster = Cluster.get(context.getSystem());
            cluster.subscriptions().tell(new Subscribe<>(context.getSelf(), ClusterEvent.ClusterDomainEvent.class));
            return Behaviors.receiveMessage(event -> {
                log(event);
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

    private static void log(ClusterEvent.ClusterDomainEvent event) {
        switch (event) {
            case ClusterEvent.MemberUp up ->
                LOG.info("{} {} is up", up.member().getRoles(), up.member().address());
            case ClusterEvent.MemberWeaklyUp up ->
                LOG.info(
                        "{} {} works while others are unreachable",
                        up.member().getRoles(),
                        up.member().address());
            case ClusterEvent.MemberJoined joined ->
                LOG.info(
                        "{} {} joins",
                        joined.member().getRoles(),
                        joined.member().address());
            case ClusterEvent.MemberLeft left ->
                LOG.info("{} {} leaves", left.member().getRoles(), left.member().address());
            case ClusterEvent.MemberDowned downed ->
                LOG.warn(
                        "{} {} was given up",
                        downed.member().getRoles(),
                        downed.member().address());
            case ClusterEvent.MemberRemoved removed ->
                LOG.info(
                        "{} {} is out, it was {}",
                        removed.member().getRoles(),
                        removed.member().address(),
                        removed.previousStatus());
            case ClusterEvent.UnreachableMember silent ->
                LOG.warn(
                        "{} {} is unreachable",
                        silent.member().getRoles(),
                        silent.member().address());
            case ClusterEvent.ReachableMember back ->
                LOG.info(
                        "{} {} is reachable again",
                        back.member().getRoles(),
                        back.member().address());
            default -> LOG.debug("{}", event);
        }
    }
}
