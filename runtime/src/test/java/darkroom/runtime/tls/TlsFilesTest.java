package darkroom.runtime.tls;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import darkroom.config.ClusterSettings.TlsSettings;
import darkroom.runtime.base.CommandFailedException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Certificates that other nodes cannot trust are refused when the node starts. */
class TlsFilesTest {
    static final Path FILES = Path.of("src/test/resources/darkroom/runtime/tls");
    static final Instant NOW = Instant.parse("2026-11-30T12:00:00Z");

    static TlsSettings settings(String certificate, String key, String authority) {
        return new TlsSettings(
                FILES.resolve(certificate).toString(),
                FILES.resolve(key).toString(),
                FILES.resolve(authority).toString());
    }

    @Test
    void certificates_that_fit_have_no_problem_and_without_tls_nothing_is_looked_at() {
        assertThat(TlsFiles.problems(settings("node.pem", "node.key", "ca.pem"), NOW))
                .isEmpty();
        assertThat(TlsFiles.problems(new TlsSettings("", "", ""), NOW)).isEmpty();
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "expired.pem|node.key|ca.pem|cluster.tls.certificate=|expired on 2021-02-03T04:05:06Z",
                "future.pem|node.key|ca.pem|cluster.tls.certificate=|is not valid before 2110-01-01T00:00:00Z",
                "node.pem|other.key|ca.pem|cluster.tls.key=|is not the key of the certificate in",
                "other.pem|other.key|ca.pem|cluster.tls.authority=|: its issuer is CN=other-ca",
                "none.pem|node.key|ca.pem|cluster.tls.certificate=|cannot be read: the file does not exist",
                "node.pem|none.key|ca.pem|cluster.tls.key=|cannot be read: the file does not exist",
                "node.pem|node.key|none.pem|cluster.tls.authority=|cannot be read: the file does not exist",
                "node.key|node.key|ca.pem|cluster.tls.certificate=|is not a certificate in PEM form",
                "node.pem|node.pem|ca.pem|cluster.tls.key=|is not an RSA private key in PEM form",
                "node.pem|elliptic.key|ca.pem|cluster.tls.key=|is not an RSA private key in PEM form",
                "node.pem|node.key|node.key|cluster.tls.authority=|is not a certificate in PEM form"
            })
    void what_is_wrong_is_named_with_its_setting_and_file(
            String certificate, String key, String authority, String setting, String problem) {
        assertThatThrownBy(() -> TlsFiles.require(settings(certificate, key, authority), NOW))
                .isInstanceOf(CommandFailedException.class)
                .hasMessageContaining(setting + FILES)
                .hasMessageContaining(problem);
    }

    /** V6: the reason of a refusal is one of the dates, the issuer or its key, and never two of them for one fault. */
    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "expired.pem|node.key|ca.pem|expired on",
                "future.pem|node.key|ca.pem|is not valid before",
                "node.pem|node.key|other-ca.pem|(CN=darkroom) is not signed by the authority in",
                "node.pem|node.key|other-ca.pem|(CN=other-ca): its issuer is CN=darkroom-ca",
                "node.pem|node.key|twin-ca.pem|has the name of its issuer, and another key"
            })
    void one_fault_of_a_certificate_has_one_reason(String certificate, String key, String authority, String reason) {
        Instant after = Instant.parse("2027-01-01T00:00:00Z"); // the twin was made in 2026
        assertThat(TlsFiles.problems(settings(certificate, key, authority), after))
                .singleElement()
                .asString()
                .contains(reason);
    }

    @Test
    void all_problems_are_told_at_once() {
        assertThat(TlsFiles.problems(settings("expired.pem", "other.key", "other-ca.pem"), NOW))
                .hasSize(3);
    }

    @Test
    void an_empty_file_is_no_certificate_and_no_key(@TempDir Path directory) throws IOException {
        String empty = Files.createFile(directory.resolve("empty")).toString();
        assertThat(TlsFiles.problems(new TlsSettings(empty, empty, empty), NOW))
                .hasSize(3)
                .allMatch(problem -> problem.contains(empty));
    }
}
