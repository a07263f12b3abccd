package darkroom.actors.cluster;

import darkroom.actors.events.NodeCard;
import darkroom.actors.workqueue.SwitchBehavior;
import darkroom.actors.workqueue.UnreliableWorkQueue;
import darkroom.actors.workqueue.WorkQueues;
import java.util.HashMap;
import java.util.Map;
import org.apache.pekko.actor.typed.ActorRef;
import org.apache.pekko.actor.typed.Behavior;
import org.apache.pekko.actor.typed.javadsl.ActorContext;
import org.apache.pekko.actor.typed.javadsl.Behaviors;

/**
 * A node registry as one node sees it across a bad network, and that node as the node registry sees it. The queues are
 * equally far away.
 */
public final class UnreliableNodeRegistry extends SwitchBehavior<NodeRegistry.Command> {
    private final ActorContext<NodeRegistry.Command> context;
    private final ActorRef<NodeRegistry.Command> registry;
    private final WorkQueues farQueues;
    private final UnreliableWorkQueue.NetworkFaults networkFaults;
    private final Map<ActorRef<NodeAgent.Command>, ActorRef<NodeAgent.Command>> seen = new HashMap<>();

    private UnreliableNodeRegistry(
            ActorContext<NodeRegistry.Command> context,
            ActorRef<NodeRegistry.Command> registry,
            WorkQueues farQueues,
            UnreliableWorkQueue.NetworkFaults networkFaults) {
        this.context = context;
        this.registry = registry;
        this.farQueues = farQueues;
        this.networkFaults = networkFaults;
    }

    public static Behavior<NodeRegistry.Command> create(
            ActorRef<NodeRegistry.Command> registry,
            WorkQueues farQueues,
            UnreliableWorkQueue.NetworkFaults networkFaults) {
        return Behaviors.setup(context -> new UnreliableNodeRegistry(context, registry, farQueues, networkFaults));
    }

    @Override
    public Behavior<NodeRegistry.Command> onMessage(NodeRegistry.Command command) {
        NodeRegistry.Command crossing =
                switch (command) {
                    case NodeRegistry.Join(NodeCard card, ActorRef<NodeAgent.Command> agent) ->
                        new NodeRegistry.Join(card, across(agent));
                    case NodeRegistry.Present(String node, long roster, long over, ActorRef<NodeAgent.Command> agent) ->
                        new NodeRegistry.Present(node, roster, over, across(agent));
                    default -> command;
                };
        networkFaults.carry(context, registry, crossing, networkFaults.copies());
        return this;
    }

    /** The agent as the node registry sees it. */
    private ActorRef<NodeAgent.Command> across(ActorRef<NodeAgent.Command> agent) {
        return seen.computeIfAbsent(agent, near -> context.spawnAnonymous(far(near)));
    }

    private Behavior<NodeAgent.Command> far(ActorRef<NodeAgent.Command> agent) {
        return Behaviors.setup(far -> Behaviors.receiveMessage(command -> {
            NodeAgent.Command crossing = command instanceof NodeAgent.Welcome welcome
                    ? new NodeAgent.Welcome(welcome.settings(), farQueues, welcome.roster())
                    : command;
            networkFaults.carry(far, agent, crossing, networkFaults.copies());
            return Behaviors.same();
        }));
    }
}
