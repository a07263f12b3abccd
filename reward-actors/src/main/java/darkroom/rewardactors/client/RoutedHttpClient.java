package darkroom.rewardactors.client;

import darkroom.config.ErrorReason;
import java.io.IOException;
import java.net.ConnectException;
import java.net.Inet6Address;
import java.net.InetAddress;
import java.net.URI;
import java.net.UnknownHostException;
import java.net.http.HttpClient;
import java.net.http.HttpConnectTimeoutException;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.security.NoSuchAlgorithmException;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.Executor;
import javax.net.ssl.SNIHostName;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLParameters;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * An HTTP client that reaches a host with several addresses at the one that answers ({@link HostRoutes}); the name in the URL
 * stays that of the {@code Host} header and of the certificate. Redirects are not followed.
 */
public final class RoutedHttpClient implements AutoCloseable {
    private static final String ALLOWED_HEADERS = "jdk.httpclient.allowRestrictedHeaders";
    private static final Logger LOG = LoggerFactory.getLogger(RoutedHttpClient.class);

    static {
        // Read once by the JDK's client, when it is first used: a request to an address names its host in a header.
        String allowed = System.getProperty(ALLOWED_HEADERS, "");
        if (!List.of(allowed.split(",")).contains("host")) {
            System.setProperty(ALLOWED_HEADERS, allowed.isEmpty() ? "host" : allowed + ",host");
        }
    }

    private final Executor executor;
    private final Duration connectTimeout;
    private final ScorerAccess access;
    private final HostRoutes routes;
    private final HttpClient http;
    private final Map<String, HttpClient> byHost = new ConcurrentHashMap<>();

    /** Resolves a name to its addresses, in the order of preference. */
    @FunctionalInterface
    public interface Resolver {
        InetAddress[] addresses(String host) throws UnknownHostException;
    }

    /**
     * @param executor of virtual threads
     * @param connectTimeout for all addresses of a host together, and again for the connection itself
     * @param access whose authorities are trusted; its headers are not added to requests
     */
    public RoutedHttpClient(Executor executor, Duration connectTimeout, ScorerAccess access, Resolver resolver) {
        this.executor = executor;
        this.connectTimeout = connectTimeout;
        this.access = access;
        this.routes = new HostRoutes(resolver, executor);
        HttpClient.Builder client = client();
        access.trusted().ifPresent(client::sslContext);
        this.http = client.build();
    }

    private HttpClient.Builder client() {
        return HttpClient.newBuilder()
                .version(HttpClient.Version.HTTP_1_1)
                .followRedirects(HttpClient.Redirect.NEVER)
                .connectTimeout(connectTimeout)
                .executor(executor);
    }

    /**
     * Sends a request and waits for the answer. A known address that refuses the connection, or does not accept it within
     * the connect timeout, is replaced once.
     *
     * @throws IOException if no address accepts the connection, or the connection breaks
     */
    public <T> HttpResponse<T> send(HttpRequest request, HttpResponse.BodyHandler<T> handler)
            throws IOException, InterruptedException {
        Optional<HostRoutes.Route> known = routes.known(request.uri());
        if (known.isPresent()) {
            try {
                return sendBy(known.get(), request, handler);
            } catch (ConnectException | HttpConnectTimeoutException e) {
                LOG.debug(
                        "{} is looked for at its other addresses", request.uri().getHost(), e);
                routes.forget(request.uri(), known.get());
            }
        }
        HostRoutes.Route found = routes.find(request.uri(), connectTimeout);
        try {
            return sendBy(found, request, handler);
        } catch (ConnectException | HttpConnectTimeoutException e) {
            routes.forget(request.uri(), found);
            throw e;
        }
    }

    private <T> HttpResponse<T> sendBy(HostRoutes.Route route, HttpRequest request, HttpResponse.BodyHandler<T> handler)
            throws IOException, InterruptedException {
        return client(route, request).send(routed(route, request), handler);
    }

    /** The chosen addresses, for callers that keep a deadline of their own. */
    HostRoutes routes() {
        return routes;
    }

    <T> CompletableFuture<HttpResponse<T>> sendAsync(
            HostRoutes.Route route, HttpRequest request, HttpResponse.BodyHandler<T> handler) {
        return client(route, request).sendAsync(routed(route, request), handler);
    }

    /** Ends all exchanges now. */
    @Override
    public void close() {
        http.shutdownNow();
        byHost.values().forEach(HttpClient::shutdownNow);
    }

    private HttpClient client(HostRoutes.Route route, HttpRequest request) {
        boolean named = route.address().isPresent() && request.uri().getScheme().equalsIgnoreCase("https");
        return named ? byHost.computeIfAbsent(request.uri().getHost(), this::named) : http;
    }

    private static HttpRequest routed(HostRoutes.Route route, HttpRequest request) {
        if (route.address().isEmpty()) {
            return request;
        }
        URI url = request.uri();
        HttpRequest.Builder routed = HttpRequest.newBuilder(request, (_, _) -> true)
                .uri(at(url, route.address().get()));
        try {
            routed.header("Host", url.getRawAuthority());
        } catch (IllegalArgumentException e) {
            LOG.warn(
                    "a request to {} names its address as its host: this process was started without -D{}=host ({})",
                    url.getRawAuthority(),
                    ALLOWED_HEADERS,
                    ErrorReason.of(e));
        }
        return routed.build();
    }

    private HttpClient named(String host) {
        try {
            SSLContext context = access.trusted().isPresent() ? access.trusted().get() : SSLContext.getDefault();
            SSLParameters parameters = context.getDefaultSSLParameters();
            parameters.setServerNames(List.of(new SNIHostName(host)));
            return client().sslContext(NamedPeerContext.of(context, host))
                    .sslParameters(parameters)
                    .build();
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("no TLS in this JDK", e);
        }
    }

    private static URI at(URI url, InetAddress address) {
        String literal = address.getHostAddress().replace("%", "%25");
        String host = address instanceof Inet6Address ? "[" + literal + "]" : literal;
        String port = url.getPort() < 0 ? "" : ":" + url.getPort();
        String query = url.getRawQuery() == null ? "" : "?" + url.getRawQuery();
        return URI.create(url.getScheme() + "://" + host + port + url.getRawPath() + query);
    }
}
