package darkroom.runtime;

import darkroom.actors.RunDigests;
import java.util.List;
import java.util.Optional;
import java.util.OptionalDouble;
import org.jspecify.annotations.Nullable;

/**
 * What came of a plan: {@code chaos.json}. Times are seconds from the start of a run's first process.
 *
 * @param title of the plan
 * @param plan file it was read from
 * @param seed of the first disturbed run; the next ones count up
 * @param nodes processes of each role
 * @param steps of every run
 * @param undisturbed the same run with nothing happening to it
 * @param runs disturbed ones
 * @param passed whether every run ended as the undisturbed one, with every law kept and every fault witnessed
 */
record ChaosReport(
        String title,
        String plan,
        long seed,
        String nodes,
        int steps,
        Run undisturbed,
        List<Run> runs,
        boolean passed) {
    ChaosReport {
        runs = List.copyOf(runs);
    }

    /** Processes that died in all disturbed runs. */
    int deaths() {
        return runs.stream().mapToInt(Run::deaths).sum();
    }

    /**
     * One run.
     *
     * @param seed that its faults are by
     * @param end as the control node said it; empty if it never did
     * @param seconds from the first process to the end
     * @param digests of the final state; {@code null} if there is none
     * @param equal whether they are the undisturbed ones
     * @param divergence where the ledger is first different, by step, group and slot; empty if nowhere
     * @param findings of the audit of ledger and checkpoints
     * @param deaths processes that ended because a fault wanted it
     * @param redone units of work that were given to another worker
     * @param goodput steps a second, by those of the undisturbed run
     * @param wrong everything that speaks against the run, one line each; empty if it has passed
     */
    record Run(
            String name,
            long seed,
            String end,
            double seconds,
            @Nullable RunDigests digests,
            boolean equal,
            String divergence,
            List<String> findings,
            int deaths,
            int redone,
            OptionalDouble goodput,
            List<Double> commits,
            List<Fault> faults,
            List<Life> lives,
            List<String> wrong) {
        Run {
            findings = List.copyOf(findings);
            commits = List.copyOf(commits);
            faults = List.copyOf(faults);
            lives = List.copyOf(lives);
            wrong = List.copyOf(wrong);
        }

        boolean passed() {
            return wrong.isEmpty();
        }
    }

    /**
     * One thing that was made to happen.
     *
     * @param what kind and whatever is not usual about it
     * @param node which
     * @param pid its process
     * @param at when
     * @param step steps committed by then
     * @param lasts seconds; 0 for what happens once
     * @param witness what shows that it has happened; empty if nothing does
     * @param remark why there can be no witness; empty otherwise
     * @param detected seconds until the control node noticed, or another one took its place; absent if there was nothing to
     *     notice
     * @param recovered seconds until the next step was committed
     */
    record Fault(
            int id,
            FaultKind kind,
            String what,
            String node,
            long pid,
            double at,
            int step,
            double lasts,
            String witness,
            String remark,
            OptionalDouble detected,
            OptionalDouble recovered) {}

    /**
     * A process from its start to its end.
     *
     * @param ended exit code; absent if it lived until the run ended
     */
    record Life(String node, long pid, double from, double to, Optional<Integer> ended) {}
}
