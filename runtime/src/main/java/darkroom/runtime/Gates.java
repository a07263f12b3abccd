package darkroom.runtime;

import darkroom.actors.Gate;
import org.apache.pekko.actor.Address;
import org.apache.pekko.actor.typed.ActorRef;
import org.apache.pekko.actor.typed.ActorRefResolver;
import org.apache.pekko.actor.typed.ActorSystem;

/** Where the gate of a control node is found: at a fixed place below its studio. */
final class Gates {
    private Gates() {}

    /** What is told before the gate is there is lost. On the control node itself: ask anew each time, until it is there. */
    static ActorRef<Gate.Command> at(ActorSystem<?> system, Address control) {
        return ActorRefResolver.get(system).resolveActorRef(control + "/user/" + Gate.NAME);
    }
}
