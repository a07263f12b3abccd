package darkroom.actors.ledger;

import static org.assertj.core.api.Assertions.assertThat;

import darkroom.actors.events.RunEvent;
import darkroom.actors.events.StepTally;
import darkroom.actors.events.StopWhen;
import darkroom.actors.run.Settings;
import darkroom.actors.run.WorldRun;
import java.util.ArrayList;
import java.util.List;
import java.util.function.UnaryOperator;
import org.junit.jupiter.api.Test;

/** Tests the ledger of a run, and the same with one change. */
class LedgerAuditTest {
    private static final int STEPS = 3;
    private static final List<LedgerEvent> EVENTS = events();

    private static List<LedgerEvent> events() {
        try (WorldRun run =
                new WorldRun(5, Settings.run(1), StopWhen.NEVER).with(3, 2).start(STEPS)) {
            assertThat(run.toTheEnd().end()).isEqualTo(new RunEvent.End.Completed());
            return run.ledger.snapshot("run").events();
        }
    }

    private static List<String> findings(List<LedgerEvent> events) {
        return LedgerAudit.of(LedgerSnapshot.of(events.size(), events)).findings();
    }

    private static List<String> altered(Class<? extends LedgerEvent> type, int step, UnaryOperator<LedgerEvent> by) {
        List<LedgerEvent> events = new ArrayList<>(EVENTS);
        for (int i = 0; i < events.size(); i++) {
            LedgerEvent event = events.get(i);
            if (type.isInstance(event) && event.step() == step) {
                events.set(i, by.apply(event));
                return findings(events);
            }
        }
        throw new AssertionError("there is no " + type);
    }

    /** P-2. */
    @Test
    void the_ledger_of_a_run_keeps_its_laws() {
        assertThat(LedgerAudit.of(LedgerSnapshot.of(EVENTS.size(), EVENTS)))
                .isEqualTo(new LedgerAudit.Report(STEPS, STEPS, List.of()));
    }

    @Test
    void a_ledger_that_ends_anywhere_keeps_its_laws() {
        for (int kept = 0; kept < EVENTS.size(); kept++) {
            assertThat(findings(EVENTS.subList(0, kept))).isEmpty();
        }
    }

    @Test
    void a_ledger_that_was_reduced_keeps_its_laws() {
        LedgerSnapshot snapshot =
                LedgerSnapshot.of(EVENTS.size(), EVENTS).with(new LedgerEvent.CheckpointWritten(2, "d", 2));
        assertThat(LedgerAudit.of(snapshot)).isEqualTo(new LedgerAudit.Report(STEPS, 1, List.of()));
    }

    /** LA-2: every event counts, and counts once. */
    @Test
    void an_event_of_a_committed_step_that_is_missing_or_there_twice_is_found() {
        for (int i = 0; i < EVENTS.size(); i++) {
            LedgerEvent event = EVENTS.get(i);
            boolean harmless = event instanceof LedgerEvent.StepOpened
                    || (event instanceof LedgerEvent.StepCommitted && event.step() == STEPS - 1);
            List<LedgerEvent> without = new ArrayList<>(EVENTS);
            without.remove(i);
            if (!harmless) {
                assertThat(findings(without)).as("without %s", event).isNotEmpty();
            }
            List<LedgerEvent> twice = new ArrayList<>(EVENTS);
            twice.add(i, event);
            assertThat(findings(twice)).as("twice %s", event).isNotEmpty();
        }
    }

    /** LA-1. */
    @Test
    void a_tally_that_does_not_add_up_is_found() {
        assertThat(altered(LedgerEvent.StepCommitted.class, 1, event -> {
                    LedgerEvent.StepCommitted commit = (LedgerEvent.StepCommitted) event;
                    StepTally tally = commit.tally();
                    return new LedgerEvent.StepCommitted(
                            1,
                            commit.digests(),
                            new StepTally(
                                    tally.issued(),
                                    tally.counted() + 1,
                                    tally.dropped(),
                                    tally.unscored(),
                                    tally.abandoned()));
                }))
                .anyMatch(finding -> finding.startsWith("LA-1: step 1"))
                .anyMatch(finding -> finding.startsWith("LA-2: step 1"));
    }

    /** LA-3. */
    @Test
    void a_score_that_was_altered_is_found() {
        assertThat(altered(LedgerEvent.SlotScored.class, 1, event -> {
                    LedgerEvent.SlotScored scored = (LedgerEvent.SlotScored) event;
                    return new LedgerEvent.SlotScored(
                            1, scored.group(), scored.slot(), Math.abs(scored.score() - 0.03), 1, 1, scored.scorer());
                }))
                .singleElement()
                .asString()
                .startsWith("LA-3: step 1");
    }

    /** LA-4, LA-5. */
    @Test
    void a_writer_that_began_elsewhere_or_with_an_old_number_is_found() {
        List<LedgerEvent> events = new ArrayList<>(EVENTS);
        events.add(new LedgerEvent.RunOpened(1, STEPS, new RunDigests("x", "y", "z")));
        assertThat(findings(events))
                .anyMatch(finding -> finding.startsWith("LA-5: writer 1 follows writer 1"))
                .anyMatch(finding -> finding.startsWith("LA-4: writer 1 began after step 2"));
    }
}
