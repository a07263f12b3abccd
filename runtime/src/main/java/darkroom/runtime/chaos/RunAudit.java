package darkroom.runtime.chaos;

import darkroom.actors.ledger.LedgerAudit;
import darkroom.actors.ledger.LedgerEvent;
import darkroom.actors.ledger.LedgerSnapshot;
import darkroom.actors.ledger.RunDigests;
import darkroom.config.ErrorReason;
import darkroom.gpuworkers.checkpoints.CheckpointException;
import darkroom.gpuworkers.checkpoints.Checkpoints;
import darkroom.runtime.base.RunJournal;
import darkroom.runtime.run.CheckpointWriter;
import darkroom.runtime.run.LedgerCoverage;
import darkroom.runtime.run.LocalRun;
import darkroom.tensors.OffHeapTensorStore;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * Audit of a run's ledger, checkpoints and metrics against their laws and each other.
 *
 * @param snapshot the ledger snapshot
 * @param steps committed steps
 * @param detailed number of those that were audited slot by slot
 * @param checkpoints number of existing checkpoints
 * @param findings violations; empty if there are none
 */
public record RunAudit(LedgerSnapshot snapshot, int steps, int detailed, int checkpoints, List<Finding> findings) {
    /**
     * A violation.
     *
     * @param text description for people, one line
     */
    public record Finding(Kind kind, String text) {
        /** The part of a run that violates its law. */
        public enum Kind {
            /** The ledger by itself. */
            LEDGER,
            /** The metrics, or the checkpoints as a whole, compared with the ledger. */
            COVERAGE,
            /** The tensors of a checkpoint are torn, altered or missing. */
            LEARNER_FILE,
            /** Another part of a checkpoint, or what the ledger says about it. */
            CHECKPOINT
        }
    }

    public RunAudit {
        findings = List.copyOf(findings);
    }

    /**
     * Audits a run.
     *
     * @throws CommandFailedException if the run has no ledger that can be read now
     */
    public static RunAudit of(Path run) throws IOException {
        LedgerSnapshot snapshot;
        try (RunJournal journal = LocalRun.ledgerOf(run)) {
            snapshot = journal.read();
        }
        LedgerAudit.Report report = LedgerAudit.of(snapshot);
        List<Path> checkpoints = CheckpointWriter.in(run).list();
        List<Finding> findings = new ArrayList<>();
        report.findings().forEach(text -> findings.add(new Finding(Finding.Kind.LEDGER, text)));
        LedgerCoverage.missing(snapshot, run).forEach(text -> findings.add(new Finding(Finding.Kind.COVERAGE, text)));
        findings.addAll(checked(run, snapshot, checkpoints));
        return new RunAudit(snapshot, report.steps(), report.detailed(), checkpoints.size(), findings);
    }

    private static List<Finding> checked(Path run, LedgerSnapshot snapshot, List<Path> checkpoints) throws IOException {
        Map<Integer, RunDigests> commits = new HashMap<>();
        Map<Integer, String> written = new HashMap<>();
        for (LedgerEvent event : snapshot.events()) {
            if (event instanceof LedgerEvent.StepCommitted commit) {
                commits.put(commit.step() + 1, commit.digests());
            } else if (event instanceof LedgerEvent.CheckpointWritten checkpoint) {
                written.put(checkpoint.step(), checkpoint.digest());
            }
        }
        List<Finding> findings = new ArrayList<>();
        long bytesMax = LocalRun.settingsOf(run, List.of()).limits().tensorBytesMax();
        for (Path checkpoint : checkpoints) {
            int step = Checkpoints.step(checkpoint).orElse(0);
            try (OffHeapTensorStore store = new OffHeapTensorStore("audit", bytesMax)) {
                RunDigests found =
                        RunDigests.of(store, Checkpoints.load(checkpoint, store).state());
                if (!found.equals(commits.getOrDefault(step, found))) {
                    findings.add(different("%s has %s, and step %d was committed with %s"
                            .formatted(checkpoint, found, step - 1, commits.get(step))));
                }
                String digest = Checkpoints.digest(checkpoint);
                if (!digest.equals(written.getOrDefault(step, digest))) {
                    findings.add(different("%s has a manifest with the digest %s, and %s was recorded"
                            .formatted(checkpoint, digest, written.get(step))));
                }
            } catch (CheckpointException e) {
                boolean learner = e.file().filter(Checkpoints.LEARNER::equals).isPresent();
                findings.add(
                        new Finding(learner ? Finding.Kind.LEARNER_FILE : Finding.Kind.CHECKPOINT, ErrorReason.of(e)));
            }
        }
        return findings;
    }

    private static Finding different(String text) {
        return new Finding(Finding.Kind.CHECKPOINT, text);
    }
}
