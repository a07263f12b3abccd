package darkroom.actors;

import org.apache.pekko.actor.typed.Behavior;
import org.apache.pekko.actor.typed.ExtensibleBehavior;
import org.apache.pekko.actor.typed.Signal;
import org.apache.pekko.actor.typed.TypedActorContext;
import org.apache.pekko.actor.typed.javadsl.Behaviors;

/** A behavior with one method for messages, so that a sealed protocol is answered by one exhaustive switch. */
abstract class SwitchBehavior<T> extends ExtensibleBehavior<T> {

    abstract Behavior<T> onMessage(T message);

    Behavior<T> onSignal(Signal signal) {
        return Behaviors.unhandled();
    }

    @Override
    public final Behavior<T> receive(TypedActorContext<T> context, T message) {
        return onMessage(message);
    }

    @Override
    public final Behavior<T> receiveSignal(TypedActorContext<T> context, Signal signal) {
        return onSignal(signal);
    }
}
