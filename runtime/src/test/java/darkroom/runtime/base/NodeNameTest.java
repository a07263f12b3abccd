package darkroom.runtime.base;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class NodeNameTest {
    @ParameterizedTest
    @ValueSource(strings = {"rollout", "control", "rollout+trainer+reward", "my-node-12-x"})
    void what_is_printed_is_read_back_of_nodes_and_of_their_workers(String called) {
        NodeName name = new NodeName(called, 4711, "8fz3k");
        assertThat(NodeName.parse(name.toString())).contains(name);
        assertThat(NodeName.parse(name + "/rollout-0")).contains(name);
        assertThat(NodeName.parse(NodeCards.name(called))).hasValueSatisfying(own -> assertThat(own.pid())
                .isEqualTo(ProcessHandle.current().pid()));
    }

    @Test
    void a_worker_is_of_its_process_and_of_no_other() {
        String worker = new NodeName("rollout", 12, "34").toString() + "/rollout-0";
        assertThat(NodeName.isOf(12, worker)).isTrue();
        assertThat(NodeName.isOf(34, worker)).isFalse();
        assertThat(NodeName.isOf(0, "rollout-0")).isFalse();
        assertThat(NodeName.isOf(1, "nobody")).isFalse();
    }
}
