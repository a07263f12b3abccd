package darkroom.runtime;

import darkroom.actors.RunEvent;
import darkroom.actors.RunListener;
import java.util.List;

/**
 * Several listeners as one. Each hears an event after those before it have returned; an exception of one keeps the event
 * from those after it, and ends the run.
 */
record RunListeners(List<RunListener> inOrder) implements RunListener {
    RunListeners {
        inOrder = List.copyOf(inOrder);
    }

    static RunListeners of(RunListener... inOrder) {
        return new RunListeners(List.of(inOrder));
    }

    @Override
    public void heard(RunEvent event) {
        inOrder.forEach(listener -> listener.heard(event));
    }
}
