package darkroom.rewardactors.simulation;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import darkroom.rewardactors.protocol.PngImage;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.function.Function;

/** A judge without a model, on loopback: gives a configured answer to each question. For measuring and testing clients. */
public final class SimulatedJudge implements AutoCloseable {
    /** The only model that it lists. */
    public static final String MODEL = "simulated-judge";

    private static final JsonMapper JSON = new JsonMapper();
    private static final String DATA_URL = "data:image/png;base64,";

    private final HttpServer server;
    private final ExecutorService executor = Executors.newThreadPerTaskExecutor(
            Thread.ofVirtual().name("simulated-judge-", 0).factory());
    private final String version;
    private final Queue<Question> asked = new ConcurrentLinkedQueue<>();
    private final CountDownLatch closed = new CountDownLatch(1);
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
        this.version = version;
        this.judgement = judgement;
        this.server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 64);
        server.setExecutor(executor);
        server.createContext("/", this::handle);
        server.start();
    }

    public URI url() {
        return URI.create("http://127.0.0.1:" + server.getAddress().getPort());
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
        closed.countDown();
        server.stop(0);
        executor.shutdownNow();
    }

    private void handle(HttpExchange exchange) throws IOException {
        try (exchange) {
            byte[] body = exchange.getRequestBody().readAllBytes();
            switch (exchange.getRequestURI().getPath()) {
                case "/v1/models" -> {
                    ObjectNode list = JSON.createObjectNode().put("object", "list");
                    list.putArray("data").addObject().put("id", MODEL);
                    send(exchange, 200, list.toString());
                }
                case "/version" ->
                    send(
                            exchange,
                            version.isEmpty() ? 404 : 200,
                            JSON.createObjectNode().put("version", version).toString());
                case "/v1/chat/completions" -> answer(exchange, body);
                default -> send(exchange, 404, "{}");
            }
        }
    }

    private void answer(HttpExchange exchange, byte[] body) throws IOException {
        String authorization = exchange.getRequestHeaders().getFirst("Authorization");
        Question question = question(JSON.readTree(body), authorization == null ? "" : authorization);
        asked.add(question);
        switch (judgement.apply(question)) {
            case Reply.Words(String text) -> send(exchange, 200, completion(text, "stop"));
            case Reply.CutOff(String text) -> send(exchange, 200, completion(text, "length"));
            case Reply.Status(int status, String message) ->
                send(
                        exchange,
                        status,
                        JSON.createObjectNode().put("error", message).toString());
            case Reply.Garbage _ -> send(exchange, 200, "\u0000<html>");
            case Reply.Silence _ -> {
                try {
                    closed.await();
                } catch (InterruptedException e) {
                    Thread.currentThread().interrupt();
                }
            }
        }
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

    private static String completion(String text, String finish) {
        ObjectNode answer = JSON.createObjectNode().put("id", "chatcmpl-1").put("object", "chat.completion");
        ObjectNode choice =
                answer.putArray("choices").addObject().put("index", 0).put("finish_reason", finish);
        choice.putObject("message").put("role", "assistant").put("content", text);
        return answer.toString();
    }

    private static void send(HttpExchange exchange, int status, String text) throws IOException {
        byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
        exchange.getResponseHeaders().set("Content-Type", "application/json");
        exchange.sendResponseHeaders(status, bytes.length);
        exchange.getResponseBody().write(bytes);
    }
}
