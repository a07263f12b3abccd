package darkroom.runtime.chaos;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

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
}
