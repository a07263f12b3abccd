package darkroom.rewardactors.simulation;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URI;
import java.net.http.HttpClient;
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
    private static final int BACKLOG = 1024;
    private static final Duration SLOW = Duration.ofSeconds(1);
    private static final Duration UPSTREAM_WITHIN = Duration.ofMinutes(2);
    private static final Duration CONNECT_WITHIN = Duration.ofSeconds(5);

    /** Highest label of the scale that {@link Spoil#WRONG} reverses. */
    private static final int HIGHEST = 5;

    private final URI upstream;
    private final Supplier<Spoil> spoil;
    private final HttpServer server;
    private final HttpClient client =
            HttpClient.newBuilder().connectTimeout(CONNECT_WITHIN).build();
    private final ExecutorService executor = Executors.newThreadPerTaskExecutor(
            Thread.ofVirtual().name("scorer-proxy-", 0).factory());
    private final CountDownLatch closed = new CountDownLatch(1);

    /** Corruption of an answer. */
    public enum Spoil {
        NONE,
        /** Status 500 instead. */
        ERROR,
        /** No answer until the proxy is closed; the connection stays open. */
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

    private ScorerProxy(URI upstream, Supplier<Spoil> spoil) throws IOException {
        this.upstream = upstream;
        this.spoil = spoil;
        this.server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), BACKLOG);
        server.setExecutor(executor);
        server.createContext("/", this::pass);
        server.start();
    }

    /**
     * Starts a proxy.
     *
     * @param upstream URL of the scorer, with its path
     * @param spoil called once for every question
     * @throws IOException if loopback has no free port
     */
    public static ScorerProxy before(URI upstream, Supplier<Spoil> spoil) throws IOException {
        return new ScorerProxy(upstream, spoil);
    }

    /** Returns the URL of the proxy: the scorer's path on another port. */
    public URI url() {
        String path = upstream.getRawPath() == null ? "" : upstream.getRawPath();
        return URI.create("http://127.0.0.1:" + server.getAddress().getPort() + path);
    }

    private void pass(HttpExchange exchange) throws IOException {
        try (exchange) {
            byte[] question = exchange.getRequestBody().readAllBytes();
            boolean asks = exchange.getRequestURI().getPath().endsWith("/chat/completions");
            Spoil how = asks ? spoil.get() : Spoil.NONE;
            switch (how) {
                case ERROR -> answer(exchange, 500, "{\"error\": \"injected\"}".getBytes(StandardCharsets.UTF_8));
                case GARBAGE -> answer(exchange, 200, "\u0000<html>injected".getBytes(StandardCharsets.UTF_8));
                case HANG -> closed.await();
                case BREAK_OFF -> {
                    byte[] whole = upstream(exchange, question).body();
                    exchange.sendResponseHeaders(200, whole.length);
                    exchange.getResponseBody().write(whole, 0, whole.length / 2);
                    exchange.getResponseBody().flush();
                }
                case SLOW -> {
                    if (!closed.await(SLOW.toMillis(), TimeUnit.MILLISECONDS)) {
                        passOn(exchange, upstream(exchange, question));
                    }
                }
                case WRONG -> {
                    HttpResponse<byte[]> answer = upstream(exchange, question);
                    answer(exchange, answer.statusCode(), turnedRound(answer.body()));
                }
                case NONE -> passOn(exchange, upstream(exchange, question));
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    private HttpResponse<byte[]> upstream(HttpExchange exchange, byte[] body) throws IOException, InterruptedException {
        HttpRequest.Builder request = HttpRequest.newBuilder(
                        upstream.resolve(exchange.getRequestURI().toString()))
                .timeout(UPSTREAM_WITHIN)
                .method(
                        exchange.getRequestMethod(),
                        body.length == 0
                                ? HttpRequest.BodyPublishers.noBody()
                                : HttpRequest.BodyPublishers.ofByteArray(body));
        for (String name : new String[] {"Content-Type", "Authorization", "Accept"}) {
            String value = exchange.getRequestHeaders().getFirst(name);
            if (value != null) {
                request.header(name, value);
            }
        }
        return client.send(request.build(), HttpResponse.BodyHandlers.ofByteArray());
    }

    private static void passOn(HttpExchange exchange, HttpResponse<byte[]> answer) throws IOException {
        answer.headers().firstValue("Content-Type").ifPresent(type -> exchange.getResponseHeaders()
                .set("Content-Type", type));
        answer(exchange, answer.statusCode(), answer.body());
    }

    private static void answer(HttpExchange exchange, int code, byte[] body) throws IOException {
        exchange.sendResponseHeaders(code, body.length == 0 ? -1 : body.length);
        if (body.length > 0) {
            exchange.getResponseBody().write(body);
        }
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
        closed.countDown();
        server.stop(0);
        executor.shutdownNow();
        client.shutdownNow();
    }
}
