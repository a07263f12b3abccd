package darkroom.runtime.chaos;

import darkroom.runtime.chaos.ChaosPlan.Planned;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.List;
import java.util.OptionalDouble;
import java.util.Set;

/** The faults that a run has yet to meet, and when each is due. Times are seconds since the start of the run. */
final class FaultSchedule {
    /** Random faults wait for the next commit if there was none for this long, so that they do not starve the run. */
    static final Duration DELAY_AFTER = Duration.ofSeconds(30);

    private final Deque<Entry> waiting = new ArrayDeque<>();
    private final double delayAfter;

    /** A fault to come. */
    static final class Entry {
        private final Planned planned;
        private final boolean byChance;
        private double reachedAt = Double.NaN;

        Entry(Planned planned, boolean byChance) {
            this.planned = planned;
            this.byChance = byChance;
        }

        Planned planned() {
            return planned;
        }

        /** Whether chance added it, so that the run may end without it. */
        boolean isByChance() {
            return byChance;
        }
    }

    /**
     * Progress of the run.
     *
     * @param now current time
     * @param began time at which the first rollout node joined
     * @param steps number of committed steps
     * @param lastCommit time of the last commit; empty if there is none
     */
    record Progress(double now, double began, int steps, OptionalDouble lastCommit) {}

    /** Injects a fault, or returns false if it cannot affect a process now. */
    @FunctionalInterface
    interface Injection {
        boolean inject(Entry entry) throws IOException, InterruptedException;
    }

    /**
     * Creates a schedule.
     *
     * @param certain faults that the plan names; all others are by chance
     * @param hangAfter time without a commit after which the run counts as hanging
     */
    FaultSchedule(List<Planned> schedule, Set<Planned> certain, Duration hangAfter) {
        schedule.forEach(planned -> waiting.add(new Entry(planned, !certain.contains(planned))));
        this.delayAfter = Math.min((double) DELAY_AFTER.toMillis(), hangAfter.toMillis() / 4.0) / 1e3;
    }

    /** Injects each fault that is due. One that cannot be injected now stays due. */
    void injectDue(Progress progress, Injection injection) throws IOException, InterruptedException {
        boolean delayed = progress.now() - progress.lastCommit().orElse(progress.began()) > delayAfter;
        for (int i = waiting.size(); i > 0; i--) {
            Entry next = waiting.removeFirst();
            if (!isDue(next, progress) || (delayed && next.byChance) || !injection.inject(next)) {
                waiting.addLast(next);
            }
        }
    }

    private static boolean isDue(Entry entry, Progress progress) {
        Planned planned = entry.planned;
        if (Double.isNaN(entry.reachedAt) && progress.steps() >= planned.atStep()) {
            entry.reachedAt = planned.atStep() == 0 ? progress.began() : progress.now();
        }
        return progress.now() >= entry.reachedAt + planned.after().toMillis() / 1e3; // false for NaN
    }

    /** Returns the faults of the plan that were not injected; those by chance are left out. */
    List<Planned> missing() {
        return waiting.stream()
                .filter(entry -> !entry.byChance)
                .map(Entry::planned)
                .toList();
    }
}
