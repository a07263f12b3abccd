package darkroom.runtime.bench;

import static org.assertj.core.api.Assertions.assertThatThrownBy;

import darkroom.config.Recipes;
import darkroom.config.RunSettings;
import darkroom.runtime.base.CommandFailedException;
import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.util.List;
import org.junit.jupiter.api.Test;

final class ProcessClusterTest {
    @Test
    void a_control_node_that_cannot_open_is_told_with_its_reason_and_no_class_of_a_program() throws IOException {
        try (ServerSocket taken = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
            List<String> port = List.of("cluster.port=" + taken.getLocalPort(), "workers.device=virtual");
            RunSettings settings = Recipes.load("embedded-demo", port);
            assertThatThrownBy(() -> ProcessCluster.open(settings, port, (_, _) -> {}))
                    .isInstanceOf(CommandFailedException.class)
                    .hasMessageStartingWith("the control node has not opened: cluster.port=%d is in use"
                            .formatted(taken.getLocalPort()))
                    .hasMessageNotContaining("Exception");
        }
    }
}
