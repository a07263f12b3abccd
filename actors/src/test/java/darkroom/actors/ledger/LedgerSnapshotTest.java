package darkroom.actors.ledger;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import darkroom.actors.device.ScoreOutcome;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

class LedgerSnapshotTest {
    private static final RunDigests START = new RunDigests("w", "o", "");

    private static LedgerSnapshot ofSteps(int steps) {
        LedgerSnapshot snapshot = LedgerSnapshot.empty().with(new LedgerEvent.RunOpened(1, 0, START));
        for (int step = 0; step < steps; step++) {
            for (LedgerEvent event : LedgerSamples.step(step)) {
                snapshot = snapshot.with(event);
            }
        }
        return snapshot;
    }

    /** LB-1, P-9. */
    @Test
    void before_the_oldest_checkpoint_that_is_kept_there_are_commits_alone() {
        LedgerSnapshot whole = ofSteps(6);
        LedgerSnapshot reduced = whole.with(new LedgerEvent.CheckpointWritten(6, "d", 4));
        assertThat(reduced.events().stream()
                        .filter(event -> event.step() < 4 && !(event instanceof LedgerEvent.RunOpened)))
                .hasSize(4)
                .allMatch(LedgerEvent.StepCommitted.class::isInstance);
        assertThat(reduced.events().stream().filter(event -> event.step() >= 4))
                .hasSize(2 * LedgerSamples.step(0).size() + 1);
        assertThat(reduced.written()).isEqualTo(whole.written() + 1);
        assertThat(reduced.epoch()).isEqualTo(1);
    }

    /** LB-1: thousands of steps take the memory of their commits. */
    @Test
    void a_snapshot_of_many_checkpointed_steps_stays_small() {
        LedgerSnapshot snapshot = LedgerSnapshot.empty();
        for (int step = 0; step < 2000; step++) {
            for (LedgerEvent event : LedgerSamples.step(step)) {
                snapshot = snapshot.with(event);
            }
            if (step % 10 == 9) {
                snapshot = snapshot.with(new LedgerEvent.CheckpointWritten(step + 1, "d", step + 1 - 10));
            }
        }
        assertThat(snapshot.events())
                .hasSizeLessThan(2000 + 12 * LedgerSamples.step(0).size());
    }

    @Test
    void a_history_has_what_is_recorded_from_the_state_on_and_nothing_of_before() {
        LedgerHistory history = LedgerHistory.of(ofSteps(3), 2);
        assertThat(history.opened(1)).isEmpty();
        assertThat(history.outcomes(1, 0)).isEmpty();
        assertThat(history.opened(2)).isPresent();
        assertThat(history.generated(2, 1)).isPresent();
        assertThat(history.outcomes(2, 1))
                .isEqualTo(Map.of(
                        0, new ScoreOutcome.Scored(0.25, 1, 1, "s"), 1, new ScoreOutcome.Scored(0.75, 1, 1, "s")));
        assertThat(history.judged(2, 0))
                .hasValueSatisfying(group -> assertThat(group.fate()).isEqualTo(LedgerEvent.Fate.KEPT));
        assertThat(history.committed(2)).isPresent();
        assertThat(history.lost(2, 0)).isEmpty();
    }

    /** The first recorded outcome of a slot stands, as with a score that arrives twice (GC-2). */
    @Test
    void the_first_outcome_of_a_slot_stands() {
        LedgerSnapshot snapshot = LedgerSnapshot.empty()
                .with(new LedgerEvent.SlotScored(0, 0, 0, 0.5, 1, 1, "s"))
                .with(new LedgerEvent.SlotUnscored(0, 0, 0, "late", 1));
        assertThat(LedgerHistory.of(snapshot, 0).outcomes(0, 0))
                .isEqualTo(Map.of(0, new ScoreOutcome.Scored(0.5, 1, 1, "s")));
    }

    /** LG-2. */
    @Test
    void every_writer_has_a_number_higher_than_those_before_it_also_after_a_reduction() {
        LedgerSnapshot snapshot = ofSteps(2).with(new LedgerEvent.RunOpened(5, 1, new RunDigests("w0", "o0", "v0")));
        snapshot = snapshot.with(new LedgerEvent.CheckpointWritten(2, "d", 2));
        LedgerSnapshot read = LedgerFormat.readSnapshot(LedgerFormat.write(snapshot));
        assertThat(read.nextWriter(0, START).epoch()).isEqualTo(6);
    }

    /** LG-4. */
    @Test
    void a_state_that_is_not_the_recorded_one_is_refused() {
        LedgerSnapshot snapshot = ofSteps(3);
        assertThat(snapshot.nextWriter(3, new RunDigests("w2", "o2", "v2")).epoch())
                .isEqualTo(2);
        assertThat(snapshot.nextWriter(4, new RunDigests("x", "y", "z")).epoch())
                .as("the ledger lost its end; the checkpoint is there")
                .isEqualTo(2);
        List<RunDigests> others = List.of(
                new RunDigests("x", "o2", "v2"), new RunDigests("w2", "x", "v2"), new RunDigests("w2", "o2", "x"));
        IntStream.range(0, 3).forEach(i -> assertThatThrownBy(() -> snapshot.nextWriter(3, others.get(i)))
                .isInstanceOf(LedgerException.class)
                .hasMessageContaining("after step 2"));
    }
}
