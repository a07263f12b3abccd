package darkroom.runtime;

import darkroom.actors.Gate;
import org.apache.pekko.actor.Address;
import org.apache.pekko.actor.typed.ActorRef;
import org.apache.pekko.actor.typed.ActorRefResolver;
import org.apache.pekko.actor.typed.ActorSystem;

/** Where the gate of a control node is found: at a fixed place below its studio. */
final class Gates {
    private Gates() {}

    /** A reference that works as soon as the gate is there; what is told before is lost. */
    static ActorRef<Gate.Command> at(ActorSystem<?> system, Address control) {
        return ActorRefResolver.get(system).resolveActorRef(control + "/user/" + Gate.NAME);
    }
}
