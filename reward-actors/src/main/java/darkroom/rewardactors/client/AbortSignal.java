package darkroom.rewardactors.client;

import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;

/**
 * Ends exchanges when it is raised. A finished exchange removes its action, so that a signal that is never raised retains
 * nothing (promise P-9): a stage that never completes would keep every action, and what it refers to, until the process ends.
 */
final class AbortSignal {
    private final Set<Registration> actions = new LinkedHashSet<>();
    private boolean raised;

    /** An action that waits for a signal. */
    final class Registration {
        private final Runnable action;

        private Registration(Runnable action) {
            this.action = action;
        }

        /** The action is no longer run or referenced from now on. */
        void remove() {
            synchronized (AbortSignal.this) {
                actions.remove(this);
            }
        }
    }

    /** Runs {@code action} once when the signal is raised, at once if it is already. */
    Registration whenRaised(Runnable action) {
        Registration registration = new Registration(action);
        synchronized (this) {
            if (!raised) {
                actions.add(registration);
                return registration;
            }
        }
        action.run();
        return registration;
    }

    /** Raises the signal; further calls have no effect. */
    void raise() {
        List<Registration> waiting;
        synchronized (this) {
            raised = true;
            waiting = List.copyOf(actions);
            actions.clear();
        }
        waiting.forEach(registration -> registration.action.run());
    }

    synchronized boolean isRaised() {
        return raised;
    }

    /** Number of waiting actions. */
    synchronized int waiting() {
        return actions.size();
    }
}
