package darkroom.runtime.chaos;

import static org.assertj.core.api.Assertions.assertThat;

import darkroom.runtime.chaos.ChaosPlan.Planned;
import darkroom.runtime.faults.FaultKind;
import darkroom.runtime.faults.FaultOrder;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.OptionalDouble;
import java.util.Set;
import org.junit.jupiter.api.Test;

class FaultScheduleTest {
    private static final Duration HANG_AFTER = Duration.ofSeconds(40);
    private static final Planned AT_ONCE = planned(0, 3);
    private static final Planned AFTER_STEP_2 = planned(2, 1);

    private final List<Planned> injected = new ArrayList<>();

    private static Planned planned(int atStep, int seconds) {
        return new Planned(FaultOrder.usual(FaultKind.KILL), "rollout", atStep, Duration.ofSeconds(seconds));
    }

    /** Injects what is due {@code now} in a run that began at second 10. */
    private List<Planned> at(FaultSchedule schedule, double now, int steps, OptionalDouble lastCommit)
            throws Exception {
        injected.clear();
        schedule.injectDue(
                new FaultSchedule.Progress(now, 10, steps, lastCommit), entry -> injected.add(entry.planned()));
        return injected;
    }

    @Test
    void a_fault_of_step_0_is_due_its_time_after_the_first_rollout_node_joined() throws Exception {
        FaultSchedule schedule = new FaultSchedule(List.of(AT_ONCE), Set.of(AT_ONCE), HANG_AFTER);
        assertThat(at(schedule, 12.9, 0, OptionalDouble.empty())).isEmpty();
        assertThat(schedule.missing()).containsExactly(AT_ONCE);
        assertThat(at(schedule, 13, 0, OptionalDouble.empty())).containsExactly(AT_ONCE);
        assertThat(at(schedule, 14, 0, OptionalDouble.empty())).isEmpty();
        assertThat(schedule.missing()).isEmpty();
    }

    @Test
    void a_fault_of_a_later_step_is_due_its_time_after_that_step_was_seen_to_be_committed() throws Exception {
        FaultSchedule schedule = new FaultSchedule(List.of(AFTER_STEP_2), Set.of(AFTER_STEP_2), HANG_AFTER);
        assertThat(at(schedule, 50, 1, OptionalDouble.of(49))).isEmpty();
        assertThat(at(schedule, 60, 2, OptionalDouble.of(59))).isEmpty();
        assertThat(at(schedule, 60.9, 2, OptionalDouble.of(59))).isEmpty();
        assertThat(at(schedule, 61, 3, OptionalDouble.of(61))).containsExactly(AFTER_STEP_2);
    }

    @Test
    void a_fault_that_cannot_affect_a_process_now_stays_due() throws Exception {
        FaultSchedule schedule = new FaultSchedule(List.of(AT_ONCE, AFTER_STEP_2), Set.of(AT_ONCE), HANG_AFTER);
        schedule.injectDue(new FaultSchedule.Progress(20, 10, 0, OptionalDouble.empty()), _ -> false);
        assertThat(schedule.missing()).containsExactly(AT_ONCE);
        assertThat(at(schedule, 20, 0, OptionalDouble.empty())).containsExactly(AT_ONCE);
    }

    /** A quarter of the time after which the run counts as hanging: here 10 s. */
    @Test
    void faults_by_chance_wait_for_a_commit_and_those_of_the_plan_do_not() throws Exception {
        Planned byChance = planned(0, 2);
        FaultSchedule schedule = new FaultSchedule(List.of(byChance, AT_ONCE), Set.of(AT_ONCE), HANG_AFTER);
        assertThat(at(schedule, 30.5, 1, OptionalDouble.of(20))).containsExactly(AT_ONCE);
        assertThat(schedule.missing()).isEmpty();
        assertThat(at(schedule, 31, 2, OptionalDouble.of(30.8))).containsExactly(byChance);
    }
}
