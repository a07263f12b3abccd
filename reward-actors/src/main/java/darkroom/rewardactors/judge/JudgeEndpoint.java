package darkroom.rewardactors.judge;

import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import darkroom.config.ErrorReason;
import darkroom.rewardactors.http.HttpAnswer;
import darkroom.rewardactors.http.HttpBounds;
import darkroom.rewardactors.http.HttpRouter;
import darkroom.rewardactors.http.RefusedRequestException;
import darkroom.rewardactors.http.RoutedRequest;
import java.io.IOException;
import java.net.URI;
import java.time.Duration;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.atomic.AtomicLong;
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

    private static final int CONNECTIONS_WAITING_MAX = 512;
    private static final Duration ANSWER_WITHIN = Duration.ofMinutes(2);
    private static final JsonMapper JSON = new JsonMapper();
    private static final Logger LOG = LoggerFactory.getLogger(JudgeEndpoint.class);
    private static final HttpBounds BOUNDS = new HttpBounds(
            CONNECTIONS_WAITING_MAX, IN_FLIGHT_MAX, REQUEST_BYTES_MAX, BODY_BYTES_IN_FLIGHT_MAX, ANSWER_WITHIN);

    private final HttpRouter router;
    private final JudgeBatcher batcher;
    private final String model;
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
        this.batcher = new JudgeBatcher(judge, IN_FLIGHT_MAX);
        try {
            this.router = HttpRouter.named("judge", BOUNDS)
                    .route(
                            "GET",
                            "/health",
                            _ -> HttpAnswer.json(200, JSON.createObjectNode().put("status", "ok")))
                    .route("GET", "/v1/models", _ -> HttpAnswer.json(200, models()))
                    .route("POST", "/v1/chat/completions", this::complete)
                    .start(port);
        } catch (IOException e) {
            batcher.close();
            throw e;
        }
    }

    /** Returns the base URL for a client. */
    public URI url() {
        return router.url();
    }

    /** Stops listening; questions not yet answered get an error or none. */
    @Override
    public void close() {
        router.close();
        batcher.close();
    }

    private ObjectNode models() {
        ObjectNode list = JSON.createObjectNode().put("object", "list");
        list.putArray("data").addObject().put("id", model).put("object", "model");
        return list;
    }

    private HttpAnswer complete(RoutedRequest request) throws RefusedRequestException, InterruptedException {
        ChatQuestion question = ChatQuestion.parse(request.body(), model);
        float[] logits;
        try {
            logits = batcher.ask(question.question()).get();
        } catch (ExecutionException e) {
            LOG.warn("a question to the judge failed", e);
            throw new RefusedRequestException(500, "", "the judge failed: " + ErrorReason.of(e));
        }
        String id = request.header("X-Request-Id").orElseGet(() -> Long.toString(answered.incrementAndGet()));
        return HttpAnswer.json(200, JudgeAnswer.of(question, logits, model, "chatcmpl-" + id));
    }
}
