package darkroom.actors;

import java.util.function.Consumer;
import org.apache.pekko.actor.typed.ActorRef;
import org.apache.pekko.actor.typed.Behavior;
import org.apache.pekko.actor.typed.DispatcherSelector;
import org.apache.pekko.actor.typed.javadsl.ActorContext;
import org.apache.pekko.actor.typed.javadsl.Behaviors;

/**
 * Events on their way from an actor that may not wait to a {@link RunListener}, which writes files: an actor on the blocking
 * dispatcher calls the listener, one event after the other.
 *
 * <ul>
 *   <li><b>LQ-1</b> The listener gets events in the order in which they were given.
 *   <li><b>LQ-2</b> At most a fixed number of them wait. Those that do not fit are counted, and the next thing that the listener
 *       gets is how many there were ({@link RunEvent.EventsDropped}).
 *   <li><b>LQ-3</b> A listener that fails at an event gets the next one all the same.
 * </ul>
 *
 * <p>Used by its owner's thread only. The owner calls {@link #delivered} for each event that the listener has taken.
 */
final class ListenerQueue {
    private final ActorRef<RunEvent> teller;
    private final int waitingMax;
    private int waiting;
    private int dropped;

    /** @param teller calls the listener, and says each time that it has */
    ListenerQueue(ActorRef<RunEvent> teller, int waitingMax) {
        this.teller = teller;
        this.waitingMax = waitingMax;
    }

    /**
     * A queue of its owner's own.
     *
     * @param delivered called on another thread after each event
     */
    static ListenerQueue spawn(ActorContext<?> owner, RunListener listener, int waitingMax, Runnable delivered) {
        return new ListenerQueue(
                owner.spawn(teller(listener, _ -> delivered.run()), "listener", DispatcherSelector.blocking()),
                waitingMax);
    }

    private static Behavior<RunEvent> teller(RunListener listener, Consumer<RunEvent> delivered) {
        return Behaviors.setup(context -> Behaviors.receiveMessage(event -> {
            try {
                listener.heard(event);
            } catch (RuntimeException failure) {
                context.getLog().error("the listener failed at {}", event, failure); // LQ-3
            }
            delivered.accept(event);
            return Behaviors.same();
        }));
    }

    void add(RunEvent event) {
        if (waiting >= waitingMax) {
            dropped++; // LQ-2
            return;
        }
        waiting++;
        teller.tell(event); // LQ-1
    }

    /** One event less is on its way. */
    void delivered() {
        waiting--;
        if (dropped > 0) {
            int lost = dropped;
            dropped = 0;
            add(new RunEvent.EventsDropped(lost, waitingMax));
        }
    }
}
