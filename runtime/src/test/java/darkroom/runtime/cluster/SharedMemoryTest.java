package darkroom.runtime.cluster;

import static org.assertj.core.api.Assertions.assertThat;

import darkroom.runtime.cluster.CommandProcess.Finished;
import java.io.IOException;
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
import org.junit.jupiter.api.io.TempDir;

/**
 * {@code darkroom train --nodes} where shared memory is short from the beginning or becomes so. Runs in a separate
 * mount namespace: the machine's memory is not touched. Needs root and util-linux; the test is skipped with a message
 * otherwise.
 */
@Tag("cluster")
class SharedMemoryTest {
    private static final String SHORT = "warn: /dev/shm";
    private static final Duration WITHIN = Duration.ofMinutes(4);

    @TempDir
    Path directory = Path.of("unset");

    @BeforeEach
    void may() throws InterruptedException {
        boolean may;
        try {
            Process process = new ProcessBuilder(in("mount -t tmpfs -o size=1m tmpfs /dev/shm", "true"))
                    .redirectErrorStream(true)
                    .redirectOutput(ProcessBuilder.Redirect.DISCARD)
                    .start();
            may = process.waitFor(10, TimeUnit.SECONDS) && process.exitValue() == 0;
        } catch (IOException none) {
            may = false;
        }
        if (!may) {
            System.err.println("SharedMemoryTest is NOT RUN: it needs root, and unshare of util-linux");
        }
        Assumptions.assumeTrue(may, "needs root, and unshare of util-linux");
    }

    private static List<String> in(String preparation, String... command) {
        List<String> all =
                new ArrayList<>(List.of("unshare", "--mount", "sh", "-c", preparation + " && exec \"$@\"", "in"));
        all.addAll(List.of(command));
        return all;
    }

    /** P-1: less than the message buffers need, read-only, and filled by another process during the run. */
    @Test
    void a_local_cluster_with_little_shared_memory_trains_like_one_process() throws Exception {
        Path alone = directory.resolve("alone");
        try (CommandProcess one = CommandProcess.start(directory, train(alone))) {
            assertThat(one.awaitWithin(WITHIN).code()).as(one.printed()).isZero();
        }
        Finished little = trained("little", alone, "mount -t tmpfs -o size=8m tmpfs /dev/shm");
        assertThat(little.printed().lines().filter(line -> line.startsWith(SHORT)))
                .singleElement()
                .asString()
                .contains("8 MiB free", "--shm-size=1g");
        Finished readOnly = trained("read-only", alone, "mount -t tmpfs -o ro tmpfs /dev/shm");
        assertThat(readOnly.printed()).contains("/dev/shm is not writable");
        Finished filled = trained(
                "filled",
                alone,
                "mount -t tmpfs -o size=400m tmpfs /dev/shm; (until [ -s %s/metrics.jsonl ]; do sleep 0.1; done; cat /dev/zero > /dev/shm/other) 2>/dev/null & true"
                        .formatted(directory.resolve("filled")));
        assertThat(filled.printed()).doesNotContain(SHORT);
    }

    private Finished trained(String name, Path alone, String preparation) throws Exception {
        Path run = directory.resolve(name);
        try (CommandProcess cluster = CommandProcess.start(
                directory, in(preparation), train(run, "--nodes", "control=1,rollout=1,trainer=1,reward=1"))) {
            Finished finished = cluster.awaitWithin(WITHIN);
            assertThat(finished.code()).as(finished.printed()).isZero();
            assertThat(digests(run)).isEqualTo(digests(alone));
            return finished;
        }
    }

    private static List<String> train(Path out, String... more) {
        List<String> all = new ArrayList<>(List.of("train", "--out", out.toString()));
        all.addAll(List.of(more));
        Stream.of(
                        "steps=3",
                        "rollout.groups-per-step=2",
                        "rollout.images-per-group=4",
                        "rollout.solver-steps=3",
                        "training.unit-samples=4",
                        "training.optimizer-steps=1",
                        "data.train-tasks=40",
                        "evaluation.tasks=2",
                        "evaluation.images-per-task=1",
                        "evaluation.every-steps=0",
                        "evaluation.solver-steps=3")
                .forEach(setting -> all.addAll(List.of("--set", setting)));
        return all;
    }

    private static String digests(Path run) throws IOException {
        return StatusPage.JSON
                .readTree(run.resolve("summary.json").toFile())
                .path("digests")
                .toString();
    }
}
