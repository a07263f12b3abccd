package darkroom.runtime.cluster;

import static org.assertj.core.api.Assertions.assertThat;

import darkroom.runtime.cluster.HeartbeatMonitor.Observation;
import darkroom.runtime.report.Summary;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class HeartbeatMonitorTest {
    private static final Duration SILENT = Duration.ofSeconds(3);
    private static final Optional<Boolean> ALIVE = Optional.of(true);
    private static final ControlHeartbeat HEARTBEAT = ControlHeartbeat.first("control-1", "127.0.0.1:1");

    private long nanos;
    private final HeartbeatMonitor watch = new HeartbeatMonitor(SILENT, () -> nanos);

    private void pass(Duration time) {
        nanos += time.toNanos();
    }

    @Test
    void a_run_that_nobody_has_begun_has_nobody_to_follow() {
        pass(SILENT.multipliedBy(10));
        assertThat(watch.look(Optional.empty(), Optional.empty())).isInstanceOf(Observation.Nobody.class);
    }

    @Test
    void a_control_node_that_is_seen_to_live_is_active_however_long() {
        ControlHeartbeat heartbeat = HEARTBEAT;
        for (int i = 0; i < 20; i++) {
            assertThat(watch.look(Optional.of(heartbeat), ALIVE)).isInstanceOf(Observation.Active.class);
            heartbeat = heartbeat.next();
            pass(SILENT.minusMillis(1));
        }
    }

    @Test
    void one_that_is_silent_is_gone_although_its_process_incarnations() {
        assertThat(watch.look(Optional.of(HEARTBEAT), ALIVE)).isInstanceOf(Observation.Active.class);
        pass(SILENT);
        assertThat(watch.look(Optional.of(HEARTBEAT), ALIVE))
                .isInstanceOfSatisfying(
                        Observation.Gone.class, gone -> assertThat(gone.why()).contains("3000 ms"));
    }

    @Test
    void one_whose_process_is_gone_is_not_waited_for() {
        assertThat(watch.look(Optional.of(HEARTBEAT), Optional.of(false))).isInstanceOf(Observation.Gone.class);
    }

    @Test
    void one_of_another_machine_is_judged_by_its_silence_alone() {
        assertThat(watch.look(Optional.of(HEARTBEAT), Optional.empty())).isInstanceOf(Observation.Active.class);
        pass(SILENT);
        assertThat(watch.look(Optional.of(HEARTBEAT), Optional.empty())).isInstanceOf(Observation.Gone.class);
    }

    @Test
    void a_beat_that_cannot_be_read_for_a_moment_is_no_death() {
        assertThat(watch.look(Optional.of(HEARTBEAT), ALIVE)).isInstanceOf(Observation.Active.class);
        pass(SILENT.minusMillis(1));
        assertThat(watch.look(Optional.empty(), Optional.empty())).isInstanceOf(Observation.Active.class);
    }

    @Test
    void a_run_that_has_ended_is_followed_by_nobody() {
        assertThat(watch.look(
                        Optional.of(HEARTBEAT.endedBy(Summary.End.Kind.COMPLETED, "all steps are committed")),
                        Optional.of(false)))
                .isInstanceOf(Observation.Ended.class);
    }

    @Test
    void a_beat_says_which_process_it_is_of(@TempDir Path directory) throws IOException {
        HEARTBEAT.write(directory);
        ControlHeartbeat read = ControlHeartbeat.read(directory).orElseThrow();
        assertThat(read).isEqualTo(HEARTBEAT);
        assertThat(read.process())
                .map(ProcessHandle::pid)
                .contains(ProcessHandle.current().pid());
        ControlHeartbeat reused = new ControlHeartbeat(
                HEARTBEAT.name(),
                HEARTBEAT.host(),
                HEARTBEAT.pid(),
                HEARTBEAT.startedMillis() + 1,
                HEARTBEAT.address(),
                7,
                null,
                "");
        assertThat(reused.process()).as("another process of that number").isEmpty();
        Files.writeString(directory.resolve(ControlHeartbeat.FILE), "{\"name\":");
        assertThat(ControlHeartbeat.read(directory)).isEmpty();
    }

    /** A control node that was stopped, declared gone and replaced does nothing more. */
    @Test
    void a_keeper_that_finds_anothers_beat_says_so_and_does_not_write_over_it(@TempDir Path directory)
            throws Exception {
        var followed = new java.util.concurrent.CountDownLatch(1);
        ControlHeartbeat other = ControlHeartbeat.first("control-2", "127.0.0.1:2");
        try (HeartbeatWriter coordinator = HeartbeatWriter.start(directory, HEARTBEAT, followed::countDown)) {
            other.write(directory);
            assertThat(followed.await(20, java.util.concurrent.TimeUnit.SECONDS))
                    .isTrue();
            coordinator.ended(Summary.End.Kind.COMPLETED, "all steps are committed");
        }
        assertThat(ControlHeartbeat.read(directory)).contains(other);
    }
}
