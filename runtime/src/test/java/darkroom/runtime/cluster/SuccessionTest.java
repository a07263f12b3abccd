package darkroom.runtime.cluster;

import static org.assertj.core.api.Assertions.assertThat;

import darkroom.actors.ledger.RunDigests;
import darkroom.config.Recipes;
import darkroom.runtime.base.ExitCode;
import darkroom.runtime.bench.ScheduleBench;
import darkroom.runtime.report.Summary;
import darkroom.runtime.run.CheckpointWriter;
import darkroom.tensors.OffHeapTensorStore;
import io.zonky.test.db.postgres.embedded.EmbeddedPostgres;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Control nodes in separate processes that die or are stopped, and others that take over the run. */
@Tag("cluster")
final class SuccessionTest {
    private static final int STEPS = 8;
    private static final Duration WITHIN = Duration.ofMinutes(4);
    private static final List<String> SMALL = List.of(
            "steps=" + STEPS,
            "rollout.groups-per-step=4",
            "rollout.images-per-group=4",
            "rollout.solver-steps=3",
            "training.unit-samples=4",
            "training.optimizer-steps=2",
            "evaluation.tasks=2",
            "evaluation.images-per-task=1",
            "evaluation.every-steps=0");

    private static RunDigests undisturbed;

    @TempDir
    Path directory = Path.of("unset");

    @BeforeAll
    static void alone() throws IOException, InterruptedException {
        undisturbed = ScheduleBench.alone(Recipes.load("embedded-demo", SMALL));
    }

    private CommandProcess start(Path run, int control, List<String> more) throws IOException {
        List<String> arguments = new ArrayList<>(List.of(
                "train",
                "--nodes",
                "control=%d,rollout=1,trainer=1,reward=1".formatted(control),
                "--out",
                run.toString()));
        SMALL.forEach(pair -> arguments.addAll(List.of("--set", pair)));
        more.forEach(pair -> arguments.addAll(List.of("--set", pair)));
        return CommandProcess.start(directory, arguments);
    }

    private static int committed(Path run) throws IOException {
        Path metrics = run.resolve("metrics.jsonl");
        return Files.exists(metrics) ? Files.readAllLines(metrics).size() : 0;
    }

    private static void awaitCommitted(Path run, int steps, CommandProcess process)
            throws IOException, InterruptedException {
        CommandProcess.until(steps + " steps are committed", WITHIN, () -> committed(run) >= steps, process::printed);
    }

    private static ControlHeartbeat heartbeat(Path run) {
        return ControlHeartbeat.read(run).orElseThrow();
    }

    private static ControlHeartbeat awaitAnother(Path run, ControlHeartbeat before, CommandProcess process)
            throws IOException, InterruptedException {
        CommandProcess.until(
                "another control node is active",
                WITHIN,
                () -> ControlHeartbeat.read(run)
                        .filter(now -> !now.name().equals(before.name()))
                        .isPresent(),
                () -> process.printed() + said(run));
        return heartbeat(run);
    }

    /** Returns the output of the nodes of the run. */
    private static String said(Path run) {
        StringBuilder all = new StringBuilder();
        for (String log : List.of("control-0.log", "control-1.log", "rollout-1.log", "trainer-2.log")) {
            try {
                all.append(log)
                        .append(":\n")
                        .append(Files.readString(run.resolve("nodes").resolve(log)));
            } catch (IOException none) {
                all.append("\n");
            }
        }
        return all.toString();
    }

    /** Waits for the end of the undisturbed run (P-1, P-2, P-5); no process is left. */
    private void awaitTheUndisturbedEnd(Path run, CommandProcess process, List<ProcessHandle> nodes) throws Exception {
        CommandProcess.until(
                "the run ends", WITHIN, () -> heartbeat(run).hasEnded(), () -> process.printed() + said(run));
        assertThat(heartbeat(run).end()).isEqualTo(Summary.End.Kind.COMPLETED);
        CommandProcess.until(
                "all nodes leave", WITHIN, () -> nodes.stream().noneMatch(ProcessHandle::isAlive), () -> said(run));
        try (OffHeapTensorStore store = new OffHeapTensorStore("test", 1L << 28)) {
            assertThat(RunDigests.of(
                            store,
                            CheckpointWriter.in(run)
                                    .loadNewest(store)
                                    .orElseThrow()
                                    .state()))
                    .isEqualTo(undisturbed);
        }
        try (CommandProcess audit = CommandProcess.start(directory, List.of("ledger", "audit", run.toString()))) {
            CommandProcess.Finished finished = audit.await();
            assertThat(finished.printed()).contains(STEPS + " committed steps", "nothing is wrong");
        }
        assertThat(committed(run)).isEqualTo(STEPS);
    }

    @Test
    void a_control_node_that_is_killed_is_followed_by_the_standby_and_the_run_ends_as_if_nothing_had_been()
            throws Exception {
        Path run = directory.resolve("killed");
        try (CommandProcess process = start(run, 2, List.of())) {
            List<ProcessHandle> nodes = process.awaitDescendants(4);
            awaitCommitted(run, 2, process);
            int before = committed(run);
            ControlHeartbeat first = heartbeat(run);
            long killed = System.nanoTime();
            process.signal("KILL");
            var _ = awaitAnother(run, first, process);
            awaitCommitted(run, before + 1, process);
            System.out.printf(
                    "from the kill of the supervisor to the next committed step: %d ms%n",
                    TimeUnit.NANOSECONDS.toMillis(System.nanoTime() - killed));
            awaitTheUndisturbedEnd(run, process, nodes);
        }
    }

    @Test
    void of_several_standbys_one_takes_over_and_the_next_one_after_it() throws Exception {
        Path run = directory.resolve("twice");
        try (CommandProcess process = start(run, 3, List.of())) {
            List<ProcessHandle> nodes = process.awaitDescendants(5);
            awaitCommitted(run, 2, process);
            ControlHeartbeat first = heartbeat(run);
            process.signal("KILL");
            ControlHeartbeat second = awaitAnother(run, first, process);
            awaitCommitted(run, 4, process);
            second.process().orElseThrow().destroyForcibly();
            var _ = awaitAnother(run, second, process);
            awaitTheUndisturbedEnd(run, process, nodes);
        }
    }

    /** A ledger in a file belongs to its owner; a stopped owner on this machine is killed. */
    @Test
    void a_control_node_that_is_stopped_is_killed_and_followed() throws Exception {
        Path run = directory.resolve("stopped");
        try (CommandProcess process = start(run, 2, List.of())) {
            List<ProcessHandle> nodes = process.awaitDescendants(4);
            awaitCommitted(run, 2, process);
            process.signal("STOP");
            process.awaitEnd();
            awaitTheUndisturbedEnd(run, process, nodes);
        }
    }

    /** LG-2. */
    @Test
    void a_control_node_that_was_stopped_and_followed_writes_nothing_when_it_wakes() throws Exception {
        Path run = directory.resolve("woken");
        try (EmbeddedPostgres postgres = EmbeddedPostgres.builder().start();
                CommandProcess process = start(
                        run,
                        2,
                        List.of(
                                "ledger.store=postgresql",
                                "ledger.url=\"jdbc:postgresql://localhost:%d/postgres\"".formatted(postgres.getPort()),
                                "ledger.user=postgres"))) {
            List<ProcessHandle> nodes = process.awaitDescendants(4);
            awaitCommitted(run, 2, process);
            ControlHeartbeat first = heartbeat(run);
            process.signal("STOP");
            ControlHeartbeat second = awaitAnother(run, first, process);
            awaitCommitted(run, 4, process);
            process.signal("CONT");
            CommandProcess.Finished woken = process.await();
            assertThat(woken.code()).isEqualTo(ExitCode.FAILED.code());
            assertThat(woken.printed()).contains("another control node");
            assertThat(heartbeat(run).name()).isEqualTo(second.name());
            awaitTheUndisturbedEnd(run, process, nodes);
        }
    }
}
