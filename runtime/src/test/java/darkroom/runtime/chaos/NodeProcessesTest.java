package darkroom.runtime.chaos;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class NodeProcessesTest {
    /** A node that cannot run costs little, and one that was killed is restarted soon. */
    @Test
    void pauses_between_starts_grow_to_half_a_minute() {
        assertThat(IntStream.rangeClosed(0, NodeProcesses.RESTARTS_MAX).mapToObj(NodeProcesses::pause))
                .containsExactly(
                        Duration.ofSeconds(1),
                        Duration.ofSeconds(2),
                        Duration.ofSeconds(4),
                        Duration.ofSeconds(8),
                        Duration.ofSeconds(16),
                        Duration.ofSeconds(30),
                        Duration.ofSeconds(30));
        assertThat(NodeProcesses.pause(Integer.MAX_VALUE)).isEqualTo(Duration.ofSeconds(30));
    }

    @Test
    void a_process_that_cannot_be_started_is_named_with_the_place_of_its_log_and_the_reason(@TempDir Path directory)
            throws IOException {
        Path file = Files.createFile(directory.resolve("nodes"));
        try (NodeProcesses processes = new NodeProcesses(file)) {
            assertThatThrownBy(() -> processes.start(List.of("rollout", "reward"), List.of()))
                    .isInstanceOf(UncheckedIOException.class)
                    .hasMessageContaining("no process for rollout, reward could be started")
                    .hasMessageEndingWith(file + ": the file exists already");
        }
    }
}
