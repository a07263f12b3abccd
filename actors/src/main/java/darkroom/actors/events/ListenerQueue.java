package darkroom.actors.events;

import java.util.function.Consumer;
import org.apache.pekko.actor.typed.ActorRef;
import org.apache.pekko.actor.typed.Behavior;
import org.apache.pekko.actor.typed.DispatcherSelector;
import org.apache.pekko.actor.typed.javadsl.ActorContext;
import org.apache.pekko.actor.typed.javadsl.Behaviors;

/**
 * Queues events from an actor that must not block to a {@link RunListener}, which writes files: an actor on the blocking
 * dispatcher calls the listener, one event after the other.
 *
 * <ul>
 *   <li><b>LQ-1</b> The listener gets events in the order in which they were given.
 *   <li><b>LQ-2</b> At most a fixed number of them wait. Events beyond it are counted, and the next event that the listener
 *       gets is their number ({@link RunEvent.EventsDropped}).
 *   <li><b>LQ-3</b> A listener that fails at an event still gets the next one.
 * </ul>
 *
 * <p>Used by its owner's thread only. The owner calls {@link #delivered} for each event that the listener has taken.
 */
public final class ListenerQueue {
    private final ActorRef<RunEvent> teller;
    private final int waitingMax;
    private int waiting;
    private int dropped;

    /**
     * @param teller calls the listener, and confirms each call
     */
    ListenerQueue(ActorRef<RunEvent> teller, int waitingMax) {
        this.teller = teller;
        this.waitingMax = waitingMax;
    }

    /**
     * Creates a queue for an actor.
     *
     * @param delivered called on another thread after each event
     */
    public static ListenerQueue spawn(ActorContext<?> owner, RunListener listener, int waitingMax, Runnable delivered) {
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

    public void add(RunEvent event) {
        if (waiting >= waitingMax) {
            dropped++; // LQ-2
            return;
        }
        waiting++;
        teller.tell(event); // LQ-1
    }

    /** Confirms that one event was delivered. */
    public void delivered() {
        waiting--;
        if (dropped > 0) {
            int lost = dropped;
            dropped = 0;
            add(new RunEvent.EventsDropped(lost, waitingMax));
        }
    }
}
