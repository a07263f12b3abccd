package darkroom.rewardactors.simulation;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import darkroom.rewardactors.http.HttpAnswer;
import darkroom.rewardactors.http.HttpBounds;
import darkroom.rewardactors.http.HttpRouter;
import darkroom.rewardactors.http.RoutedRequest;
import darkroom.rewardactors.protocol.PngImage;
import java.io.IOException;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.CountDownLatch;
import java.util.function.Function;

/** A judge without a model, on loopback: gives a configured answer to each question. For measuring and testing clients. */
public final class SimulatedJudge implements AutoCloseable {
    /** The only model that it lists. */
    public static final String MODEL = "simulated-judge";

    private static final JsonMapper JSON = new JsonMapper();
    private static final String DATA_URL = "data:image/png;base64,";

    /** Ended by an interrupt alone, when the server is closed. */
    private static final CountDownLatch NEVER = new CountDownLatch(1);

    private final HttpRouter router;
    private final Queue<Question> asked = new ConcurrentLinkedQueue<>();
    private volatile Function<Question, Reply> judgement;

    /**
     * A question received by the judge.
     *
     * @param words of the question
     * @param pictures in their order
     * @param request the whole request
     * @param authorization the header; empty if there was none
     */
    public record Question(String words, List<PngImage> pictures, JsonNode request, String authorization) {
        public Question {
            pictures = List.copyOf(pictures);
        }
    }

    /** Reaction to a question. */
    public sealed interface Reply {
        /** @param text of a complete answer */
        record Words(String text) implements Reply {}

        /** @param text of an answer cut off at the token limit */
        record CutOff(String text) implements Reply {}

        /** @param status of HTTP, instead of an answer */
        record Status(int status, String message) implements Reply {}

        /** Status 200 without JSON. */
        record Garbage() implements Reply {}

        /** No answer until the server is closed. */
        record Silence() implements Reply {}
    }

    /**
     * @param version reported, as by vLLM; empty for a server that reports none
     * @param judgement called on threads of the server
     */
    public SimulatedJudge(String version, Function<Question, Reply> judgement) throws IOException {
        this.judgement = judgement;
        HttpRouter.Builder routes = HttpRouter.named("simulated-judge", HttpBounds.SIMULATION)
                .route("GET", "/v1/models", _ -> HttpAnswer.json(200, models()))
                .route("POST", "/v1/chat/completions", this::answer);
        if (!version.isEmpty()) {
            routes.route(
                    "GET",
                    "/version",
                    _ -> HttpAnswer.json(200, JSON.createObjectNode().put("version", version)));
        }
        this.router = routes.start(0);
    }

    public URI url() {
        return router.url();
    }

    /** Replaces the judgement from now on. */
    public void judge(Function<Question, Reply> next) {
        judgement = next;
    }

    /** Returns every question so far. */
    public List<Question> asked() {
        return List.copyOf(asked);
    }

    @Override
    public void close() {
        router.close();
    }

    private static ObjectNode models() {
        ObjectNode list = JSON.createObjectNode().put("object", "list");
        list.putArray("data").addObject().put("id", MODEL);
        return list;
    }

    private HttpAnswer answer(RoutedRequest request) throws IOException, InterruptedException {
        Question question = question(
                JSON.readTree(request.body()), request.header("Authorization").orElse(""));
        asked.add(question);
        return switch (judgement.apply(question)) {
            case Reply.Words(String text) -> HttpAnswer.json(200, completion(text, "stop"));
            case Reply.CutOff(String text) -> HttpAnswer.json(200, completion(text, "length"));
            case Reply.Status(int status, String message) ->
                HttpAnswer.json(status, JSON.createObjectNode().put("error", message));
            case Reply.Garbage _ -> HttpAnswer.json(200, "\u0000<html>".getBytes(StandardCharsets.UTF_8));
            case Reply.Silence _ -> {
                NEVER.await();
                yield HttpAnswer.none();
            }
        };
    }

    private static Question question(JsonNode request, String authorization) {
        StringBuilder words = new StringBuilder();
        List<PngImage> pictures = new ArrayList<>();
        for (JsonNode part : request.at("/messages/0/content")) {
            words.append(part.path("text").asText());
            String url = part.path("image_url").path("url").asText();
            if (url.startsWith(DATA_URL)) {
                pictures.add(PngImage.ofFile(Base64.getDecoder().decode(url.substring(DATA_URL.length()))));
            }
        }
        return new Question(words.toString(), pictures, request, authorization);
    }

    private static ObjectNode completion(String text, String finish) {
        ObjectNode answer = JSON.createObjectNode().put("id", "chatcmpl-1").put("object", "chat.completion");
        ObjectNode choice =
                answer.putArray("choices").addObject().put("index", 0).put("finish_reason", finish);
        choice.putObject("message").put("role", "assistant").put("content", text);
        return answer;
    }
}
