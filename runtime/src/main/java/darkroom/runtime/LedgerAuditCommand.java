package darkroom.runtime;

import darkroom.actors.LedgerAudit;
import darkroom.actors.LedgerBook;
import darkroom.actors.LedgerEvent;
import darkroom.actors.OffHeapTensorStore;
import darkroom.actors.RunDigests;
import darkroom.gpuworkers.CheckpointException;
import darkroom.gpuworkers.Checkpoints;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** A ledger, and the checkpoints beside it, held against their laws. */
@Command(
        name = "audit",
        description = {
            "Checks the ledger of a run: issued = counted + dropped + unscored + abandoned in every step, every slot"
                    + " one fate, the chain of verdicts, the order of steps and writers; and that the checkpoints are"
                    + " those that were recorded, with the weights of the commits.",
            "",
            "Exit code 1 if anything is wrong."
        })
final class LedgerAuditCommand implements Callable<Integer> {
    @Spec
    private CommandSpec spec;

    @Parameters(paramLabel = "RUN", description = "Directory of the run.")
    private Path run;

    @Override
    public Integer call() throws IOException {
        LedgerBook book;
        try (RunJournal journal = LedgerCommand.open(run)) {
            book = journal.read();
        }
        LedgerAudit.Report report = LedgerAudit.of(book);
        List<Path> checkpoints = CheckpointWriter.in(run).list();
        List<String> findings = new ArrayList<>(report.findings());
        findings.addAll(checked(book, checkpoints));
        PrintWriter out = spec.commandLine().getOut();
        findings.forEach(out::println);
        out.printf(
                "%d committed steps, %d of them slot by slot, %d checkpoints: %s%n",
                report.steps(),
                report.detailed(),
                checkpoints.size(),
                findings.isEmpty() ? "nothing is wrong" : findings.size() + " findings");
        out.flush();
        return (findings.isEmpty() ? ExitCode.OK : ExitCode.FAILED).code();
    }

    private List<String> checked(LedgerBook book, List<Path> checkpoints) throws IOException {
        Map<Integer, RunDigests> commits = new HashMap<>();
        Map<Integer, String> written = new HashMap<>();
        for (LedgerEvent event : book.events()) {
            if (event instanceof LedgerEvent.StepCommitted commit) {
                commits.put(commit.step() + 1, commit.digests());
            } else if (event instanceof LedgerEvent.CheckpointWritten checkpoint) {
                written.put(checkpoint.step(), checkpoint.digest());
            }
        }
        List<String> findings = new ArrayList<>();
        long bytesMax = LocalRun.settingsOf(run, List.of()).limits().tensorBytesMax();
        for (Path checkpoint : checkpoints) {
            int step = Checkpoints.step(checkpoint).orElse(0);
            try (OffHeapTensorStore store = new OffHeapTensorStore("audit", bytesMax)) {
                RunDigests found =
                        RunDigests.of(store, Checkpoints.load(checkpoint, store).state());
                if (!found.equals(commits.getOrDefault(step, found))) {
                    findings.add("%s has %s, and step %d was committed with %s"
                            .formatted(checkpoint, found, step - 1, commits.get(step)));
                }
                String digest = Checkpoints.digest(checkpoint);
                if (!digest.equals(written.getOrDefault(step, digest))) {
                    findings.add("%s has a manifest with the digest %s, and %s was recorded"
                            .formatted(checkpoint, digest, written.get(step)));
                }
            } catch (CheckpointException e) {
                findings.add(String.valueOf(e.getMessage()));
            }
        }
        return findings;
    }
}
