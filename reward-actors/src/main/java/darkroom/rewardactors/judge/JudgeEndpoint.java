package darkroom.rewardactors.judge;

import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import darkroom.config.ErrorReason;
import darkroom.rewardactors.judge.ChatQuestion.RefusedException;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicLong;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Serves a {@link JudgeModel} by the HTTP API of vLLM and others: {@code /v1/chat/completions}, {@code /v1/models} and {@code
 * /health}, on loopback. The client is the same as for any scorer.
 *
 * <p>Requests that arrive together are judged together; an answer does not depend on the others in its batch.
 */
public final class JudgeEndpoint implements AutoCloseable {
    /** Maximum number of concurrent requests; one more receives 503 and a request to retry. */
    static final int IN_FLIGHT_MAX = 256;

    /** Maximum bytes of a request. */
    static final int REQUEST_BYTES_MAX = 32 << 20;

    /** Maximum bytes of all requests in work together; a request that does not fit gets 503 before its body is read. */
    static final int BODY_BYTES_IN_FLIGHT_MAX = 256 << 20;

    private static final int BACKLOG = 512;
    private static final int ANSWER_SECONDS_MAX = 120;
    private static final JsonMapper JSON = new JsonMapper();
    private static final Logger LOG = LoggerFactory.getLogger(JudgeEndpoint.class);

    static {
        // Without it the server waits 40 ms for the acknowledgement of a head before it sends the body.
        if (System.getProperty("sun.net.httpserver.nodelay") == null) {
            System.setProperty("sun.net.httpserver.nodelay", "true");
        }
        // Without it a body that is never sent to its end would hold its place endlessly.
        if (System.getProperty("sun.net.httpserver.maxReqTime") == null) {
            System.setProperty("sun.net.httpserver.maxReqTime", Integer.toString(ANSWER_SECONDS_MAX));
        }
    }

    private final HttpServer server;
    private final ExecutorService executor = Executors.newThreadPerTaskExecutor(
            Thread.ofVirtual().name("judge-http-", 0).factory());
    private final JudgeBatcher batcher;
    private final String model;
    private final Semaphore places = new Semaphore(IN_FLIGHT_MAX);
    private final Semaphore bodyBytes = new Semaphore(BODY_BYTES_IN_FLIGHT_MAX);
    private final AtomicLong answered = new AtomicLong();

    /**
     * Starts the server.
     *
     * @param judge called by one thread; not closed by this
     * @param model name under which the judge is listed
     * @param port 0 for any free port
     */
    public JudgeEndpoint(JudgeModel judge, String model, int port) throws IOException {
        this.model = model;
        this.server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), port), BACKLOG);
        this.batcher = new JudgeBatcher(judge, IN_FLIGHT_MAX);
        server.setExecutor(executor);
        server.createContext("/", this::handle);
        server.start();
    }

    /** Returns the base URL for a client. */
    public URI url() {
        InetSocketAddress address = server.getAddress();
        return URI.create("http://127.0.0.1:" + address.getPort());
    }

    /** Stops listening; questions not yet answered get an error or none. */
    @Override
    public void close() {
        server.stop(0);
        batcher.close();
        executor.shutdown();
    }

    private void handle(HttpExchange exchange) throws IOException {
        try (exchange) {
            try {
                route(exchange);
            } catch (RefusedException e) {
                reply(exchange, e.status(), error(e.status(), ErrorReason.of(e), e.param()));
            } catch (RuntimeException e) {
                LOG.warn("a question to the judge failed", e);
                reply(exchange, 500, error(500, "the judge failed: " + ErrorReason.of(e), ""));
            }
        }
    }

    private void route(HttpExchange exchange) throws IOException, RefusedException {
        String path = exchange.getRequestURI().getPath();
        String expected =
                switch (path) {
                    case "/health", "/v1/models" -> "GET";
                    case "/v1/chat/completions" -> "POST";
                    default -> throw new RefusedException(404, "path", "there is no " + path);
                };
        if (!exchange.getRequestMethod().equals(expected)) {
            throw new RefusedException(405, "method", path + " takes " + expected);
        }
        switch (path) {
            case "/health" -> reply(exchange, 200, JSON.createObjectNode().put("status", "ok"));
            case "/v1/models" -> {
                ObjectNode list = JSON.createObjectNode().put("object", "list");
                list.putArray("data").addObject().put("id", model).put("object", "model");
                reply(exchange, 200, list);
            }
            default -> complete(exchange);
        }
    }

    private void complete(HttpExchange exchange) throws IOException, RefusedException {
        if (!places.tryAcquire()) {
            throw full(exchange, IN_FLIGHT_MAX + " questions are in work; come again");
        }
        try {
            int bytes = room(exchange);
            if (!bodyBytes.tryAcquire(bytes)) {
                throw full(exchange, BODY_BYTES_IN_FLIGHT_MAX + " bytes of questions are in work; come again");
            }
            try {
                answer(exchange, body(exchange, bytes));
            } finally {
                bodyBytes.release(bytes);
            }
        } finally {
            places.release();
        }
    }

    private static RefusedException full(HttpExchange exchange, String why) {
        exchange.getResponseHeaders().set("Retry-After", "1");
        return new RefusedException(503, "", why);
    }

    /** Bytes reserved for the body of a request, from its head; the maximum if the head has no length. */
    private static int room(HttpExchange exchange) throws RefusedException {
        String length = exchange.getRequestHeaders().getFirst("Content-Length");
        if (length == null) {
            return REQUEST_BYTES_MAX;
        }
        if (!length.strip().matches("\\d{1,9}") || Integer.parseInt(length.strip()) > REQUEST_BYTES_MAX) {
            throw tooLarge();
        }
        return Integer.parseInt(length.strip());
    }

    private static RefusedException tooLarge() {
        return new RefusedException(413, "body", "the request has more than " + REQUEST_BYTES_MAX + " bytes");
    }

    private void answer(HttpExchange exchange, byte[] body) throws IOException, RefusedException {
        try {
            ChatQuestion question = ChatQuestion.parse(body, model);
            float[] logits = batcher.ask(question.question()).get(ANSWER_SECONDS_MAX, TimeUnit.SECONDS);
            String asked = exchange.getRequestHeaders().getFirst("X-Request-Id");
            String id = "chatcmpl-" + (asked == null ? Long.toString(answered.incrementAndGet()) : asked);
            reply(exchange, 200, JudgeAnswer.of(question, logits, model, id));
        } catch (ExecutionException e) {
            throw new IllegalStateException(ErrorReason.of(e), e);
        } catch (TimeoutException e) {
            LOG.warn("a question to the judge has no answer within {} s", ANSWER_SECONDS_MAX);
            throw new RefusedException(504, "", "no answer within " + ANSWER_SECONDS_MAX + " s");
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new RefusedException(503, "", "the judge was closed");
        }
    }

    private static byte[] body(HttpExchange exchange, int bytesMax) throws IOException, RefusedException {
        try (InputStream in = exchange.getRequestBody()) {
            byte[] body = in.readNBytes(bytesMax + 1);
            if (body.length > bytesMax) {
                throw tooLarge();
            }
            return body;
        }
    }

    private static ObjectNode error(int status, @Nullable String message, String param) {
        ObjectNode body = JSON.createObjectNode();
        body.putObject("error")
                .put("message", message)
                .put("type", status < 500 ? "invalid_request_error" : "server_error")
                .put("param", param)
                .put("code", status);
        return body;
    }

    private static void reply(HttpExchange exchange, int status, ObjectNode content) throws IOException {
        byte[] bytes = content.toString().getBytes(StandardCharsets.UTF_8);
        exchange.getResponseHeaders().set("Content-Type", "application/json");
        exchange.sendResponseHeaders(status, bytes.length);
        try (OutputStream out = exchange.getResponseBody()) {
            out.write(bytes);
        }
    }
}
