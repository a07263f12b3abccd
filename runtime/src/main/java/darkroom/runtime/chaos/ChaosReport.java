package darkroom.runtime.chaos;

import darkroom.actors.ledger.RunDigests;
import darkroom.runtime.faults.FaultKind;
import darkroom.runtime.report.Summary;
import java.util.List;
import java.util.Optional;
import java.util.OptionalDouble;
import org.jspecify.annotations.Nullable;

/**
 * Result of a plan: {@code chaos.json}. Times are seconds from the start of a run's first process.
 *
 * @param title of the plan
 * @param plan file it was read from
 * @param seed of the first disturbed run; the next ones count up
 * @param nodes processes of each role
 * @param steps of every run
 * @param undisturbed the same run without faults
 * @param runs disturbed ones
 * @param passed whether every run ended as the undisturbed one, with every law kept and every fault witnessed
 */
public record ChaosReport(
        String title,
        String plan,
        long seed,
        String nodes,
        int steps,
        Run undisturbed,
        List<Run> runs,
        boolean passed) {
    public ChaosReport {
        runs = List.copyOf(runs);
    }

    /** Returns the number of processes that died in all disturbed runs. */
    public int deaths() {
        return runs.stream().mapToInt(Run::deaths).sum();
    }

    /**
     * One run.
     *
     * @param seed that its faults are derived from
     * @param end kind and reason as the control node reported them; absent if it never did
     * @param seconds from the first process to the end
     * @param digests of the final state; {@code null} if there is none
     * @param equal whether they equal the undisturbed ones
     * @param divergence first difference of the ledgers; absent if none
     * @param findings of the audit of ledger and checkpoints
     * @param deaths processes that ended because of a fault
     * @param redone units of work that were reassigned to another worker
     * @param goodput steps per second, relative to the undisturbed run
     * @param wrong all problems of the run, one line each; empty if it has passed
     */
    public record Run(
            String name,
            long seed,
            Optional<Summary.End> end,
            double seconds,
            @Nullable RunDigests digests,
            boolean equal,
            Optional<Divergence.Difference> divergence,
            List<String> findings,
            int deaths,
            int redone,
            OptionalDouble goodput,
            List<Double> commits,
            List<Fault> faults,
            List<Incarnation> incarnations,
            List<String> wrong) {
        public Run {
            findings = List.copyOf(findings);
            commits = List.copyOf(commits);
            faults = List.copyOf(faults);
            incarnations = List.copyOf(incarnations);
            wrong = List.copyOf(wrong);
        }

        public boolean passed() {
            return wrong.isEmpty();
        }
    }

    /**
     * One injected fault.
     *
     * @param what kind and non-default parameters
     * @param node affected node
     * @param pid its process
     * @param at time of the fault
     * @param step steps committed by then
     * @param lasts seconds; 0 for a fault that happens once
     * @param witness evidence that it has happened; empty if none
     * @param remark reason why no evidence is possible; empty otherwise
     * @param detected seconds until the control node noticed, or another one took its place; absent if there was
     *     nothing to notice
     * @param recovered seconds until the next step was committed
     */
    public record Fault(
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
    record Incarnation(String node, long pid, double from, double to, Optional<Integer> ended) {}
}
