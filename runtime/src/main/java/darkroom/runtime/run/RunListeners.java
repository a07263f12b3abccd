package darkroom.runtime.run;

import darkroom.actors.events.RunEvent;
import darkroom.actors.events.RunListener;
import java.util.List;

/**
 * Several listeners as one. Each receives an event after those before it have returned; an exception of one keeps the
 * event from those after it and ends the run. All of them receive the end itself, so that a missing file costs no
 * checkpoint.
 */
public record RunListeners(List<RunListener> inOrder) implements RunListener {
    public RunListeners {
        inOrder = List.copyOf(inOrder);
    }

    public static RunListeners of(RunListener... inOrder) {
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
