package darkroom.runtime;

import darkroom.actors.RunEvent;
import darkroom.actors.RunListener;
import java.util.List;

/**
 * Several listeners as one. Each hears an event after those before it have returned; an exception of one keeps the event
 * from those after it, and ends the run. The end itself is heard by all of them, so that a file that is gone costs no checkpoint.
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
        if (event instanceof RunEvent.Ended ended) {
            heard(ended);
        } else {
            inOrder.forEach(listener -> listener.heard(event));
        }
    }

    private void heard(RunEvent.Ended ended) {
        RuntimeException first = null;
        for (RunListener listener : inOrder) {
            try {
                listener.heard(ended);
            } catch (RuntimeException failure) {
                if (first == null) {
                    first = failure;
                } else {
                    first.addSuppressed(failure);
                }
            }
        }
        if (first != null) {
            throw first;
        }
    }
}
