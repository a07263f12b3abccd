package darkroom.runtime;

import static org.assertj.core.api.Assertions.assertThat;

import darkroom.config.HostPort;
import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CopyOnWriteArrayList;
import org.apache.pekko.actor.typed.ActorSystem;
import org.apache.pekko.actor.typed.eventstream.EventStream;
import org.apache.pekko.actor.typed.javadsl.Behaviors;
import org.apache.pekko.event.Logging;
import org.apache.pekko.stream.scaladsl.Framing;
import org.junit.jupiter.api.Test;

/** A node without TLS that meets one with it. */
class PlainNodeTest {
    private static final String REFUSED =
            "Stream didn't start with expected magic bytes, got [%s] Connection is rejected. Probably invalid"
                    + " accidental access.";

    /** Once, however often the other node tries. */
    @Test
    void a_node_with_tls_that_connects_is_told_of_once_with_the_settings() throws Exception {
        List<String> said = new CopyOnWriteArrayList<>();
        ActorSystem<Void> system = ActorSystem.create(Behaviors.empty(), "plain", PekkoConfig.alone());
        try {
            PlainNode.watch(system, said::add);
            CommandProcess.until(
                    "it is said",
                    Duration.ofSeconds(20),
                    () -> {
                        for (String bytes : List.of("47 45 54 20 2f 20", "16 03 01 02 00 01")) {
                            system.eventStream()
                                    .tell(new EventStream.Publish<>(new Logging.Error(
                                            new Framing.FramingException(REFUSED.formatted(bytes)),
                                            "stream",
                                            PlainNodeTest.class,
                                            "Error in stage [TcpFraming]")));
                        }
                        return !said.isEmpty();
                    },
                    () -> "nothing");
        } finally {
            system.terminate();
        }
        assertThat(said)
                .singleElement()
                .asString()
                .contains("it speaks TLS, and this node does not", "cluster.tls.certificate");
    }

    @Test
    void only_the_handshake_of_tls_is_taken_for_it() {
        assertThat(PlainNode.isTlsHello(REFUSED.formatted("16 03 01 02 00"))).isTrue();
        assertThat(PlainNode.isTlsHello(REFUSED.formatted("16 30 01 02 00"))).isFalse();
        assertThat(PlainNode.isTlsHello("got [16 03 01]")).isFalse();
    }

    @Test
    void a_node_that_hangs_up_on_a_handshake_is_not_taken_for_one_with_tls() throws IOException {
        try (ServerSocket other = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
            CompletableFuture<Void> hungUp = CompletableFuture.runAsync(() -> {
                try (Socket one = other.accept()) {
                    assertThat(one.getInputStream().read()).isEqualTo(0x16);
                } catch (IOException e) {
                    throw new IllegalStateException(e);
                }
            });
            assertThat(PlainNode.speaksTls(new HostPort("127.0.0.1", other.getLocalPort())))
                    .isFalse();
            hungUp.join();
        }
    }
}
