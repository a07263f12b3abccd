package darkroom.runtime.tls;

import static org.assertj.core.api.Assertions.assertThat;

import darkroom.config.HostPort;
import darkroom.runtime.cluster.CommandProcess;
import darkroom.runtime.run.PekkoConfig;
import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
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

/** A node without TLS that meets one with TLS. */
class PlainNodeTest {
    private static final String REFUSED =
            "Stream didn't start with expected magic bytes, got [%s] Connection is rejected. Probably invalid"
                    + " accidental access.";

    /** Logged once, however often the other node tries. */
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
                .contains("begins a TLS handshake, and this node has no TLS", "cluster.tls.certificate");
    }

    @Test
    void only_the_handshake_of_tls_is_taken_for_it() {
        assertThat(PlainNode.isTlsHello(REFUSED.formatted("16 03 01 02 00"))).isTrue();
        assertThat(PlainNode.isTlsHello(REFUSED.formatted("16 30 01 02 00"))).isFalse();
        assertThat(PlainNode.isTlsHello("got [16 03 01]")).isFalse();
    }

    @Test
    void a_port_that_closes_the_connection_or_sends_plain_text_refuses_the_handshake() throws IOException {
        assertThat(handshakeWith(one -> {})).isEqualTo(PlainNode.Handshake.REFUSED);
        assertThat(handshakeWith(one -> one.setSoLinger(true, 0))).isEqualTo(PlainNode.Handshake.REFUSED);
        assertThat(handshakeWith(
                        one -> one.getOutputStream().write("AKKA plain text".getBytes(StandardCharsets.US_ASCII))))
                .isEqualTo(PlainNode.Handshake.REFUSED);
    }

    @Test
    void a_port_that_refuses_the_handshake_by_an_alert_speaks_tls() throws IOException {
        byte[] handshakeFailure = {0x15, 0x03, 0x03, 0x00, 0x02, 0x02, 0x28};
        assertThat(handshakeWith(one -> one.getOutputStream().write(handshakeFailure)))
                .isEqualTo(PlainNode.Handshake.ANSWERED);
    }

    @Test
    void a_port_that_nobody_listens_on_is_silent() throws IOException {
        assertThat(PlainNode.handshake(new HostPort("127.0.0.1", CommandProcess.freePort())))
                .isEqualTo(PlainNode.Handshake.SILENT);
    }

    private interface Answer {
        void to(Socket one) throws IOException;
    }

    /** The result of a handshake with a server that reads the first byte, answers, and closes the connection. */
    private static PlainNode.Handshake handshakeWith(Answer answer) throws IOException {
        try (ServerSocket other = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
            CompletableFuture<Void> ended = CompletableFuture.runAsync(() -> {
                try (Socket one = other.accept()) {
                    assertThat(one.getInputStream().read()).isEqualTo(0x16);
                    answer.to(one);
                } catch (IOException e) {
                    throw new IllegalStateException(e);
                }
            });
            PlainNode.Handshake seen = PlainNode.handshake(new HostPort("127.0.0.1", other.getLocalPort()));
            ended.join();
            return seen;
        }
    }
}
