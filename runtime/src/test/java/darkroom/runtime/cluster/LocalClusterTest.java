package darkroom.runtime.cluster;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.tuple;

import darkroom.rewardactors.simulation.SimulatedScorer;
import darkroom.runtime.base.ExitCode;
import darkroom.runtime.base.JsonLines;
import darkroom.runtime.base.LineTail;
import darkroom.runtime.base.NoiseFloor;
import darkroom.runtime.base.RunDirectory;
import darkroom.runtime.cluster.CommandProcess.Finished;
import darkroom.runtime.report.Incident;
import io.aeron.driver.MediaDriver;
import io.aeron.driver.ThreadingMode;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Stream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * {@code darkroom train --nodes} and {@code darkroom node}, started and stopped as users do it, with the embedded
 * model.
 */
@Tag("cluster")
class LocalClusterTest {
    private static final String NODES = "control=1,rollout=1,trainer=1,reward=1";
    /** Less than limits.shutdown-grace. */
    private static final Duration GRACE = Duration.ofSeconds(20);

    private static final Duration ORPHANS_WITHIN = Duration.ofSeconds(10);
    private static final Duration CHECKPOINT_WITHIN = Duration.ofMinutes(4);

    @TempDir
    Path directory = Path.of("unset");

    /** Starts as many nodes as requested, ends in the same weights as in one process, and leaves nothing behind. */
    @Test
    void a_local_cluster_trains_like_one_process_and_leaves_nothing() throws Exception {
        Path alone = directory.resolve("alone");
        Path spread = directory.resolve("spread");
        try (CommandProcess one = CommandProcess.start(directory, train(alone, 3))) {
            assertThat(one.await().code()).as(one.printed()).isZero();
        }
        try (CommandProcess cluster = CommandProcess.start(directory, train(spread, 3, "--nodes", NODES))) {
            cluster.awaitPrinted("To add a node: ./darkroom node --roles rollout --join 127.0.0.1:");
            List<ProcessHandle> all = cluster.awaitDescendants(3);
            Finished finished = cluster.await();
            assertThat(finished.code()).as(finished.printed()).isZero();
            assertThat(all).noneMatch(ProcessHandle::isAlive);
            assertThat(sharedMemory(all)).isEmpty();
        }
        assertThat(digests(spread)).isEqualTo(digests(alone));
    }

    /**
     * P-7: Ctrl-C, which a terminal sends to children too, commits, writes a checkpoint and ends the children; the run
     * resumes from there.
     */
    @Test
    void an_interrupt_of_a_local_cluster_commits_and_ends_all_processes() throws Exception {
        Path run = directory.resolve("run");
        try (CommandProcess cluster =
                CommandProcess.start(directory, List.of("setsid"), train(run, 1000, "--nodes", NODES))) {
            List<ProcessHandle> all = cluster.awaitDescendants(3);
            cluster.until(
                    "a step is committed",
                    () -> Files.exists(run.resolve("metrics.jsonl"))
                            && Files.readAllLines(run.resolve("metrics.jsonl")).size() > 1);
            cluster.signalGroup("INT");
            Finished finished = cluster.await();
            assertThat(finished.code()).as(finished.printed()).isEqualTo(ExitCode.INTERRUPTED.code());
            assertThat(all).noneMatch(ProcessHandle::isAlive);
            assertThat(sharedMemory(all)).isEmpty();
            assertThat(checkpoints(run)).isNotEmpty();
        }
    }

    @Test
    void how_much_a_scorer_of_another_node_varies_stands_in_the_directory_of_the_run() throws Exception {
        Path run = directory.resolve("run");
        try (SimulatedScorer scorer = SimulatedScorer.versioned();
                CommandProcess cluster = CommandProcess.start(
                        directory,
                        train(run, 2, "--nodes", NODES, "--scorer", scorer.url().toString()))) {
            Finished finished = cluster.await();
            assertThat(finished.code()).as(finished.printed()).isZero();
            assertThat(JsonLines.read(run.resolve("noise.jsonl"), NoiseFloor.class))
                    .extracting(NoiseFloor::scorer, NoiseFloor::count)
                    .containsExactly(tuple(scorer.url().getAuthority(), 16));
        }
    }

    /** RS-6, EV-3: an interrupted run does not wait for work that no node does. */
    @Test
    void a_control_node_that_waits_for_nodes_ends_at_once_when_it_is_asked_to_and_says_so() throws Exception {
        List<String> control = new ArrayList<>(List.of(
                "node", "--roles", "control", "--out", directory.resolve("run").toString()));
        control.addAll(small(4));
        try (CommandProcess waiting = CommandProcess.start(directory, control)) {
            waiting.until("it reports that nobody is there for its work", () -> incidents(directory.resolve("run"))
                    .contains(Incident.Kind.NOBODY_THERE));
            waiting.signal("TERM");
            Finished finished = waiting.awaitWithin(GRACE);
            assertThat(finished.printed())
                    .contains("asked to end: waits for ")
                    .contains("limits.shutdown-grace=25s")
                    .contains("Resume with: darkroom train --resume");
            assertThat(finished.code()).isIn(ExitCode.INTERRUPTED.code(), 143);
        }
    }

    /** No orphans, however the parent ends. */
    @Test
    void the_processes_of_a_killed_local_cluster_end() throws Exception {
        try (CommandProcess cluster =
                CommandProcess.start(directory, train(directory.resolve("run"), 1000, "--nodes", NODES))) {
            List<ProcessHandle> all = cluster.awaitDescendants(3);
            cluster.signal("KILL");
            CommandProcess.until(
                    "its processes have ended",
                    ORPHANS_WITHIN,
                    () -> all.stream().noneMatch(ProcessHandle::isAlive),
                    cluster::printed);
        }
    }

    /** P-1, P-4: the workers use the control node's media driver, which stops with it. */
    @Test
    void a_control_node_that_is_stopped_until_its_workers_lose_its_media_driver_goes_on_with_them() throws Exception {
        Path alone = directory.resolve("alone");
        Path run = directory.resolve("run");
        try (CommandProcess one = CommandProcess.start(directory, train(alone, 3))) {
            assertThat(one.await().code()).as(one.printed()).isZero();
        }
        try (CommandProcess cluster = CommandProcess.start(directory, train(run, 3, "--nodes", NODES))) {
            List<ProcessHandle> all = cluster.awaitDescendants(3);
            cluster.until("a step is committed", () -> hasCommitted(run));
            Map<Long, Optional<String>> pages = new HashMap<>(); // an incarnation of a worker has its own page
            all.forEach(worker -> pages.put(worker.pid(), StatusPage.ofProcess(worker.pid())));
            assertThat(pages.values()).as(cluster.printed()).allMatch(Optional::isPresent);
            cluster.signal("STOP");
            try {
                CommandProcess.until(
                        "a worker ends its incarnation",
                        CHECKPOINT_WITHIN,
                        () -> pages.entrySet().stream().anyMatch(page -> !StatusPage.ofProcess(page.getKey())
                                .equals(page.getValue())),
                        () -> ofNodes(run));
            } finally {
                cluster.signal("CONT");
            }
            Finished finished = cluster.await();
            assertThat(finished.code()).as(finished.printed()).isZero();
            assertThat(all).noneMatch(ProcessHandle::isAlive);
        }
        assertThat(digests(run)).isEqualTo(digests(alone));
    }

    /** P-1: a node that ends is restarted without manual action. */
    @Test
    void a_worker_that_is_killed_is_started_again_and_that_is_said() throws Exception {
        Path run = directory.resolve("run");
        try (CommandProcess cluster = CommandProcess.start(directory, train(run, 3, "--nodes", NODES))) {
            List<ProcessHandle> all = cluster.awaitDescendants(3);
            cluster.until("a step is committed", () -> hasCommitted(run));
            all.forEach(ProcessHandle::destroyForcibly);
            Finished finished = cluster.await();
            assertThat(finished.code()).as(finished.printed()).isZero();
            assertThat(finished.printed()).contains("has ended with exit code 137", "It is started again in 1 s.");
        }
    }

    private static List<Incident.Kind> incidents(Path run) throws IOException {
        List<Incident.Kind> kinds = new ArrayList<>();
        for (String line : new LineTail(new RunDirectory(run).incidents()).more()) {
            kinds.add(JsonLines.JSON.readValue(line, Incident.class).kind());
        }
        return kinds;
    }

    private static boolean hasCommitted(Path run) throws IOException {
        return Files.exists(run.resolve("metrics.jsonl"))
                && !Files.readAllLines(run.resolve("metrics.jsonl")).isEmpty();
    }

    /** A separate control node resumes its run when it is restarted; its workers find it. */
    @Test
    void workers_find_a_control_node_that_begins_again_at_its_address() throws Exception {
        Path run = directory.resolve("run");
        int port = CommandProcess.freePort();
        List<String> control = new ArrayList<>(List.of("node", "--roles", "control", "--out", run.toString()));
        control.addAll(List.of("--set", "cluster.port=" + port, "--set", "checkpoints.every-steps=1"));
        control.addAll(small(4));
        try (CommandProcess worker = CommandProcess.start(
                directory, List.of("node", "--roles", "rollout,trainer,reward", "--join", "127.0.0.1:" + port))) {
            try (CommandProcess first = CommandProcess.start(directory, control)) {
                first.until("a checkpoint is there", () -> !checkpoints(run).isEmpty());
                first.signal("KILL");
                first.awaitEnd();
            }
            try (CommandProcess second = CommandProcess.start(directory, control)) {
                Finished finished = second.await();
                assertThat(finished.code())
                        .as(finished.printed() + worker.printed())
                        .isZero();
            }
            Finished left = worker.await();
            assertThat(left.code()).as(left.printed()).isZero();
            assertThat(left.printed()).contains("beginning again").contains("left: the run has ended");
        }
        Path alone = directory.resolve("alone");
        try (CommandProcess one = CommandProcess.start(directory, train(alone, 4))) {
            assertThat(one.await().code()).as(one.printed()).isZero();
        }
        assertThat(digests(run)).isEqualTo(digests(alone));
    }

    /**
     * P-7: without a media driver nothing moves; a control node that loses it reports it and ends, and loses nothing
     * that is committed.
     */
    @Test
    void a_control_node_whose_media_driver_ends_says_so_and_the_run_is_resumed_exactly() throws Exception {
        Path run = directory.resolve("run");
        Path shared =
                Path.of("/dev/shm", "darkroom-test-" + ProcessHandle.current().pid());
        String driver = "cluster.tensor-plane.driver=" + shared;
        List<String> nodes = train(run, 4, "--nodes", NODES, "--set", "checkpoints.every-steps=1", "--set", driver);
        try (CommandProcess cluster = startedWith(shared, nodes)) {
            Finished finished = cluster.await();
            assertThat(finished.code()).as(finished.printed()).isEqualTo(ExitCode.FAILED.code());
            assertThat(finished.printed()).contains("the tensor plane is gone").contains("--resume " + run);
        }
        Path alone = directory.resolve("alone");
        for (List<String> arguments : List.of(train(alone, 4), List.of("train", "--resume", run.toString()))) {
            try (CommandProcess process = CommandProcess.start(directory, arguments)) {
                Finished finished = process.await();
                assertThat(finished.code()).as(finished.printed()).isZero();
            }
        }
        assertThat(digests(run)).isEqualTo(digests(alone));
    }

    /** Starts a run with a media driver that ends once a checkpoint exists. */
    private CommandProcess startedWith(Path driver, List<String> arguments) throws Exception {
        try (MediaDriver _ = MediaDriver.launch(new MediaDriver.Context()
                .aeronDirectoryName(driver.toString())
                .dirDeleteOnStart(true)
                .dirDeleteOnShutdown(true)
                .threadingMode(ThreadingMode.SHARED))) {
            CommandProcess process = CommandProcess.start(directory, arguments);
            CommandProcess.until(
                    "a checkpoint is there",
                    CHECKPOINT_WITHIN,
                    () -> !checkpoints(directory.resolve("run")).isEmpty(),
                    () -> process.printed() + ofNodes(directory.resolve("run")));
            return process;
        }
    }

    /** Returns the logs of the nodes of a run. */
    private static String ofNodes(Path run) {
        try (Stream<Path> logs = Files.list(run.resolve("nodes"))) {
            StringBuilder all = new StringBuilder();
            for (Path log : logs.sorted().toList()) {
                all.append(log.getFileName()).append('\n').append(Files.readString(log));
            }
            return all.toString();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static List<Path> checkpoints(Path run) throws IOException {
        Path directory = run.resolve("checkpoints");
        if (!Files.isDirectory(directory)) {
            return List.of();
        }
        try (Stream<Path> all = Files.list(directory)) {
            return all.filter(path -> path.getFileName().toString().matches("step-?\\d+"))
                    .toList();
        }
    }

    private static List<String> train(Path out, int steps, String... more) {
        List<String> all = new ArrayList<>(List.of("train", "--out", out.toString()));
        all.addAll(List.of(more));
        all.addAll(small(steps));
        return all;
    }

    private static List<String> small(int steps) {
        return Stream.of(
                        "steps=" + steps,
                        "rollout.groups-per-step=2",
                        "rollout.images-per-group=4",
                        "rollout.solver-steps=3",
                        "training.unit-samples=4",
                        "training.optimizer-steps=1",
                        "data.train-tasks=40",
                        "evaluation.tasks=4",
                        "evaluation.images-per-task=1",
                        "evaluation.every-steps=0",
                        "evaluation.solver-steps=3")
                .flatMap(setting -> Stream.of("--set", setting))
                .toList();
    }

    private static String digests(Path run) throws IOException {
        return StatusPage.JSON
                .readTree(run.resolve("summary.json").toFile())
                .path("digests")
                .toString();
    }

    /** Returns the files that these processes left in shared memory. */
    private static List<Path> sharedMemory(List<ProcessHandle> processes) throws IOException {
        try (Stream<Path> all = Files.list(Path.of("/dev/shm"))) {
            return all.filter(path -> processes.stream()
                            .anyMatch(process -> path.getFileName().toString().contains("-" + process.pid() + "-")))
                    .toList();
        }
    }
}
