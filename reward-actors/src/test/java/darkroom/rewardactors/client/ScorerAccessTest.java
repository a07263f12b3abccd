package darkroom.rewardactors.client;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import com.sun.net.httpserver.HttpsConfigurator;
import com.sun.net.httpserver.HttpsServer;
import darkroom.actors.device.ScoreOutcome;
import darkroom.config.ScoringSettings;
import java.io.IOException;
import java.io.InputStream;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.KeyStore;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import javax.net.ssl.KeyManagerFactory;
import javax.net.ssl.SSLContext;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Tests tokens, headers and certificates, from the environment and from files. */
class ScorerAccessTest {
    private static final char[] PASSWORD = "changeit".toCharArray();

    @TempDir
    Path directory = Path.of("unset");

    private FaultyScorer scorer;

    @BeforeEach
    void start() throws IOException {
        scorer = new FaultyScorer();
    }

    @AfterEach
    void stop() throws IOException {
        scorer.close();
    }

    private String file(String name, String text) throws IOException {
        return Files.writeString(directory.resolve(name), text).toString();
    }

    private static ScoringSettings settings() {
        return TestScoring.with("model=truthful", "timeout=5s", "attempts=1", "logprob-source=top-20");
    }

    private static ScoreOutcome ask(URI url, ScorerAccess access) throws Exception {
        try (ScorerClient client = new ScorerClient(url, settings(), access)) {
            return client.score(ScorerClientTest.request(ScorerClientTest.edit(0)))
                    .toCompletableFuture()
                    .get(20, TimeUnit.SECONDS);
        }
    }

    private void assertSent(ScorerAccess access, String... headers) throws Exception {
        scorer.behave(FaultyScorer.Behaviour.HTTP_401_WITH_A_TEXT);
        assertThat(ask(scorer.url(), access)).isInstanceOf(ScoreOutcome.Unscored.class);
        for (String header : headers) {
            assertThat(scorer.lastRequest()).containsIgnoringCase(header);
        }
        assertThat(access.toString()).doesNotContain("s3cret");
    }

    @Test
    void the_token_goes_into_its_header_and_into_no_reason() throws Exception {
        ScorerAccess access = ScorerAccess.in(Map.of(ScorerAccess.TOKEN, " s3cret "));
        assertSent(access, "authorization: Bearer s3cret");
        assertThat(((ScoreOutcome.Unscored) ask(scorer.url(), access)).reason())
                .isEqualTo("http-401: Unauthorized: Bearer ***");
    }

    @Test
    void a_token_and_headers_may_come_from_files() throws Exception {
        ScorerAccess access = ScorerAccess.in(Map.of(
                ScorerAccess.TOKEN_FILE,
                file("token", "s3cret\n"),
                ScorerAccess.HEADERS_FILE,
                file("headers", "# of the gateway\n\nX-Api-Key:  k3y with blanks \nX-Tenant: a\n")));
        assertSent(access, "authorization: Bearer s3cret", "x-api-key: k3y with blanks", "x-tenant: a");
        assertThat(access.hiddenIn("k3y with blanks of a"))
                .as("what is short is no secret")
                .isEqualTo("*** of a");
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "X-Api-Key s3cret      | line 1 is no \"Name: value\"",
                "Host: s3cret          | header Host is not yours to set",
                "Authorization: s3cret | unset one",
                "X-Api-Key:            | is empty",
                "X-Api-Key: s3cret\u00e9 | outside of ASCII"
            })
    void a_header_that_cannot_be_is_refused_by_its_line_without_its_value(String line, String reason)
            throws IOException {
        Map<String, String> environment =
                Map.of(ScorerAccess.TOKEN, "t0ken", ScorerAccess.HEADERS_FILE, file("headers", line));
        assertThatThrownBy(() -> ScorerAccess.in(environment))
                .isInstanceOf(IllegalArgumentException.class)
                .message()
                .contains(ScorerAccess.HEADERS_FILE, "line 1", reason)
                .doesNotContain("s3cret");
    }

    @Test
    void what_is_wrong_with_a_token_or_a_file_is_said_by_its_variable() throws IOException {
        String token = file("token", "a b\n");
        String nothing = file("nothing", "\n");
        String missing = directory.resolve("missing").toString();
        assertRefused(Map.of(ScorerAccess.TOKEN, "s3cret\r\nX: 1"), ScorerAccess.TOKEN, "blanks");
        assertRefused(Map.of(ScorerAccess.TOKEN_FILE, token), ScorerAccess.TOKEN_FILE, "blanks");
        assertRefused(Map.of(ScorerAccess.TOKEN_FILE, nothing), ScorerAccess.TOKEN_FILE, "empty");
        assertRefused(Map.of(ScorerAccess.TOKEN_FILE, missing), ScorerAccess.TOKEN_FILE, "no such file");
        assertRefused(
                Map.of(ScorerAccess.TOKEN, "s3cret", ScorerAccess.TOKEN_FILE, token), ScorerAccess.TOKEN_FILE, "unset");
        assertRefused(Map.of(ScorerAccess.CA_FILE, missing), ScorerAccess.CA_FILE, "no such file");
        assertRefused(Map.of(ScorerAccess.CA_FILE, nothing), ScorerAccess.CA_FILE, "certificate");
    }

    private static void assertRefused(Map<String, String> environment, String... said) {
        assertThatThrownBy(() -> ScorerAccess.in(environment))
                .isInstanceOf(IllegalArgumentException.class)
                .message()
                .contains(said)
                .doesNotContain("s3cret");
    }

    /** P-3: a scorer that cannot prove its identity gives no score. */
    @Test
    void a_scorer_is_believed_by_the_authority_that_is_named_and_by_no_other() throws Exception {
        HttpsServer server = HttpsServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
        server.setHttpsConfigurator(new HttpsConfigurator(identity("scorer")));
        server.createContext("/", exchange -> {
            exchange.getRequestBody().readAllBytes();
            String id = exchange.getRequestHeaders().getFirst("X-Request-Id");
            byte[] answer = FaultyScorer.answer(ScorerClientTest.edit(0), id == null ? "" : id)
                    .toString()
                    .getBytes(StandardCharsets.UTF_8);
            exchange.sendResponseHeaders(200, answer.length);
            exchange.getResponseBody().write(answer);
            exchange.close();
        });
        server.start();
        try {
            URI url = URI.create("https://127.0.0.1:" + server.getAddress().getPort());
            identity("another");
            assertThat(((ScoreOutcome.Unscored) ask(url, ScorerAccess.NONE)).reason())
                    .startsWith("tls");
            assertThat(((ScoreOutcome.Unscored) ask(url, believing("another"))).reason())
                    .startsWith("tls");
            assertThat(ask(url, believing("scorer")))
                    .isInstanceOfSatisfying(ScoreOutcome.Scored.class, scored -> assertThat(scored.score())
                            .isCloseTo(FaultyScorer.truth(ScorerClientTest.edit(0)), within(1e-9)));
        } finally {
            server.stop(0);
        }
    }

    private ScorerAccess believing(String name) {
        return ScorerAccess.in(
                Map.of(ScorerAccess.CA_FILE, directory.resolve(name + ".pem").toString()));
    }

    /** Creates a key with a self-signed certificate. */
    private SSLContext identity(String name) throws Exception {
        Path store = directory.resolve(name + ".p12");
        keytool(store, "-genkeypair", "-keyalg", "EC", "-dname", "CN=" + name, "-ext", "san=ip:127.0.0.1");
        keytool(
                store,
                "-exportcert",
                "-rfc",
                "-file",
                directory.resolve(name + ".pem").toString());
        KeyStore keys = KeyStore.getInstance("PKCS12");
        try (InputStream in = Files.newInputStream(store)) {
            keys.load(in, PASSWORD);
        }
        KeyManagerFactory managers = KeyManagerFactory.getInstance(KeyManagerFactory.getDefaultAlgorithm());
        managers.init(keys, PASSWORD);
        SSLContext context = SSLContext.getInstance("TLS");
        context.init(managers.getKeyManagers(), null, null);
        return context;
    }

    private static void keytool(Path store, String... arguments) throws Exception {
        List<String> command = new ArrayList<>(List.of(
                Path.of(System.getProperty("java.home"), "bin", "keytool").toString()));
        command.addAll(List.of(arguments));
        command.addAll(List.of("-keystore", store.toString(), "-alias", "key", "-storepass", String.valueOf(PASSWORD)));
        Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
        String said = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        assertThat(process.waitFor()).as(said).isZero();
    }
}
