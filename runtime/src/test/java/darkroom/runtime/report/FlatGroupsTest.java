package darkroom.runtime.report;

import static org.assertj.core.api.Assertions.assertThat;

import darkroom.actors.ledger.LedgerEvent;
import darkroom.runtime.base.JsonLines;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Optional;
import java.util.OptionalDouble;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** F10: a scorer that ignores the pictures ends a run, at the same step whether it was resumed or not. */
class FlatGroupsTest {
    private static final double LIVELY = .1;

    @Test
    void groups_of_equal_scores_in_a_row_over_several_steps_end_the_run_and_name_the_scorer() {
        FlatGroups rule = new FlatGroups(2, 6, 0, () -> "http://judge model-7b");
        assertThat(after(rule, 0, 0, 0)).isEmpty();
        assertThat(after(rule, 0, 0)).isEmpty();
        assertThat(after(rule, 0, 1e-12)).hasValueSatisfying(reason -> assertThat(reason)
                .contains(
                        "the last 7 scored groups have spread 0",
                        "scoring.flat-groups-max=6",
                        "http://judge model-7b",
                        "does not look at the pictures"));
    }

    @Test
    void a_group_with_different_scores_begins_the_count_anew() {
        FlatGroups rule = new FlatGroups(0, 3, 0, () -> "");
        assertThat(after(rule, 0, 0, LIVELY)).isEmpty();
        assertThat(after(rule, 0, 0)).isEmpty();
        assertThat(after(rule, LIVELY, 0, 0)).isEmpty();
        assertThat(after(rule, 0)).isPresent();
    }

    @Test
    void zero_never_ends_it() {
        FlatGroups rule = new FlatGroups(0, 0, 1_000_000, () -> "");
        assertThat(after(rule, 0, 0, 0)).isEmpty();
    }

    @Test
    void a_group_with_fewer_than_two_scores_says_nothing() {
        FlatGroups rule = new FlatGroups(0, 2, 1, () -> "");
        assertThat(rule.reason(ScriptedEvents.step(0, 1, 0, 0), Optional.empty()))
                .isEmpty();
        assertThat(after(rule, 0)).isPresent();
    }

    /** P-7. */
    @ParameterizedTest
    @ValueSource(ints = {0, 1, 2, 3, 4})
    void what_is_recorded_counts_as_what_was_heard(int stoppedAfter, @TempDir Path directory) {
        double[][] spreads = {{0, LIVELY}, {0, 0}, {LIVELY, 0}, {0, 0}, {0, 0}};
        FlatGroups straight = new FlatGroups(0, 4, 0, () -> "");
        int straightEnd = -1;
        for (int step = 0; step < spreads.length && straightEnd < 0; step++) {
            straightEnd = after(straight, step, spreads[step]).isPresent() ? step : -1;
        }
        Path decisions = directory.resolve("decisions.jsonl");
        try (JsonLines<GroupDecision> lines = JsonLines.open(decisions, GroupDecision.class, _ -> true)) {
            for (int step = 0; step < stoppedAfter; step++) {
                for (int group = 0; group < spreads[step].length; group++) {
                    lines.append(decision(step, group, spreads[step][group]));
                }
            }
        }
        FlatGroups resumed = new FlatGroups(0, 4, FlatGroups.recorded(decisions), () -> "");
        int end = -1;
        for (int step = stoppedAfter; step < spreads.length && end < 0; step++) {
            end = after(resumed, step, spreads[step]).isPresent() ? step : -1;
        }
        assertThat(end).isEqualTo(straightEnd).isEqualTo(4);
    }

    private static GroupDecision decision(int step, int group, double std) {
        return new GroupDecision(
                step,
                group,
                "row",
                "add",
                "add a boat",
                LedgerEvent.Fate.KEPT,
                "",
                OptionalDouble.of(.5),
                OptionalDouble.of(std),
                new ArrayList<>(Collections.nCopies(4, OptionalDouble.of(.5))),
                List.of(),
                null);
    }

    private static Optional<String> after(FlatGroups rule, double... spreads) {
        return after(rule, 0, spreads);
    }

    private static Optional<String> after(FlatGroups rule, int step, double[] spreads) {
        return rule.reason(ScriptedEvents.step(step, ScriptedEvents.SLOTS, spreads), Optional.empty());
    }
}
