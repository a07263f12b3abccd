package darkroom.runtime.base;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import darkroom.config.ClusterSettings;
import darkroom.config.HostPort;
import darkroom.config.Recipes;
import darkroom.runtime.cluster.SeedProbe;
import darkroom.runtime.cluster.StatusPage;
import darkroom.runtime.faults.NodeFaults;
import java.io.IOException;
import java.net.DatagramSocket;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class OwnAddressTest {
    private final List<String> warnings = new ArrayList<>();

    private static ClusterSettings cluster(String... settings) {
        return Recipes.load(
                        "embedded-demo",
                        Stream.of(settings).map(each -> "cluster." + each).toList())
                .cluster();
    }

    private void require(String... settings) {
        OwnAddress.require(cluster(settings), warnings::add);
    }

    @ParameterizedTest
    @ValueSource(strings = {"127.0.0.1", "localhost", "::1", "[::1]", "127.0.1.1"})
    void addresses_of_this_machine_are_taken(String host) {
        require("host=" + host);
        assertThat(warnings).isEmpty();
    }

    /** Addresses of a documentation network (RFC 5737, RFC 3849), an unknown name, and the wildcard address. */
    @ParameterizedTest
    @ValueSource(strings = {"192.0.2.7", "2001:db8::7", "no-such-host.invalid", "0.0.0.0", "::"})
    void what_no_other_node_can_reach_this_one_at_is_refused_by_its_key_with_what_there_is(String host) {
        assertThatThrownBy(() -> require("host=" + host))
                .isInstanceOf(CommandFailedException.class)
                .hasMessageContaining("cluster.host=" + host)
                .hasMessageContaining("127.0.0.1");
    }

    @Test
    void a_port_in_use_is_refused_by_its_key() throws IOException {
        InetAddress loopback = InetAddress.ofLiteral("127.0.0.1");
        try (ServerSocket messages = new ServerSocket(0, 1, loopback);
                DatagramSocket tensors = new DatagramSocket(new InetSocketAddress(loopback, 0))) {
            assertThatThrownBy(() -> require("port=" + messages.getLocalPort()))
                    .hasMessageContaining("cluster.port=" + messages.getLocalPort() + " is in use");
            assertThatThrownBy(() -> require("tensor-plane.port=" + tensors.getLocalPort()))
                    .hasMessageContaining("cluster.tensor-plane.port=" + tensors.getLocalPort() + " is in use");
            assertThatThrownBy(() -> StatusPage.open(messages.getLocalPort(), () -> null, () -> null, NodeFaults.NONE))
                    .hasMessageContaining("cluster.status-port=" + messages.getLocalPort() + " is in use");
        }
    }

    @Test
    void a_name_that_is_loopback_here_is_warned_of() throws IOException {
        String name = InetAddress.getLocalHost().getHostName();
        boolean loopback = InetAddress.getByName(name).isLoopbackAddress() && !name.equals("localhost");
        require("host=" + name);
        assertThat(warnings).hasSize(loopback ? 1 : 0);
        assertThat(warnings).allSatisfy(warning -> assertThat(warning).contains(name, "this machine alone"));
    }

    @Test
    void a_node_that_is_not_let_in_is_told_what_its_machine_can_tell() throws IOException {
        try (ServerSocket other = new ServerSocket(0, 1, InetAddress.ofLiteral("127.0.0.1"))) {
            List<String> lines = SeedProbe.look(
                    List.of(
                            new HostPort("127.0.0.1", other.getLocalPort()),
                            new HostPort("127.0.0.1", 1),
                            new HostPort("no-such-host.invalid", 2551)),
                    cluster("host=127.0.0.1"));
            assertThat(lines.get(0))
                    .contains(
                            "it listens, and has not let this node in",
                            "by one address alone",
                            "cluster.host=127.0.0.1");
            assertThat(lines.get(1)).contains("127.0.0.1:1: nobody listens there");
            assertThat(lines.get(2)).contains("no-such-host.invalid:2551: no address is known");
        }
    }
}
