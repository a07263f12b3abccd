package darkroom.rewardactors.client;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import com.sun.net.httpserver.HttpsConfigurator;
import com.sun.net.httpserver.HttpsServer;
import darkroom.rewardactors.protocol.PngImage;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.util.Base64;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.stream.Collectors;
import javax.net.ssl.SSLContext;
import org.jspecify.annotations.Nullable;

/** A scorer that knows the true score of every picture and refuses every field of a question that is not on its list. */
public final class StrictScorer implements AutoCloseable {
    /** Fields without which no label can be scored. */
    public static final Set<String> NEEDED = Set.of("model", "messages", "logprobs", "top_logprobs", "max_tokens");

    /** Fields of OpenAI's protocol that a question needs. */
    public static final Set<String> OPENAI =
            with(NEEDED, "temperature", "top_p", "n", "stream", "seed", "presence_penalty", "frequency_penalty");

    public static final Set<String> VLLM = with(OPENAI, "top_k", "min_p", "repetition_penalty");

    private static final JsonMapper JSON = new JsonMapper();

    private final HttpServer server;
    private final ExecutorService executor = Executors.newVirtualThreadPerTaskExecutor();
    private final Set<String> allowed;
    private final Refusal refusal;
    private final String owner;
    private final List<JsonNode> asked = new CopyOnWriteArrayList<>();
    private final List<String> hosts = new CopyOnWriteArrayList<>();

    /** Form of the refusal of a field. */
    public enum Refusal {
        /** Names one at a time, as OpenAI does. */
        ONE,
        ALL,
        /** Names all at once, as servers written with pydantic do. */
        LISTED,
        /** Names no field. */
        MUTE
    }

    /** Starts a server on loopback. */
    public StrictScorer(Set<String> allowed, Refusal refusal, String owner) throws IOException {
        this(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), null, allowed, refusal, owner);
    }

    /** @param tls identity of the server; null for none */
    StrictScorer(
            InetSocketAddress address, @Nullable SSLContext tls, Set<String> allowed, Refusal refusal, String owner)
            throws IOException {
        this.allowed = allowed;
        this.refusal = refusal;
        this.owner = owner;
        if (tls == null) {
            this.server = HttpServer.create(address, 64);
        } else {
            HttpsServer secure = HttpsServer.create(address, 64);
            secure.setHttpsConfigurator(new HttpsConfigurator(tls));
            this.server = secure;
        }
        server.setExecutor(executor);
        server.createContext("/", this::handle);
        server.start();
    }

    public static Set<String> with(Set<String> fields, String... more) {
        Set<String> all = new TreeSet<>(fields);
        all.addAll(List.of(more));
        return all;
    }

    public int port() {
        return server.getAddress().getPort();
    }

    /** Returns the bodies of all questions. */
    public List<JsonNode> asked() {
        return asked;
    }

    /** Returns the Host header of all requests. */
    List<String> hosts() {
        return hosts;
    }

    private void handle(HttpExchange exchange) throws IOException {
        try (exchange) {
            byte[] body = exchange.getRequestBody().readAllBytes();
            hosts.add(exchange.getRequestHeaders().getFirst("Host"));
            switch (exchange.getRequestURI().getPath()) {
                case "/v1/models" -> {
                    ObjectNode list = JSON.createObjectNode();
                    list.putArray("data").addObject().put("id", "strict").put("owned_by", owner);
                    reply(exchange, 200, list);
                }
                case "/v1/chat/completions" -> chat(exchange, JSON.readTree(body));
                default -> reply(exchange, 404, JSON.createObjectNode().put("detail", "Not Found"));
            }
        }
    }

    private void chat(HttpExchange exchange, JsonNode request) throws IOException {
        asked.add(request);
        Set<String> strange = new TreeSet<>();
        request.fieldNames().forEachRemaining(strange::add);
        strange.removeAll(allowed);
        if (strange.isEmpty()) {
            String id = "chatcmpl-" + exchange.getRequestHeaders().getFirst("X-Request-Id");
            reply(exchange, 200, FaultyScorer.answer(editedIn(request), id));
            return;
        }
        ObjectNode error = JSON.createObjectNode();
        switch (refusal) {
            case ONE ->
                error.putObject("error")
                        .put(
                                "message",
                                "Unrecognized request argument supplied: "
                                        + strange.iterator().next())
                        .put("type", "invalid_request_error");
            case ALL ->
                error.putObject("error")
                        .put(
                                "message",
                                strange.stream()
                                        .map(each -> "Unsupported parameter: '" + each + "'.")
                                        .collect(Collectors.joining(" ")));
            case LISTED -> {
                ArrayNode detail = error.putArray("detail");
                for (String each : strange) {
                    ObjectNode one = detail.addObject().put("type", "extra_forbidden");
                    one.putArray("loc").add("body").add(each);
                    one.put("msg", "Extra inputs are not permitted");
                }
            }
            case MUTE -> error.putObject("error").put("message", "bad request");
        }
        reply(exchange, refusal == Refusal.LISTED ? 422 : 400, error);
    }

    private static PngImage editedIn(JsonNode request) throws IOException {
        for (JsonNode message : request.path("messages")) {
            if (message.path("role").asText().equals("user")) {
                String url = message.at("/content/1/image_url/url").asText();
                return PngImage.ofFile(Base64.getDecoder().decode(url.substring(url.indexOf(',') + 1)));
            }
        }
        throw new IOException("nobody asks: " + request);
    }

    private static void reply(HttpExchange exchange, int status, JsonNode content) throws IOException {
        byte[] bytes = content.toString().getBytes(StandardCharsets.UTF_8);
        exchange.getResponseHeaders().set("Content-Type", "application/json");
        exchange.sendResponseHeaders(status, bytes.length);
        exchange.getResponseBody().write(bytes);
    }

    @Override
    public void close() {
        server.stop(0);
        executor.shutdownNow();
    }
}
