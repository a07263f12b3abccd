package darkroom.runtime.run;

import darkroom.actors.ledger.LedgerEvent;
import darkroom.actors.ledger.LedgerSnapshot;
import darkroom.actors.ledger.RunDigests;
import darkroom.runtime.base.CommandFailedException;
import darkroom.runtime.base.ExitCode;
import darkroom.runtime.base.JsonLines;
import darkroom.runtime.base.RunDirectory;
import darkroom.runtime.report.StepMetrics;
import java.io.IOException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.TreeMap;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Compares a ledger with what the rest of a run's directory proves: a commit for every line of {@code metrics.jsonl}
 * and for every checkpoint. A ledger that is missing, was emptied, comes from another run or is an older copy lacks
 * commits.
 *
 * <ul>
 *   <li><b>LV-1</b> A run is resumed after N steps if the ledger has the commit of step N - 1, or a writer that began
 *       after N steps, with the digests of the checkpoint.
 *   <li><b>LV-2</b> If no checkpoint is whole, the run restarts and must compute everything committed as before: the
 *       ledger must then have the commit of every step in checkpoints and metrics.
 *   <li><b>LV-3</b> A run that had no ledger begins one at its current step.
 * </ul>
 */
public final class LedgerCoverage {
    /** Complete checkpoints, replaced ones, and those set aside as torn. */
    private static final Pattern CHECKPOINT = Pattern.compile("step-(\\d{1,9})(\\.replaced|\\.torn)?");

    private final Path run;
    private final TreeMap<Integer, LedgerEvent.StepCommitted> commits = new TreeMap<>();
    private final TreeMap<Integer, RunDigests> beginnings = new TreeMap<>();

    private LedgerCoverage(LedgerSnapshot snapshot, Path run) {
        this.run = run;
        for (LedgerEvent event : snapshot.events()) {
            switch (event) {
                case LedgerEvent.StepCommitted commit -> commits.put(commit.step(), commit);
                case LedgerEvent.RunOpened opened -> beginnings.putIfAbsent(opened.step(), opened.digests());
                default -> {}
            }
        }
    }

    /**
     * Lists what the directory of a run proves and its ledger does not have.
     *
     * @return one line each; empty if nothing is missing
     */
    public static List<String> missing(LedgerSnapshot snapshot, Path run) throws IOException {
        LedgerCoverage ledger = new LedgerCoverage(snapshot, run);
        List<String> findings = new ArrayList<>();
        List<Integer> without = new ArrayList<>();
        for (StepMetrics line : JsonLines.read(new RunDirectory(run).metrics(), StepMetrics.class)) {
            LedgerEvent.StepCommitted commit = ledger.commits.get(line.step());
            if (commit == null) {
                if (line.step() >= ledger.begin()) {
                    without.add(line.step());
                }
            } else if (!line.images().equals(images(commit))) {
                findings.add("step %d: metrics.jsonl has %s, and the commit in the ledger %s: they are not of one run"
                        .formatted(line.step(), line.images(), images(commit)));
            }
        }
        if (!without.isEmpty()) {
            findings.add("metrics.jsonl has %s, and the ledger, which has %s, has no commit of them"
                    .formatted(steps(without.getFirst(), without.getLast()), ledger.has()));
        }
        for (int step : ledger.checkpoints()) {
            if (step > ledger.begin() && !ledger.commits.containsKey(step - 1)) {
                findings.add(
                        "checkpoint step-%06d was written after step %d, but the ledger, which has %s, has no such commit"
                                .formatted(step, step - 1, ledger.has()));
            }
        }
        return findings;
    }

    /**
     * Refuses to resume a run whose ledger does not cover the resumed state: LV-1, LV-2.
     *
     * @param snapshot content of the ledger; empty if it does not exist
     * @param step steps committed in the state that the run resumes from; 0 without a whole checkpoint
     * @param digests digests of that state; empty with step 0
     * @param where location of the ledger, for display
     * @return a warning if steps in the metrics will be computed again with nothing to compare them with
     * @throws CommandFailedException with what is missing and both remedies
     */
    static Optional<String> require(
            LedgerSnapshot snapshot, Path run, int step, Optional<RunDigests> digests, String where)
            throws IOException {
        LedgerCoverage ledger = new LedgerCoverage(snapshot, run);
        int committed = ledger.metrics();
        if (step > 0) {
            ledger.requireCheckpoint(step, digests, where);
        } else {
            int all = Math.max(
                    committed,
                    ledger.checkpoints().stream()
                            .mapToInt(Integer::intValue)
                            .max()
                            .orElse(0));
            for (int one = 0; one < all; one++) {
                if (!ledger.commits.containsKey(one)) {
                    throw ledger.refused(
                            "no checkpoint is whole, so that %s would be computed again, and the ledger does not have step %d"
                                    .formatted(steps(0, all - 1), one),
                            where);
                }
            }
        }
        int recorded = ledger.commits.isEmpty() ? 0 : ledger.commits.lastKey() + 1;
        return recorded < committed && step < committed
                ? Optional.of(
                        "%s has %s, and metrics.jsonl is of %d steps: those after step %d are computed again, scores are asked for again, and nothing is there to hold them against"
                                .formatted(where, ledger.has(), committed, Math.max(recorded, step) - 1))
                : Optional.empty();
    }

    private void requireCheckpoint(int step, Optional<RunDigests> digests, String where) {
        LedgerEvent.StepCommitted commit = commits.get(step - 1);
        RunDigests recorded = commit == null ? beginnings.get(step) : commit.digests();
        if (recorded == null) {
            throw refused(
                    "it does not have step %d, after which checkpoint step-%06d was written".formatted(step - 1, step),
                    where);
        }
        if (digests.isPresent() && !digests.get().equals(recorded)) {
            throw refused(
                    "checkpoint step-%06d has %s, and it has %s: they are not of one run"
                            .formatted(step, digests.get(), recorded),
                    where);
        }
    }

    private CommandFailedException refused(String what, String where) {
        return new CommandFailedException("""
            %s cannot be resumed with its ledger: %s.
              The ledger is %s; it has %s. It was removed or emptied, is an older copy, or is another run's.
              Put the right one back. To continue without one, asking for scores again: darkroom train --resume %s --set ledger.store=none\
            """.formatted(run, what, where, has(), run), ExitCode.USAGE);
    }

    /** Returns the step at which the ledger began, which may be later than the run. */
    private int begin() {
        return beginnings.isEmpty() ? 0 : beginnings.firstKey();
    }

    private String has() {
        return commits.isEmpty() ? "no committed step" : steps(commits.firstKey(), commits.lastKey());
    }

    private static String steps(int first, int last) {
        return first == last ? "step " + first : "steps %d to %d".formatted(first, last);
    }

    /** Returns the number of steps in the metrics. */
    private int metrics() {
        int[] steps = {0};
        JsonLines.forEach(
                new RunDirectory(run).metrics(),
                StepMetrics.class,
                line -> steps[0] = Math.max(steps[0], line.step() + 1));
        return steps[0];
    }

    private List<Integer> checkpoints() throws IOException {
        List<Integer> steps = new ArrayList<>();
        Path place = CheckpointWriter.placeIn(run);
        if (Files.isDirectory(place)) {
            try (DirectoryStream<Path> entries = Files.newDirectoryStream(place)) {
                for (Path entry : entries) {
                    Matcher name = CHECKPOINT.matcher(String.valueOf(entry.getFileName()));
                    if (name.matches()) {
                        steps.add(Integer.valueOf(name.group(1)));
                    }
                }
            }
        }
        steps.sort(null);
        return steps;
    }

    private static StepMetrics.Images images(LedgerEvent.StepCommitted commit) {
        return new StepMetrics.Images(
                commit.tally().issued(),
                commit.tally().counted(),
                commit.tally().dropped(),
                commit.tally().unscored(),
                commit.tally().abandoned());
    }
}
