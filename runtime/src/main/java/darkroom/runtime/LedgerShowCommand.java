package darkroom.runtime;

import darkroom.actors.events.StepTally;
import darkroom.actors.ledger.LedgerEvent;
import darkroom.actors.ledger.LedgerSnapshot;
import darkroom.runtime.base.ExitCode;
import darkroom.runtime.base.RunJournal;
import darkroom.runtime.base.TextTable;
import darkroom.runtime.run.LocalRun;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** Shows a ledger as a table. */
@Command(
        name = "show",
        description = "Shows what the ledger of a run has: writers, checkpoints, a line per committed step, and what is"
                + " recorded of the step in work.")
final class LedgerShowCommand implements Callable<Integer> {
    private static final int DIGEST_CHARACTERS = 12;

    @Spec
    private CommandSpec spec;

    @Parameters(paramLabel = "RUN", description = "Directory of the run.")
    private Path run;

    @Option(
            names = "--last",
            paramLabel = "N",
            defaultValue = "20",
            description = "Committed steps shown, the newest. Default: ${DEFAULT-VALUE}")
    private int last;

    @Override
    public Integer call() {
        try (RunJournal journal = LocalRun.ledgerOf(run)) {
            PrintWriter out = spec.commandLine().getOut();
            print(journal.read(), out);
            out.printf("%n%d rows in the journal%n", journal.pages());
            out.flush();
        }
        return ExitCode.OK.code();
    }

    private void print(LedgerSnapshot snapshot, PrintWriter out) {
        List<LedgerEvent.StepCommitted> commits = of(LedgerEvent.StepCommitted.class, snapshot);
        out.printf(
                "%d events written, %d kept%n",
                snapshot.written(), snapshot.events().size());
        for (LedgerEvent.RunOpened opened : of(LedgerEvent.RunOpened.class, snapshot)) {
            out.printf("writer %d began after %d steps%n", opened.epoch(), opened.step());
        }
        for (LedgerEvent.CheckpointWritten checkpoint : of(LedgerEvent.CheckpointWritten.class, snapshot)) {
            out.printf("checkpoint after %d steps, manifest %s%n", checkpoint.step(), brief(checkpoint.digest()));
        }
        if (!commits.isEmpty()) {
            out.println();
            TextTable table = new TextTable()
                    .figures("step", "issued", "counted", "dropped", "unscored", "abandoned")
                    .text("weights", "optimizer", "decisions");
            commits.stream().skip(Math.max(0, commits.size() - last)).forEach(commit -> {
                StepTally tally = commit.tally();
                table.row(
                        commit.step(),
                        tally.issued(),
                        tally.counted(),
                        tally.dropped(),
                        tally.unscored(),
                        tally.abandoned(),
                        brief(commit.digests().weights()),
                        brief(commit.digests().optimizer()),
                        brief(commit.digests().decisions()));
            });
            table.print(out, TextTable.terminalColumns(spec.commandLine()));
        }
        printOpen(snapshot, commits.isEmpty() ? -1 : commits.getLast().step(), out);
    }

    private static void printOpen(LedgerSnapshot snapshot, int lastCommitted, PrintWriter out) {
        Map<Integer, Integer> outcomes = new HashMap<>();
        for (LedgerEvent.SampleOutcome fate : of(LedgerEvent.SampleOutcome.class, snapshot)) {
            outcomes.merge(fate.step(), 1, Integer::sum);
        }
        for (LedgerEvent.StepOpened opened : of(LedgerEvent.StepOpened.class, snapshot)) {
            if (opened.step() > lastCommitted) {
                out.printf(
                        "step %d is not committed: %d of %d images are scored or known to be unscored%n",
                        opened.step(),
                        outcomes.getOrDefault(opened.step(), 0),
                        opened.slots() * opened.rows().size());
            }
        }
    }

    private static <E extends LedgerEvent> List<E> of(Class<E> type, LedgerSnapshot snapshot) {
        return snapshot.events().stream()
                .filter(type::isInstance)
                .map(type::cast)
                .toList();
    }

    private static String brief(String digest) {
        return digest.substring(0, Math.min(DIGEST_CHARACTERS, digest.length()));
    }
}
