package darkroom.runtime.cluster;

import static org.assertj.core.api.Assertions.assertThat;

import darkroom.actors.wire.WireVersion;
import darkroom.runtime.base.ExitCode;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.KeyStore;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Admission of nodes to a cluster, tested with processes that try to join. */
@Tag("cluster")
class ClusterAdmissionTest {
    private static final String PASSWORD = "changeit";
    private static final String IMPATIENT =
            "JAVA_TOOL_OPTIONS=-Dpekko.cluster.shutdown-after-unsuccessful-join-seed-nodes=4s";

    @TempDir
    Path directory = Path.of("unset");

    /** WV: another wire version is refused, with a reason that names the remedy. */
    @Test
    void a_node_of_another_wire_version_is_refused_and_says_why() throws Exception {
        try (VirtualCluster cluster = VirtualCluster.open()) {
            int other = WireVersion.CURRENT + 1;
            try (CommandProcess node = CommandProcess.start(
                    directory,
                    List.of("env", "JAVA_TOOL_OPTIONS=-D" + WireVersion.KEY + "=" + other),
                    joining(cluster))) {
                CommandProcess.Finished finished = node.await();
                assertThat(finished.code()).as(finished.printed()).isEqualTo(ExitCode.FAILED.code());
                assertThat(finished.printed()).contains("wire version").contains("use the same build on every node");
            }
            cluster.startAll("rollout", "trainer", "reward");
            cluster.awaitSteps(1);
            cluster.endsAsAlone();
        }
    }

    /** Nobody is there: the node retries, and logs the addresses it tried. */
    @Test
    void a_node_that_finds_no_control_node_says_where_it_looked_and_goes_on_trying() throws Exception {
        String nowhere = "127.0.0.1:" + CommandProcess.freePort();
        try (CommandProcess node = CommandProcess.start(
                directory, List.of("env", IMPATIENT), List.of("node", "--roles", "rollout", "--join", nowhere))) {
            node.awaitPrinted("no control node at [" + nowhere + "] has let this node in; beginning again");
            node.signal("TERM");
            assertThat(node.await().code()).as(node.printed()).isZero();
        }
    }

    /** P-4: the other way round; PlainNodeTest covers the control node's message. */
    @Test
    void a_node_with_tls_says_that_the_control_node_has_none() throws Exception {
        try (VirtualCluster cluster = VirtualCluster.open()) {
            List<String> tls = Stream.concat(
                            joining(cluster).stream(),
                            certified("ours").stream().flatMap(setting -> Stream.of("--set", setting)))
                    .toList();
            try (CommandProcess node = CommandProcess.start(directory, List.of("env", IMPATIENT), tls)) {
                node.awaitPrinted("ended the connection before TLS was agreed");
            }
        }
    }

    /** Both ends show a certificate of one authority, otherwise no connection is made. */
    @Test
    void nodes_with_certificates_of_one_authority_work_together_and_let_nobody_else_in() throws Exception {
        List<String> ours = certified("ours");
        List<String> others = certified("others");
        try (VirtualCluster cluster = VirtualCluster.open(ours.toArray(String[]::new))) {
            List<String> plain = joining(cluster);
            List<String> foreign = Stream.concat(
                            plain.stream(), others.stream().flatMap(setting -> Stream.of("--set", setting)))
                    .toList();
            try (CommandProcess withoutCertificate = CommandProcess.start(directory, List.of("env", IMPATIENT), plain);
                    CommandProcess ofAnotherAuthority =
                            CommandProcess.start(directory, List.of("env", IMPATIENT), foreign)) {
                cluster.startAll("rollout", "trainer", "reward");
                cluster.awaitSteps(2);
                for (CommandProcess stranger : List.of(withoutCertificate, ofAnotherAuthority)) {
                    stranger.awaitPrinted("has let this node in");
                    stranger.awaitPrinted("; beginning again");
                    assertThat(stranger.printed()).doesNotContain("let in as");
                }
                assertThat(withoutCertificate.printed()).contains("speaks TLS, and this node does not");
                assertThat(ofAnotherAuthority.printed())
                        .contains("no TLS with the node at 127.0.0.1:", "cluster.tls.authority");
                assertThat(cluster.processes().members()).hasSize(4);
            }
            cluster.endsAsAlone();
        }
    }

    private static List<String> joining(VirtualCluster cluster) throws InterruptedException {
        List<String> all = new ArrayList<>(List.of("node", "--roles", "rollout"));
        all.addAll(NodeArguments.joining(cluster.processes().opened(), List.of()));
        return all;
    }

    /** Returns the settings of a node with a certificate of an authority of this name. */
    private List<String> certified(String authority) throws Exception {
        String ca = store(authority + "-ca", "-ext", "bc:c", "-dname", "CN=" + authority);
        String node = store(authority, "-dname", "CN=darkroom", "-ext", "san=ip:127.0.0.1");
        Path request = directory.resolve(authority + ".csr");
        Path certificate = directory.resolve(authority + ".pem");
        Path root = directory.resolve(authority + "-ca.pem");
        keytool("-certreq", "-keystore", node, "-alias", "key", "-file", request.toString());
        keytool(
                "-gencert",
                "-keystore",
                ca,
                "-alias",
                "key",
                "-rfc",
                "-infile",
                request.toString(),
                "-outfile",
                certificate.toString(),
                "-ext",
                "san=ip:127.0.0.1",
                "-ext",
                "eku=serverAuth,clientAuth");
        keytool("-exportcert", "-keystore", ca, "-alias", "key", "-rfc", "-file", root.toString());
        return List.of(
                "cluster.tls.certificate=\"" + certificate + '"',
                "cluster.tls.key=\"" + key(authority, node) + '"',
                "cluster.tls.authority=\"" + root + '"');
    }

    private String store(String name, String... more) throws Exception {
        String file = directory.resolve(name + ".p12").toString();
        List<String> all = new ArrayList<>(
                List.of("-genkeypair", "-keystore", file, "-alias", "key", "-keyalg", "RSA", "-keysize", "2048"));
        all.addAll(List.of(more));
        keytool(all.toArray(String[]::new));
        return file;
    }

    private Path key(String name, String store) throws IOException, GeneralSecurityException {
        KeyStore keys = KeyStore.getInstance(Path.of(store).toFile(), PASSWORD.toCharArray());
        byte[] encoded = keys.getKey("key", PASSWORD.toCharArray()).getEncoded();
        return Files.writeString(
                directory.resolve(name + ".key"),
                "-----BEGIN PRIVATE KEY-----\n"
                        + Base64.getMimeEncoder(64, new byte[] {'\n'}).encodeToString(encoded)
                        + "\n-----END PRIVATE KEY-----\n");
    }

    private void keytool(String... arguments) throws Exception {
        List<String> command = new ArrayList<>();
        command.add(Path.of(System.getProperty("java.home"), "bin", "keytool").toString());
        command.addAll(List.of(arguments));
        command.addAll(List.of("-storepass", PASSWORD));
        Path log = directory.resolve("keytool.log");
        Process process = new ProcessBuilder(command)
                .redirectErrorStream(true)
                .redirectOutput(ProcessBuilder.Redirect.appendTo(log.toFile()))
                .start();
        assertThat(process.waitFor(60, TimeUnit.SECONDS)).isTrue();
        assertThat(process.exitValue()).as(Files.readString(log)).isZero();
    }
}
