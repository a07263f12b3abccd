package darkroom.runtime.chaos;

import static org.assertj.core.api.Assertions.assertThat;

import darkroom.runtime.faults.FaultKind;
import java.util.List;
import java.util.Optional;
import java.util.OptionalDouble;
import org.junit.jupiter.api.Test;

final class ChaosTimelineTest {
    private static ChaosReport.Run run(List<ChaosReport.Incarnation> incarnations, List<ChaosReport.Fault> faults) {
        return new ChaosReport.Run(
                "run-1",
                1,
                Optional.empty(),
                60,
                null,
                true,
                Optional.empty(),
                List.of(),
                1,
                2,
                OptionalDouble.of(.9),
                List.of(5.0, 17.0),
                faults,
                incarnations,
                List.of());
    }

    private static ChaosReport.Fault fault(int id, double at, String witness) {
        return new ChaosReport.Fault(
                id,
                FaultKind.KILL,
                "kill",
                "rollout-<1>",
                102,
                at,
                3,
                8,
                witness,
                "",
                OptionalDouble.of(1),
                OptionalDouble.of(2));
    }

    @Test
    void a_run_is_drawn_with_its_processes_commits_and_faults() {
        String timeline = ChaosTimeline.of(run(
                List.of(
                        new ChaosReport.Incarnation("control", 101, 0, 60, Optional.empty()),
                        new ChaosReport.Incarnation("rollout-<1>", 102, 1, 20, Optional.of(137)),
                        new ChaosReport.Incarnation("rollout-<1>", 109, 23, 24, Optional.empty())),
                List.of(fault(71, 20, "exit code"), fault(72, 35, ""), fault(73, Double.NaN, ""))));
        assertThat(timeline)
                .contains(">control<", ">rollout-&lt;1&gt;<", "102, exit 137", ">71<", ">72<")
                .contains("fault without a witness", "seconds since the first process")
                .contains("1 value is not finite and is not drawn")
                .doesNotContain("109", ">73<", "NaN");
        assertThat(timeline.split("stroke=\"var\\(--c2\\)\"", -1))
                .as("two commits")
                .hasSize(3);
    }

    @Test
    void a_run_whose_processes_never_started_has_an_empty_timeline() {
        assertThat(ChaosTimeline.of(run(List.of(), List.of()))).contains("Timeline", "<svg");
    }
}
