package darkroom.runtime.tls;

import static org.assertj.core.api.Assertions.assertThat;

import com.typesafe.config.ConfigFactory;
import darkroom.config.ClusterSettings.TlsSettings;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import javax.net.ssl.SSLEngine;
import javax.net.ssl.SSLEngineResult;
import javax.net.ssl.SSLEngineResult.HandshakeStatus;
import javax.net.ssl.SSLException;
import org.apache.pekko.actor.ActorSystem;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** Two nodes that speak TLS, in one process and without a network: the messages of each when TLS fails. */
class TlsEnginesTest {
    private static final int ROUNDS_MAX = 50;

    private final List<ActorSystem> systems = new ArrayList<>();
    private final List<String> client = new ArrayList<>();
    private final List<String> server = new ArrayList<>();

    @AfterEach
    void end() {
        systems.forEach(ActorSystem::terminate);
    }

    private TlsEngines engines(String certificate, String key, String authority, List<String> said) {
        TlsSettings files = TlsFilesTest.settings(certificate, key, authority);
        ActorSystem system = ActorSystem.create(
                "tls",
                ConfigFactory.parseMap(Map.of(
                                TlsEngines.ROTATING + ".cert-file",
                                files.certificate(),
                                TlsEngines.ROTATING + ".key-file",
                                files.key(),
                                TlsEngines.ROTATING + ".ca-cert-file",
                                files.authority(),
                                "pekko.log-dead-letters",
                                0))
                        .withFallback(ConfigFactory.load()));
        systems.add(system);
        return new TlsEngines(system, said::add);
    }

    /** Performs a handshake, with the data that both may send after it. */
    private static void meet(TlsEngines client, TlsEngines server) {
        SSLEngine from = client.createClientSSLEngine("10.0.0.7", 25520);
        SSLEngine to = server.createServerSSLEngine("10.0.0.1", 25520);
        ByteBuffer forth = ByteBuffer.allocate(1 << 16);
        ByteBuffer back = ByteBuffer.allocate(1 << 16);
        for (int round = 0; round < ROUNDS_MAX; round++) {
            speak(from, back, forth);
            speak(to, forth, back);
        }
    }

    private static void speak(SSLEngine engine, ByteBuffer in, ByteBuffer out) {
        try {
            in.flip();
            SSLEngineResult read = engine.unwrap(in, ByteBuffer.allocate(1 << 15));
            in.compact();
            run(engine);
            if (read.getHandshakeStatus() != HandshakeStatus.FINISHED) {
                var _ = engine.wrap(ByteBuffer.allocate(0), out);
            }
            run(engine);
        } catch (SSLException failed) {
            in.clear();
            try { // its alert
                var _ = engine.wrap(ByteBuffer.allocate(0), out);
            } catch (SSLException closed) {
                assertThat(closed).isNotNull();
            }
        }
    }

    private static void run(SSLEngine engine) {
        for (Runnable task = engine.getDelegatedTask(); task != null; task = engine.getDelegatedTask()) {
            task.run();
        }
    }

    private TlsEngines good(List<String> said) {
        return engines("node.pem", "node.key", "ca.pem", said);
    }

    @Test
    void nodes_of_one_authority_agree_and_nothing_is_said() {
        meet(good(client), good(server));
        assertThat(client).isEmpty();
        assertThat(server).isEmpty();
    }

    @Test
    void a_server_whose_certificate_expired_is_named_with_the_date_and_it_is_told_itself() {
        meet(good(client), engines("expired.pem", "node.key", "ca.pem", server));
        assertThat(client)
                .singleElement()
                .asString()
                .contains(
                        "the node at 10.0.0.7:25520",
                        "CN=darkroom",
                        "expired on 2021-02-03",
                        "cluster.tls.certificate");
        assertThat(server)
                .singleElement()
                .asString()
                .contains("refuses the certificate of this node", "expired.pem", "expired on 2021-02-03");
    }

    @Test
    void a_client_whose_certificate_expired_is_named_with_the_date_and_it_is_told_itself() {
        meet(engines("expired.pem", "node.key", "ca.pem", client), good(server));
        assertThat(server)
                .singleElement()
                .asString()
                .contains("a node that connects to this one", "CN=darkroom", "expired on 2021-02-03");
        assertThat(client)
                .singleElement()
                .asString()
                .contains("the node at 10.0.0.7:25520", "expired.pem", "expired on 2021-02-03");
    }

    @Test
    void a_certificate_that_is_not_valid_yet_is_named_with_the_date() {
        meet(good(client), engines("future.pem", "node.key", "ca.pem", server));
        assertThat(client).singleElement().asString().contains("not valid before 2110-01-01");
    }

    @Test
    void another_authority_is_named_by_both_sides() {
        meet(good(client), engines("other.pem", "other.key", "other-ca.pem", server));
        assertThat(client)
                .singleElement()
                .asString()
                .contains(
                        "the node at 10.0.0.7:25520",
                        "authority that this node does not know",
                        "cluster.tls.authority");
        assertThat(server)
                .singleElement()
                .asString()
                .contains("refuses the certificate of this node", "cluster.tls.authority");
    }

    @Test
    void a_node_that_speaks_no_tls_is_told_of_and_once_only() throws SSLException {
        TlsEngines engines = good(server);
        for (int attempt = 0; attempt < 3; attempt++) {
            SSLEngine engine = engines.createServerSSLEngine("10.0.0.1", 25520);
            speak(
                    engine,
                    ByteBuffer.allocate(64).put("AKKA\1plain text".getBytes(StandardCharsets.US_ASCII)),
                    ByteBuffer.allocate(1 << 15));
        }
        assertThat(server)
                .singleElement()
                .asString()
                .contains(
                        "a node that connects to this one",
                        "speaks no TLS, and this node does",
                        "cluster.tls.certificate");
    }

    @Test
    void a_node_that_hangs_up_before_tls_is_agreed_is_told_of() {
        SSLEngine engine = good(client).createClientSSLEngine("10.0.0.7", 25520);
        ByteBuffer out = ByteBuffer.allocate(1 << 15);
        speak(engine, ByteBuffer.allocate(64), out);
        try {
            engine.closeInbound();
        } catch (SSLException early) {
            assertThat(early).isNotNull();
        }
        assertThat(client)
                .singleElement()
                .asString()
                .contains("the node at 10.0.0.7:25520", "ended the connection before TLS was agreed", "cluster.tls");
    }
}
