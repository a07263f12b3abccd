package darkroom.runtime.run;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import darkroom.actors.events.StepTally;
import darkroom.actors.ledger.LedgerEvent;
import darkroom.actors.ledger.LedgerSnapshot;
import darkroom.actors.ledger.RunDigests;
import darkroom.runtime.base.CommandFailedException;
import darkroom.runtime.base.JsonLines;
import darkroom.runtime.base.RunDirectory;
import darkroom.runtime.report.StepMetrics;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.OptionalInt;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class LedgerCoverageTest {
    private static final String WHERE = "run/ledger.mv.db";

    @TempDir
    Path run = Path.of("unset");

    private static RunDigests digests(int steps) {
        return new RunDigests("weights-" + steps, "optimizer-" + steps, "decisions-" + steps);
    }

    private static LedgerSnapshot ledger(int from, int to) {
        LedgerSnapshot snapshot = LedgerSnapshot.empty().with(new LedgerEvent.RunOpened(1, from, digests(from)));
        for (int step = from; step < to; step++) {
            snapshot =
                    snapshot.with(new LedgerEvent.StepCommitted(step, digests(step + 1), new StepTally(8, 6, 2, 0, 0)));
        }
        return snapshot;
    }

    private LedgerCoverageTest metrics(int steps, int counted) {
        try (JsonLines<StepMetrics> lines =
                JsonLines.open(new RunDirectory(run).metrics(), StepMetrics.class, _ -> true)) {
            IntStream.range(0, steps)
                    .mapToObj(step -> new StepMetrics(
                            step,
                            new StepMetrics.Reward(OptionalDouble.empty(), OptionalDouble.empty()),
                            new StepMetrics.Groups(1, 0, 0),
                            new StepMetrics.Images(8, counted, 8 - counted, 0, 0),
                            OptionalInt.empty(),
                            0,
                            List.of(),
                            new StepMetrics.Timings(0, 0, 0, 0, 0),
                            OptionalDouble.empty(),
                            List.of(),
                            OptionalDouble.empty()))
                    .forEach(lines::append);
        }
        return this;
    }

    private LedgerCoverageTest checkpoint(String name) throws IOException {
        Files.createDirectories(CheckpointWriter.placeIn(run).resolve(name));
        return this;
    }

    private Optional<String> require(LedgerSnapshot snapshot, int step) throws IOException {
        return LedgerCoverage.require(
                snapshot, run, step, step == 0 ? Optional.empty() : Optional.of(digests(step)), WHERE);
    }

    private void assertRefused(LedgerSnapshot snapshot, int step, String... texts) {
        assertThatThrownBy(() -> require(snapshot, step))
                .isInstanceOf(CommandFailedException.class)
                .hasMessageContainingAll(texts)
                .hasMessageContainingAll(WHERE, "--set ledger.store=none");
    }

    /** LV-1: a ledger that was removed, emptied, is an older copy, or belongs to another run. */
    @Test
    void a_run_is_resumed_where_its_ledger_has_the_commit_of_its_checkpoint_and_nowhere_else() throws IOException {
        metrics(6, 6).checkpoint("step-000004").checkpoint("step-000006");
        assertThat(require(ledger(0, 6), 6)).isEmpty();
        assertRefused(LedgerSnapshot.empty(), 6, "does not have step 5", "no committed step");
        assertRefused(ledger(0, 3), 6, "does not have step 5", "steps 0 to 2");
        assertThatThrownBy(() -> LedgerCoverage.require(ledger(0, 6), run, 6, Optional.of(digests(99)), WHERE))
                .hasMessageContaining("not of one run");
    }

    /** LV-1: a ledger that began again at this very step. */
    @Test
    void a_ledger_that_began_at_the_step_of_the_checkpoint_vouches_for_it() throws IOException {
        metrics(6, 6).checkpoint("step-000006");
        assertThat(require(ledger(6, 6), 6)).isEmpty();
        assertThat(require(ledger(6, 8), 6)).isEmpty();
        assertRefused(ledger(5, 5), 6, "does not have step 5");
    }

    /** LV-2: with torn checkpoints, too. */
    @Test
    void a_run_without_a_whole_checkpoint_begins_again_where_its_ledger_has_every_step() throws IOException {
        metrics(3, 6).checkpoint("step-000004.torn");
        assertThat(require(ledger(0, 4), 0)).isEmpty();
        assertRefused(LedgerSnapshot.empty(), 0, "no checkpoint is whole", "does not have step 0");
        assertRefused(ledger(0, 3), 0, "does not have step 3");
    }

    @Test
    void a_run_that_has_committed_nothing_begins_with_an_empty_ledger() throws IOException {
        assertThat(require(LedgerSnapshot.empty(), 0)).isEmpty();
        assertThat(metrics(2, 6).require(ledger(0, 2), 0)).isEmpty();
        assertRefused(LedgerSnapshot.empty(), 0, "steps 0 to 1 would be computed again");
    }

    @Test
    void steps_after_the_checkpoint_that_the_ledger_has_lost_are_named() throws IOException {
        metrics(6, 6).checkpoint("step-000002");
        assertThat(require(ledger(0, 3), 2)).hasValueSatisfying(warning -> assertThat(warning)
                .contains("steps 0 to 2", "of 6 steps", "after step 2"));
    }

    @Test
    void an_audit_compares_with_metrics_and_checkpoints() throws IOException {
        metrics(6, 6).checkpoint("step-000006");
        assertThat(LedgerCoverage.missing(ledger(0, 6), run)).isEmpty();
        assertThat(LedgerCoverage.missing(ledger(0, 2), run))
                .satisfiesExactly(
                        metrics -> assertThat(metrics).contains("steps 2 to 5", "steps 0 to 1"),
                        checkpoint -> assertThat(checkpoint).contains("step-000006", "step 5"));
        assertThat(LedgerCoverage.missing(LedgerSnapshot.empty(), run)).hasSize(2);
        assertThat(LedgerCoverage.missing(ledger(4, 6), run))
                .as("it began later")
                .isEmpty();
    }

    @Test
    void an_audit_finds_a_ledger_whose_counts_are_anothers() throws IOException {
        metrics(2, 5);
        assertThat(LedgerCoverage.missing(ledger(0, 2), run)).hasSize(2).allSatisfy(finding -> assertThat(finding)
                .contains("counted=5", "counted=6", "not of one run"));
    }
}
