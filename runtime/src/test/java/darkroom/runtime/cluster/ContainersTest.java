package darkroom.runtime.cluster;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * Worker nodes that are each process 1 of a separate process namespace, as containers make them, with private or common
 * shared memory. Needs root and util-linux; the test is skipped with a message otherwise.
 */
@Tag("cluster")
class ContainersTest {
    private static final List<List<String>> NODES = List.of(List.of("rollout"), List.of("trainer", "reward"));
    private static final Duration LET_IN_WITHIN = Duration.ofMinutes(4);
    private static final List<String> PROCESS_ONE =
            List.of("unshare", "--mount", "--pid", "--fork", "--kill-child", "--mount-proc");
    private static final Path SHARED = Path.of("/dev/shm");

    @BeforeEach
    void may() throws IOException, InterruptedException {
        List<String> probe = new ArrayList<>(inContainer("1m"));
        probe.add("true");
        boolean may = runs(probe);
        if (!may) {
            System.err.println("ContainersTest is NOT RUN: it needs root, and unshare of util-linux");
        }
        Assumptions.assumeTrue(may, "needs root, and unshare of util-linux");
    }

    private static boolean runs(List<String> command) throws InterruptedException {
        try {
            Process process = new ProcessBuilder(command)
                    .redirectErrorStream(true)
                    .redirectOutput(ProcessBuilder.Redirect.DISCARD)
                    .start();
            return process.waitFor(10, TimeUnit.SECONDS) && process.exitValue() == 0;
        } catch (IOException none) {
            return false;
        }
    }

    /** Returns the command that starts a program as process 1 with this much private shared memory. */
    private static List<String> inContainer(String memory) {
        List<String> all = new ArrayList<>(PROCESS_ONE);
        all.addAll(List.of(
                "sh", "-c", "mount -t tmpfs -o size=" + memory + " tmpfs /dev/shm && exec \"$@\"", "container"));
        return all;
    }

    /** P-1, TP-13: with enough room for a media driver, and with less. */
    @ParameterizedTest
    @ValueSource(strings = {"8m", "64m", "512m"})
    void nodes_in_containers_with_memory_of_their_own_are_one_cluster(String memory) throws Exception {
        try (VirtualCluster cluster = VirtualCluster.open()) {
            startAll(cluster, inContainer(memory));
            cluster.awaitSteps(3);
            cluster.endsAsAlone();
        }
    }

    /** P-1, TP-13: all directories are in one place, and all processes have the same number. */
    @Test
    void nodes_in_containers_that_share_memory_are_one_cluster_and_leave_nothing() throws Exception {
        List<Path> before = planes();
        try (VirtualCluster cluster = VirtualCluster.open()) {
            startAll(cluster, PROCESS_ONE);
            cluster.awaitSteps(3);
            assertThat(planes().stream().filter(path -> path.toString().contains("-window-1-")))
                    .as("windows of processes with number 1, each with its lock")
                    .hasSizeGreaterThanOrEqualTo(2 * NODES.size());
            cluster.endsAsAlone();
        }
        List<Path> left = new ArrayList<>(planes());
        left.removeAll(before);
        assertThat(left).filteredOn(path -> path.toString().contains("-1-")).isEmpty();
    }

    private static List<Path> planes() throws IOException {
        try (Stream<Path> all = Files.list(SHARED)) {
            return all.filter(path -> path.getFileName().toString().startsWith("darkroom-"))
                    .toList();
        }
    }

    private static void startAll(VirtualCluster cluster, List<String> by) throws IOException, InterruptedException {
        for (List<String> roles : NODES) {
            cluster.processes().start(by, roles, List.of("--set", "cluster.tensor-plane.driver=embedded"));
        }
        cluster.processes()
                .await(
                        "all are let in",
                        LET_IN_WITHIN,
                        () -> cluster.processes().members().size() == NODES.size() + 1);
    }
}
