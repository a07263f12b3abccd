package darkroom.actors.workqueue;

import java.util.function.Function;
import org.apache.pekko.actor.typed.ActorRef;
import org.apache.pekko.actor.typed.Behavior;
import org.apache.pekko.actor.typed.ExtensibleBehavior;
import org.apache.pekko.actor.typed.Signal;
import org.apache.pekko.actor.typed.TypedActorContext;
import org.apache.pekko.actor.typed.javadsl.ActorContext;
import org.apache.pekko.actor.typed.javadsl.Behaviors;

/** A behavior with one method for messages, so that a sealed protocol is answered by one exhaustive switch. */
public abstract class SwitchBehavior<T> extends ExtensibleBehavior<T> {

    public abstract Behavior<T> onMessage(T message);

    public Behavior<T> onSignal(Signal signal) {
        return Behaviors.unhandled();
    }

    /**
     * Creates a child that receives {@code A} and forwards it to the actor as one of the actor's own messages. Unlike a
     * message adapter it needs no class, so that several generic answers can be distinguished by type.
     */
    public static <A, M> ActorRef<A> heardAs(ActorContext<M> context, Function<A, ? extends M> as) {
        ActorRef<M> self = context.getSelf();
        return context.spawnAnonymous(Behaviors.receiveMessage(answer -> {
            self.tell(as.apply(answer));
            return Behaviors.same();
        }));
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
