package darkroom.runtime;

import darkroom.actors.LedgerAudit;
import darkroom.actors.LedgerBook;
import darkroom.actors.LedgerEvent;
import darkroom.actors.OffHeapTensorStore;
import darkroom.actors.RunDigests;
import darkroom.config.ErrorReason;
import darkroom.gpuworkers.CheckpointException;
import darkroom.gpuworkers.Checkpoints;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * A run's ledger, and the checkpoints and metrics beside it, held against their laws and each other.
 *
 * @param book the ledger
 * @param steps committed steps
 * @param detailed those of them that were audited slot by slot
 * @param checkpoints that are there
 * @param findings what is wrong; empty if nothing is
 */
record RunAudit(LedgerBook book, int steps, int detailed, int checkpoints, List<String> findings) {
    RunAudit {
        findings = List.copyOf(findings);
    }

    /** @throws CommandFailedException if the run has no ledger that can be read now */
    static RunAudit of(Path run) throws IOException {
        LedgerBook book;
        try (RunJournal journal = LedgerCommand.open(run)) {
            book = journal.read();
        }
        LedgerAudit.Report report = LedgerAudit.of(book);
        List<Path> checkpoints = CheckpointWriter.in(run).list();
        List<String> findings = new ArrayList<>(report.findings());
        findings.addAll(LedgerCoverage.missing(book, run));
        findings.addAll(checked(run, book, checkpoints));
        return new RunAudit(book, report.steps(), report.detailed(), checkpoints.size(), findings);
    }

    private static List<String> checked(Path run, LedgerBook book, List<Path> checkpoints) throws IOException {
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
                findings.add(ErrorReason.of(e));
            }
        }
        return findings;
    }
}
