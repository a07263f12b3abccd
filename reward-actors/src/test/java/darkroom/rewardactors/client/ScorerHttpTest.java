package darkroom.rewardactors.client;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import darkroom.rewardactors.client.ScorerHttp.Reply;
import darkroom.rewardactors.client.StrictScorer.Refusal;
import java.io.IOException;
import java.io.InputStream;
import java.lang.ref.WeakReference;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.URI;
import java.net.http.HttpRequest;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.KeyStore;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import javax.net.ssl.KeyManagerFactory;
import javax.net.ssl.SSLContext;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Tests the address that an exchange goes to, and the remains of a finished one. */
@Timeout(60)
class ScorerHttpTest {
    private static final String HOST = "localhost";
    private static final Duration DEADLINE = Duration.ofSeconds(10);
    private static final int BYTES_MAX = 1 << 16;
    private static final char[] PASSWORD = "changeit".toCharArray();

    private final ExecutorService executor = Executors.newVirtualThreadPerTaskExecutor();
    private final ScheduledThreadPoolExecutor timer = new ScheduledThreadPoolExecutor(1);

    @TempDir
    Path directory = Path.of("unset");

    @AfterEach
    void stop() {
        executor.shutdownNow();
        timer.shutdownNow();
    }

    /** P-9: 20,000 exchanges with a running server would keep 20,000 bodies in memory. */
    @Test
    void an_exchange_that_is_over_is_held_by_no_signal() throws Exception {
        AbortSignal signal = new AbortSignal();
        List<WeakReference<Reply>> replies = new ArrayList<>();
        ScorerHttp http = http(ScorerAccess.NONE, InetAddress.getLoopbackAddress());
        try (StrictScorer scorer = scorer("127.0.0.1", 0)) {
            for (int i = 0; i < 20; i++) {
                replies.add(
                        new WeakReference<>(http.exchange(models("http", scorer.port()), DEADLINE, BYTES_MAX, signal)
                                .toCompletableFuture()
                                .get(20, TimeUnit.SECONDS)));
            }
            assertThat(signal.waiting()).isZero();
            ScorerClientTest.await("the garbage collector takes the answers", () -> {
                System.gc();
                return replies.stream().allMatch(reply -> reply.refersTo(null));
            });
        } finally {
            http.close();
        }
    }

    @Test
    void a_signal_that_is_raised_ends_an_exchange_at_once() throws Exception {
        AbortSignal signal = new AbortSignal();
        ScorerHttp http = http(ScorerAccess.NONE, InetAddress.getLoopbackAddress());
        try (FaultyScorer scorer = new FaultyScorer()) {
            scorer.behave(FaultyScorer.Behaviour.HANGS);
            var reply = http.exchange(
                            HttpRequest.newBuilder(scorer.url().resolve("/v1/models"))
                                    .POST(HttpRequest.BodyPublishers.ofString("{}"))
                                    .build(),
                            Duration.ofMinutes(5),
                            BYTES_MAX,
                            signal)
                    .toCompletableFuture();
            signal.raise();
            assertThat(reply.get(5, TimeUnit.SECONDS)).isInstanceOf(Reply.Failure.class);
            assertThat(signal.waiting()).isZero();
        } finally {
            http.close();
        }
    }

    @Test
    void a_server_on_the_second_address_of_its_name_is_reached_under_its_name() throws Exception {
        try (StrictScorer scorer = scorer("127.0.0.2", 0)) {
            assertReached(scorer, "127.0.0.1", "127.0.0.2");
        }
    }

    @Test
    void a_server_on_the_ipv6_loopback_alone_is_reached_by_the_name_of_both() throws Exception {
        assumeTrue(hasIpv6Loopback());
        try (StrictScorer scorer = scorer("::1", 0)) {
            assertReached(scorer, "127.0.0.1", "::1");
        }
    }

    private void assertReached(StrictScorer scorer, String... addresses) throws Exception {
        ScorerHttp http = http(ScorerAccess.NONE, addresses(addresses));
        try {
            assertThat(reply(http, models("http", scorer.port()))).isInstanceOf(Reply.Body.class);
            assertThat(reply(http, models("http", scorer.port()))).isInstanceOf(Reply.Body.class);
            assertThat(scorer.hosts()).hasSize(2).containsOnly(HOST + ":" + scorer.port());
        } finally {
            http.close();
        }
    }

    @Test
    void a_server_that_comes_back_on_another_address_is_found_there() throws Exception {
        ScorerHttp http = http(ScorerAccess.NONE, addresses("127.0.0.1", "127.0.0.2"));
        try {
            int port;
            try (StrictScorer scorer = scorer("127.0.0.2", 0)) {
                port = scorer.port();
                assertThat(reply(http, models("http", port))).isInstanceOf(Reply.Body.class);
            }
            try (StrictScorer _ = scorer("127.0.0.1", port)) {
                ScorerClientTest.await("it is found", () -> reply(http, models("http", port)) instanceof Reply.Body);
            }
            try (StrictScorer _ = scorer("127.0.0.2", port)) {
                ScorerClientTest.await(
                        "it is found again", () -> reply(http, models("http", port)) instanceof Reply.Body);
            }
        } finally {
            http.close();
        }
    }

    /** F14. */
    @Test
    void an_address_that_accepts_no_connection_is_passed_over() throws Exception {
        try (StrictScorer scorer = scorer("127.0.0.1", 0);
                SilentAddress _ = new SilentAddress("127.0.0.2", scorer.port())) {
            assertReached(scorer, "127.0.0.2", "127.0.0.1");
        }
    }

    /** F14: the deadline of the exchange ends with or before the time for the connection. */
    @Test
    void a_server_whose_address_falls_silent_is_found_at_another_one() throws Exception {
        ScorerHttp http = http(ScorerAccess.NONE, addresses("127.0.0.1", "127.0.0.2"));
        try {
            int port;
            try (StrictScorer scorer = scorer("127.0.0.1", 0)) {
                port = scorer.port();
                assertThat(reply(http, models("http", port))).isInstanceOf(Reply.Body.class);
            }
            try (SilentAddress _ = new SilentAddress("127.0.0.1", port);
                    StrictScorer _ = scorer("127.0.0.2", port)) {
                assertThat(http.exchange(models("http", port), Duration.ofMillis(300), BYTES_MAX)
                                .toCompletableFuture()
                                .join())
                        .isInstanceOf(Reply.Failure.class);
                ScorerClientTest.await("it is found", () -> reply(http, models("http", port)) instanceof Reply.Body);
            }
        } finally {
            http.close();
        }
    }

    /** F20. */
    @Test
    void nobody_on_any_address_is_told_with_all_of_them() throws Exception {
        int port;
        try (ServerSocket free = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
            port = free.getLocalPort();
        }
        ScorerHttp http = http(ScorerAccess.NONE, addresses("127.0.0.1", "127.0.0.2"));
        try {
            assertThat(reply(http, models("http", port)))
                    .isInstanceOfSatisfying(Reply.Failure.class, failure -> assertThat(
                                    failure.fault().reason())
                            .startsWith("refused: no connection: ")
                            .endsWith("(tried 127.0.0.1, 127.0.0.2)")
                            .doesNotContain("null"));
        } finally {
            http.close();
        }
    }

    /** P-3: at any address, the certificate must be that of the name. */
    @Test
    void the_certificate_of_a_server_on_the_second_address_is_checked_against_its_name() throws Exception {
        InetSocketAddress second = new InetSocketAddress("127.0.0.2", 0);
        SSLContext right = identity("right", "san=dns:" + HOST);
        SSLContext wrong = identity("wrong", "san=ip:127.0.0.2");
        try (StrictScorer scorer = new StrictScorer(second, right, StrictScorer.OPENAI, Refusal.ONE, "");
                StrictScorer other = new StrictScorer(second, wrong, StrictScorer.OPENAI, Refusal.ONE, "")) {
            ScorerHttp believing = http(believing("right"), addresses("127.0.0.1", "127.0.0.2"));
            ScorerHttp misled = http(believing("wrong"), addresses("127.0.0.1", "127.0.0.2"));
            try {
                assertThat(reply(believing, models("https", scorer.port()))).isInstanceOf(Reply.Body.class);
                assertThat(scorer.hosts()).containsOnly(HOST + ":" + scorer.port());
                assertThat(reply(misled, models("https", other.port())))
                        .isInstanceOfSatisfying(
                                Reply.Failure.class,
                                failure -> assertThat(failure.fault().code()).isEqualTo("tls"));
            } finally {
                believing.close();
                misled.close();
            }
        }
    }

    private static Reply reply(ScorerHttp http, HttpRequest request) {
        return http.exchange(request, DEADLINE, BYTES_MAX).toCompletableFuture().join();
    }

    private ScorerHttp http(ScorerAccess access, InetAddress... addresses) {
        return new ScorerHttp(executor, timer, DEADLINE, access, _ -> addresses);
    }

    private static InetAddress[] addresses(String... addresses) throws IOException {
        List<InetAddress> all = new ArrayList<>();
        for (String address : addresses) {
            all.add(InetAddress.getByName(address));
        }
        return all.toArray(InetAddress[]::new);
    }

    private static StrictScorer scorer(String address, int port) throws IOException {
        return new StrictScorer(new InetSocketAddress(address, port), null, StrictScorer.OPENAI, Refusal.ONE, "");
    }

    private static HttpRequest models(String scheme, int port) {
        return HttpRequest.newBuilder(URI.create(scheme + "://" + HOST + ":" + port + "/v1/models"))
                .build();
    }

    private static boolean hasIpv6Loopback() {
        try (ServerSocket socket = new ServerSocket(0, 1, InetAddress.ofLiteral("::1"))) {
            return socket.isBound();
        } catch (IOException e) {
            return false;
        }
    }

    private ScorerAccess believing(String name) {
        return ScorerAccess.in(
                Map.of(ScorerAccess.CA_FILE, directory.resolve(name + ".pem").toString()));
    }

    /** Creates a key with a self-signed certificate. */
    private SSLContext identity(String name, String subject) throws Exception {
        Path store = directory.resolve(name + ".p12");
        keytool(store, "-genkeypair", "-keyalg", "EC", "-dname", "CN=" + name, "-ext", subject);
        KeyStore keys = KeyStore.getInstance("PKCS12");
        try (InputStream in = Files.newInputStream(store)) {
            keys.load(in, PASSWORD);
        }
        String certificate = Base64.getMimeEncoder()
                .encodeToString(keys.getCertificate("key").getEncoded());
        Files.writeString(
                directory.resolve(name + ".pem"),
                "-----BEGIN CERTIFICATE-----\n" + certificate + "\n-----END CERTIFICATE-----\n");
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
