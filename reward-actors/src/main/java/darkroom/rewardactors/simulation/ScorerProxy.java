package darkroom.rewardactors.simulation;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import darkroom.config.ErrorReason;
import darkroom.rewardactors.client.RoutedHttpClient;
import darkroom.rewardactors.client.ScorerAccess;
import darkroom.rewardactors.http.HttpAnswer;
import darkroom.rewardactors.http.HttpBounds;
import darkroom.rewardactors.http.HttpRouter;
import darkroom.rewardactors.http.RefusedRequestException;
import darkroom.rewardactors.http.RoutedRequest;
import java.io.IOException;
import java.net.InetAddress;
import java.net.URI;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.Map;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import java.util.function.Supplier;

/**
 * A server on loopback that forwards questions to a scorer, and its answers to the client, corrupted on request: for fault
 * injection. Paths other than those of questions, above all {@code /health}, are never corrupted.
 */
public final class ScorerProxy implements AutoCloseable {
    private static final JsonMapper JSON = new JsonMapper();
    private static final Duration SLOW = Duration.ofSeconds(1);
    private static final Duration UPSTREAM_WITHIN = Duration.ofMinutes(2);
    private static final Duration CONNECT_WITHIN = Duration.ofSeconds(5);

    /** Ended by an interrupt alone, when the proxy is closed. */
    private static final CountDownLatch NEVER = new CountDownLatch(1);

    /** Highest label of the scale that {@link Spoil#WRONG} reverses. */
    private static final int HIGHEST = 5;

    private final URI upstream;
    private final Supplier<Spoil> spoil;
    private final HttpRouter router;
    private final ExecutorService executor = Executors.newThreadPerTaskExecutor(
            Thread.ofVirtual().name("scorer-proxy-", 0).factory());
    private final RoutedHttpClient client;

    /** Corruption of an answer. */
    public enum Spoil {
        NONE,
        /** Status 500 instead. */
        ERROR,
        /** No answer for an hour, or until the proxy is closed; the connection stays open. */
        HANG,
        /** Status 200, and bytes that are not an answer. */
        GARBAGE,
        /** Ends in the middle of the body. */
        BREAK_OFF,
        /** One second late. */
        SLOW,
        /** Valid, with the labels of a scale from 0 to 5 reversed. */
        WRONG
    }

    private ScorerProxy(URI upstream, Supplier<Spoil> spoil, RoutedHttpClient.Resolver resolver) throws IOException {
        this.upstream = upstream;
        this.spoil = spoil;
        this.client = new RoutedHttpClient(executor, CONNECT_WITHIN, ScorerAccess.NONE, resolver);
        try {
            this.router = HttpRouter.named("scorer-proxy", HttpBounds.SIMULATION)
                    .route(HttpRouter.ANY, "/*", this::pass)
                    .start(0);
        } catch (IOException e) {
            client.close();
            throw e;
        }
    }

    /**
     * Starts a proxy.
     *
     * @param upstream URL of the scorer, with its path
     * @param spoil called once for every question
     * @throws IOException if loopback has no free port
     */
    public static ScorerProxy before(URI upstream, Supplier<Spoil> spoil) throws IOException {
        return before(upstream, spoil, InetAddress::getAllByName);
    }

    /** @param resolver of the scorer's host */
    static ScorerProxy before(URI upstream, Supplier<Spoil> spoil, RoutedHttpClient.Resolver resolver)
            throws IOException {
        return new ScorerProxy(upstream, spoil, resolver);
    }

    /** Returns the URL of the proxy: the scorer's path on another port. */
    public URI url() {
        String path = upstream.getRawPath() == null ? "" : upstream.getRawPath();
        return URI.create("http://127.0.0.1:" + router.address().getPort() + path);
    }

    private HttpAnswer pass(RoutedRequest request) throws IOException, InterruptedException, RefusedRequestException {
        boolean asks = request.uri().getPath().endsWith("/chat/completions");
        Spoil how = asks ? spoil.get() : Spoil.NONE;
        return switch (how) {
            case ERROR -> HttpAnswer.of(500, "{\"error\": \"injected\"}".getBytes(StandardCharsets.UTF_8));
            case GARBAGE -> HttpAnswer.of(200, "\u0000<html>injected".getBytes(StandardCharsets.UTF_8));
            case HANG -> {
                NEVER.await();
                yield HttpAnswer.none();
            }
            case BREAK_OFF -> HttpAnswer.of(200, upstream(request).body()).brokenOff();
            case SLOW -> {
                var _ = NEVER.await(SLOW.toNanos(), TimeUnit.NANOSECONDS);
                yield passedOn(upstream(request));
            }
            case WRONG -> {
                HttpResponse<byte[]> answer = upstream(request);
                yield HttpAnswer.of(answer.statusCode(), turnedRound(answer.body()));
            }
            case NONE -> passedOn(upstream(request));
        };
    }

    private HttpResponse<byte[]> upstream(RoutedRequest asked) throws InterruptedException, RefusedRequestException {
        HttpRequest.Builder request = HttpRequest.newBuilder(
                        upstream.resolve(asked.uri().toString()))
                .timeout(UPSTREAM_WITHIN)
                .method(
                        asked.method(),
                        asked.body().length == 0
                                ? HttpRequest.BodyPublishers.noBody()
                                : HttpRequest.BodyPublishers.ofByteArray(asked.body()));
        for (String name : new String[] {"Content-Type", "Authorization", "Accept"}) {
            asked.header(name).ifPresent(value -> request.header(name, value));
        }
        try {
            return client.send(request.build(), HttpResponse.BodyHandlers.ofByteArray());
        } catch (IOException e) {
            throw new RefusedRequestException(502, "", "the scorer behind this proxy: " + ErrorReason.of(e));
        }
    }

    private static HttpAnswer passedOn(HttpResponse<byte[]> answer) {
        HttpAnswer passed = HttpAnswer.of(answer.statusCode(), answer.body());
        return answer.headers()
                .firstValue("Content-Type")
                .map(type -> passed.with("Content-Type", type))
                .orElse(passed);
    }

    /** Replaces every log-probability of a label by that of the opposite label. */
    private static byte[] turnedRound(byte[] body) throws IOException {
        JsonNode answer = JSON.readTree(body);
        turnRound(answer);
        return JSON.writeValueAsBytes(answer);
    }

    private static void turnRound(JsonNode node) {
        if (node instanceof ObjectNode object) {
            for (String name : new String[] {"token", "decoded_token"}) {
                String token = object.path(name).asText();
                if (token.length() == 1 && token.charAt(0) >= '0' && token.charAt(0) <= '0' + HIGHEST) {
                    object.put(name, Integer.toString(HIGHEST - (token.charAt(0) - '0')));
                }
            }
        }
        for (Map.Entry<String, JsonNode> child : node.properties()) {
            turnRound(child.getValue());
        }
        if (node.isArray()) {
            node.forEach(ScorerProxy::turnRound);
        }
    }

    @Override
    public void close() {
        router.close();
        client.close();
        executor.shutdownNow();
    }
}
