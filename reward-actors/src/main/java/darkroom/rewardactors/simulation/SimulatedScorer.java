package darkroom.rewardactors.simulation;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.MissingNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import darkroom.rewardactors.http.HttpAnswer;
import darkroom.rewardactors.http.HttpBounds;
import darkroom.rewardactors.http.HttpRouter;
import darkroom.rewardactors.http.RoutedRequest;
import darkroom.rewardactors.protocol.LogprobSource;
import darkroom.rewardactors.protocol.PngImage;
import darkroom.rewardactors.protocol.TokenLogprob;
import java.io.IOException;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.EnumSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.LongFunction;
import java.util.zip.CRC32;

/**
 * A server that answers like vLLM without a model: on the configured logprob sources, after a configured time, with label
 * probabilities that are a function of the edited picture. For measuring and testing clients.
 */
public final class SimulatedScorer implements AutoCloseable {
    private static final JsonMapper JSON = new JsonMapper();
    /** Ended by an interrupt alone, when the server is closed. */
    private static final CountDownLatch NEVER = new CountDownLatch(1);

    private static final int FIRST_ID = 15;
    private static final double NO_VALUE = -9999;

    private final HttpRouter router;
    private final Set<LogprobSource> honoured;
    private final LongFunction<Duration> latency;
    private final AtomicInteger questions = new AtomicInteger();
    private volatile boolean hangs;
    private volatile boolean blind;
    private volatile double drift;

    /** @param honoured logprob sources; {@link LogprobSource#TOP} is always supported */
    private SimulatedScorer(Set<LogprobSource> honoured, LongFunction<Duration> latency) throws IOException {
        this.honoured = honoured;
        this.latency = latency;
        HttpRouter.Builder routes = HttpRouter.named("simulated-scorer", HttpBounds.SIMULATION)
                .route("GET", "/v1/models", _ -> HttpAnswer.json(200, models()))
                .route("POST", "/v1/chat/completions", this::chat);
        if (!honoured.isEmpty()) {
            routes.route(
                            "GET",
                            "/version",
                            _ -> HttpAnswer.json(200, JSON.createObjectNode().put("version", "0.0.simulated")))
                    .route("POST", "/tokenize", request -> HttpAnswer.json(200, tokens(JSON.readTree(request.body()))));
        }
        this.router = routes.start(0);
    }

    /**
     * Starts a server that returns only the likeliest tokens, and reports no version.
     *
     * @param latency of the n-th question, from 0
     */
    public static SimulatedScorer plain(LongFunction<Duration> latency) throws IOException {
        return new SimulatedScorer(EnumSet.noneOf(LogprobSource.class), latency);
    }

    /** Starts a server with a version, which answers at once on every logprob source. */
    public static SimulatedScorer versioned() throws IOException {
        return honouring(EnumSet.allOf(LogprobSource.class));
    }

    /** Starts a server with a version, which answers at once on these logprob sources. */
    public static SimulatedScorer honouring(Set<LogprobSource> logprobSources) throws IOException {
        return new SimulatedScorer(EnumSet.copyOf(logprobSources), _ -> Duration.ZERO);
    }

    public URI url() {
        return router.url();
    }

    /** Returns the number of questions for a score so far. */
    public int questions() {
        return questions.get();
    }

    /** Leaves questions unanswered; all other requests are answered as before. */
    public void hang(boolean now) {
        hangs = now;
    }

    /** Ignores the pictures: the answer is a function of the text alone. */
    public void ignorePictures(boolean now) {
        blind = now;
    }

    /** Changes the probabilities from now on. */
    public void drift(double by) {
        drift = by;
    }

    /** Returns the score that a correct reading of this server's answers about a picture gives. */
    public static double truth(PngImage edited) {
        double[] p = probabilities(edited.toDataUrl().getBytes(StandardCharsets.US_ASCII), 0);
        double expected = 0;
        double mass = 0;
        for (int k = 0; k < p.length; k++) {
            expected += k * p[k];
            mass += p[k];
        }
        return expected / mass / (p.length - 1);
    }

    @Override
    public void close() {
        router.close();
    }

    private static ObjectNode models() {
        ObjectNode list = JSON.createObjectNode().put("object", "list");
        list.putArray("data").addObject().put("id", "simulated");
        return list;
    }

    /** Tokenizes a text: digits are separate tokens; anything else is split into characters. */
    private static ObjectNode tokens(JsonNode request) {
        String prompt = request.path("prompt").asText();
        ObjectNode answer = JSON.createObjectNode();
        ArrayNode ids = answer.putArray("tokens");
        prompt.chars().forEach(c -> ids.add(Character.isDigit(c) ? FIRST_ID + c - '0' : c + 1000));
        return answer.put("count", ids.size());
    }

    private HttpAnswer chat(RoutedRequest request) throws IOException, InterruptedException {
        JsonNode question = JSON.readTree(request.body());
        long number = questions.getAndIncrement();
        if (hangs) {
            NEVER.await();
        }
        var _ = NEVER.await(latency.apply(number).toNanos(), TimeUnit.NANOSECONDS);
        return HttpAnswer.json(
                200,
                answer(question, "chatcmpl-" + request.header("X-Request-Id").orElse("0")));
    }

    private ObjectNode answer(JsonNode request, String id) {
        double[] p = probabilities(blind ? wordsIn(request) : editedIn(request), drift);
        ObjectNode answer = JSON.createObjectNode().put("id", id).put("object", "chat.completion");
        ObjectNode choice = answer.putArray("choices").addObject().put("index", 0);
        choice.putObject("message").put("role", "assistant").put("content", "3");
        choice.put("finish_reason", "length");
        if (request.has("prompt_logprobs") && honoured.contains(LogprobSource.PROMPT)) {
            String label = message(request, "assistant").path("content").asText();
            ArrayNode prompt = answer.putArray("prompt_logprobs").addNull();
            prompt.addObject()
                    .putObject(Integer.toString(FIRST_ID + Integer.parseInt(label)))
                    .put("logprob", Math.log(p[Integer.parseInt(label)]))
                    .put("rank", 1)
                    .put("decoded_token", label);
        }
        if (request.path("logprobs").asBoolean()) {
            ObjectNode position =
                    choice.putObject("logprobs").putArray("content").addObject();
            position.put("token", "3").put("logprob", Math.log(p[3]));
            ArrayNode top = position.putArray("top_logprobs");
            alternatives(request, p)
                    .forEach(one -> top.addObject().put("token", one.token()).put("logprob", one.logprob()));
        }
        return answer;
    }

    /** Lists the written token first, as vLLM does for any request. */
    private List<TokenLogprob> alternatives(JsonNode request, double[] p) {
        List<TokenLogprob> told = new ArrayList<>();
        if (request.has("logprob_token_ids") && honoured.contains(LogprobSource.TOKEN_IDS)) {
            told.add(new TokenLogprob("the", Math.log(.05)));
            request.path("logprob_token_ids").forEach(id -> {
                int k = id.asInt() - FIRST_ID;
                told.add(new TokenLogprob(Integer.toString(k), Math.log(p[k])));
            });
        } else if (request.has("structured_outputs") && honoured.contains(LogprobSource.CHOICE)) {
            request.path("structured_outputs").path("choice").forEach(label -> {
                int k = Integer.parseInt(label.asText());
                told.add(new TokenLogprob(label.asText(), Math.log(p[k])));
            });
        } else {
            for (int k = 0; k < p.length && k < request.path("top_logprobs").asInt(); k++) {
                told.add(new TokenLogprob(Integer.toString(k), Math.log(p[k])));
            }
            told.add(new TokenLogprob("\n", Math.log(.04)));
            told.add(new TokenLogprob("the", NO_VALUE));
        }
        return told;
    }

    private static byte[] editedIn(JsonNode request) {
        return message(request, "user")
                .path("content")
                .path(1)
                .path("image_url")
                .path("url")
                .asText()
                .getBytes(StandardCharsets.US_ASCII);
    }

    private static byte[] wordsIn(JsonNode request) {
        return message(request, "user")
                .path("content")
                .path(2)
                .path("text")
                .asText()
                .getBytes(StandardCharsets.UTF_8);
    }

    private static JsonNode message(JsonNode request, String role) {
        for (JsonNode message : request.path("messages")) {
            if (message.path("role").asText().equals(role)) {
                return message;
            }
        }
        return MissingNode.getInstance();
    }

    /** Probabilities of the six labels, .9 together. */
    private static double[] probabilities(byte[] picture, double drift) {
        CRC32 crc = new CRC32();
        crc.update(picture);
        double[] p = new double[6];
        for (int k = 0; k < p.length; k++) {
            p[k] = Math.exp((crc.getValue() >>> (5 * k)) % 32 / 6.0 + drift * k);
        }
        double sum = Arrays.stream(p).sum();
        for (int k = 0; k < p.length; k++) {
            p[k] *= .9 / sum;
        }
        return p;
    }
}
