package darkroom.runtime.cluster;

import darkroom.actors.cluster.NodeRegistry;
import org.apache.pekko.actor.Address;
import org.apache.pekko.actor.typed.ActorRef;
import org.apache.pekko.actor.typed.ActorRefResolver;
import org.apache.pekko.actor.typed.ActorSystem;

/** Locates the node registry of a control node: at a fixed place below its guardian. */
final class NodeRegistries {
    private NodeRegistries() {}

    /**
     * Returns a reference to the node registry. Messages sent before the registry exists are lost: on the control node
     * itself, look it up for each message until it exists.
     */
    static ActorRef<NodeRegistry.Command> at(ActorSystem<?> system, Address control) {
        return ActorRefResolver.get(system).resolveActorRef(control + "/user/" + NodeRegistry.NAME);
    }
}
