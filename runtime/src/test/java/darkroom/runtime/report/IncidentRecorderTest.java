package darkroom.runtime.report;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.tuple;

import darkroom.actors.events.WorkQueueEvent;
import darkroom.runtime.base.JsonLines;
import darkroom.runtime.base.RunDirectory;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** P-4: nodes and workers that are silent, die or block are recorded. */
class IncidentRecorderTest {
    private static final InstantSource CLOCK = InstantSource.fixed(Instant.ofEpochMilli(1_900_000_000_000L));

    @TempDir
    Path run = Path.of("unset");

    private List<Incident> written() {
        return JsonLines.read(new RunDirectory(run).incidents(), Incident.class);
    }

    @Test
    void what_happens_to_workers_is_a_line_with_who_it_was_and_the_units_that_are_done_again() {
        try (IncidentRecorder recorder = IncidentRecorder.in(run, CLOCK)) {
            recorder.heard(new WorkQueueEvent.WorkerLost("rollout", "rollout-7-x/rollout-0", 2));
            recorder.heard(
                    new WorkQueueEvent.LeaseExpired("score", "reward-9-y/reward-0", "score run step 0 group 1 slot 2"));
            recorder.heard(new WorkQueueEvent.Stalled(
                    "train", "trainer-8-z/trainer-0", "gradient step 3", Duration.ofSeconds(60), false));
        }
        assertThat(written())
                .extracting(Incident::kind, Incident::who, Incident::units)
                .containsExactly(
                        tuple(Incident.Kind.OPENED, "", 0),
                        tuple(Incident.Kind.WORKER_LOST, "rollout-7-x/rollout-0", 2),
                        tuple(Incident.Kind.LEASE_EXPIRED, "reward-9-y/reward-0", 1),
                        tuple(Incident.Kind.STALLED, "trainer-8-z/trainer-0", 0));
        assertThat(written().getLast().text()).contains("gradient step 3", "60000 ms");
    }

    @Test
    void a_run_that_goes_on_adds_to_what_was_written_before() {
        IncidentRecorder.in(run, CLOCK).close();
        IncidentRecorder.in(run, CLOCK).close();
        assertThat(written()).extracting(Incident::kind).containsExactly(Incident.Kind.OPENED, Incident.Kind.OPENED);
    }

    @Test
    void what_is_no_incident_is_not_written() {
        try (IncidentRecorder recorder = IncidentRecorder.in(run, CLOCK)) {
            recorder.heard(new WorkQueueEvent.WorkerJoined("rollout", "rollout-7-x/rollout-0", 1));
        }
        assertThat(written()).hasSize(1);
    }
}
