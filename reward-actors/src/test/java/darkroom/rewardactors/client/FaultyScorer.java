package darkroom.rewardactors.client;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.MissingNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import darkroom.rewardactors.protocol.PngImage;
import java.io.BufferedInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.util.Base64;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.LockSupport;
import java.util.zip.CRC32;
import java.util.zip.GZIPOutputStream;

/**
 * A scorer that knows the true score of every picture and fails to return it in all known ways. Writes HTTP by hand, so that
 * it can violate the protocol.
 */
public final class FaultyScorer implements AutoCloseable {
    private static final JsonMapper JSON = new JsonMapper();

    private final ServerSocket server;
    private final Set<Socket> connections = ConcurrentHashMap.newKeySet();
    private final AtomicInteger asked = new AtomicInteger();
    private final AtomicInteger redirected = new AtomicInteger();
    private volatile Behaviour behaviour = Behaviour.HONEST;
    private volatile String lastRequest = "";

    /** Behaviour of the scorer for a question, and the expected result of a client. */
    public enum Behaviour {
        HONEST(""),
        HONEST_AFTER_TWO_FAILURES(""),
        HONEST_AFTER_BUSY(""),
        HONEST_BUT_CLOSES_UNANNOUNCED(""),
        HONEST_WITH_A_SECOND_ANSWER_BEHIND(""),
        HONEST_IN_CHUNKS(""),
        HONEST_WITH_A_NULL_BESIDE_THE_LABELS(""),
        HONEST_WITHOUT_A_LOGPROB_BESIDE_THE_LABELS(""),
        HONEST_WITH_A_NAMELESS_TOKEN_BESIDE_THE_LABELS(""),
        HONEST_WITHOUT_LENGTH(""),
        HTTP_400("http-400"),
        HTTP_401_WITH_A_TEXT("http-401"),
        HTTP_404("http-404"),
        HTTP_500("http-500"),
        HTTP_503_HTML("http-503"),
        HTTP_204("http-204"),
        REDIRECTS("http-307"),
        ERROR_IN_A_200("error-answer"),
        ERROR_THAT_NO_FILE_CAN_HOLD("error-answer"),
        NO_CHOICES("no-choices"),
        TWO_CHOICES("several-choices"),
        CHOICES_MISSING("bad-shape"),
        AN_ARRAY("bad-shape"),
        EMPTY_BODY("bad-shape"),
        HTML_IN_A_200("content-type"),
        EVENT_STREAM("content-type"),
        GARBAGE("bad-utf8"),
        INVALID_UTF8("bad-utf8"),
        HALF_THE_JSON("bad-json"),
        TWO_JSONS("bad-json"),
        DOUBLE_KEYS("bad-json"),
        DEEP_NESTING("bad-json"),
        NAN("bad-json"),
        INFINITY("bad-json"),
        OVERFLOWING_NUMBER("bad-logprob"),
        NUMBERS_AS_TEXT("wrong-type"),
        NULL_LOGPROB("bad-logprob"),
        LOGPROB_MISSING("bad-logprob"),
        POSITIVE_LOGPROBS("bad-logprob"),
        NO_VALUES("bad-logprob"),
        NO_LOGPROBS("no-logprobs"),
        NULL_LOGPROBS("no-logprobs"),
        NO_TOP_LOGPROBS("no-logprobs"),
        ONLY_LOOKALIKES("no-labels"),
        LOW_MASS("low-mass"),
        EXCESS_MASS("excess-mass"),
        LABEL_WITH_TWO_VALUES("double-label"),
        CONTENT_FILTER("broken-off"),
        ANOTHER_REQUESTS_ANSWER("wrong-answer"),
        BREAKS_OFF("truncated"),
        BREAKS_OFF_IN_A_CHUNK("truncated"),
        LENGTH_TOO_SHORT("bad-json"),
        ENDLESS_BODY("too-large"),
        CLAIMS_A_HUGE_BODY("too-large"),
        LENGTH_IS_NO_NUMBER("bad-http"),
        GZIP_BOMB("encoded"),
        BAD_CHUNKS("bad-http"),
        BAD_STATUS_LINE("bad-http"),
        CLOSES("no-answer"),
        RESETS("reset"),
        HANGS("timeout"),
        HANGS_AFTER_THE_HEAD("timeout"),
        DRIPS("timeout"),
        DRIPS_HEADERS("timeout"),
        ENDLESS_INTERIM_ANSWERS("bad-http");

        private final String code;

        Behaviour(String code) {
            this.code = code;
        }

        /** Reason code of an unscored edit; empty if the true score is returned in the end. */
        public String code() {
            return code;
        }

        public boolean neverEnds() {
            return code.equals("timeout");
        }
    }

    public FaultyScorer() throws IOException {
        this(0);
    }

    /** @param port 0 for any free port */
    FaultyScorer(int port) throws IOException {
        server = new ServerSocket(port, 64, InetAddress.getLoopbackAddress());
        var _ = Thread.ofVirtual().start(this::accept);
    }

    public URI url() {
        return URI.create("http://localhost:" + server.getLocalPort());
    }

    public void behave(Behaviour next) {
        asked.set(0);
        behaviour = next;
    }

    /** Number of questions since the last change of behaviour. */
    public int asked() {
        return asked.get();
    }

    int redirected() {
        return redirected.get();
    }

    int connections() {
        return connections.size();
    }

    /** Returns head and body of the last question. */
    String lastRequest() {
        return lastRequest;
    }

    /** Returns the true score of an edited picture. */
    public static double truth(PngImage edited) {
        double[] p = probabilities(edited);
        double expected = 0;
        double mass = 0;
        for (int k = 0; k < 6; k++) {
            expected += k * p[k];
            mass += p[k];
        }
        return expected / mass / 5;
    }

    /** Returns a correct answer about a picture. */
    static ObjectNode answer(PngImage edited, String id) {
        double[] p = probabilities(edited);
        ObjectNode answer = JSON.createObjectNode().put("id", id).put("object", "chat.completion");
        answer.put("created", 1).put("model", "truthful");
        ObjectNode choice = answer.putArray("choices").addObject().put("index", 0);
        choice.putObject("message").put("role", "assistant").put("content", "3");
        choice.put("finish_reason", "length");
        ObjectNode position = choice.putObject("logprobs").putArray("content").addObject();
        position.put("token", "3").put("logprob", Math.log(p[3]));
        ArrayNode top = position.putArray("top_logprobs");
        for (int k = 5; k >= 0; k--) {
            top.addObject().put("token", Integer.toString(k)).put("logprob", Math.log(p[k]));
        }
        top.addObject().put("token", " 5").put("logprob", -3.5);
        top.addObject().put("token", "five").put("logprob", -4.5);
        answer.putObject("usage").put("prompt_tokens", 789);
        return answer;
    }

    private static double[] probabilities(PngImage edited) {
        CRC32 crc = new CRC32();
        crc.update(edited.toBytes());
        double[] p = new double[6];
        double sum = 0;
        for (int k = 0; k < 6; k++) {
            p[k] = Math.exp((crc.getValue() >>> (5 * k)) % 32 / 6.0);
            sum += p[k];
        }
        for (int k = 0; k < 6; k++) {
            p[k] *= .9 / sum;
        }
        return p;
    }

    private void accept() {
        while (!server.isClosed()) {
            try {
                Socket socket = server.accept();
                socket.setTcpNoDelay(true);
                connections.add(socket);
                var _ = Thread.ofVirtual().start(() -> serve(socket));
            } catch (IOException e) {
                return;
            }
        }
    }

    private void serve(Socket socket) {
        try (socket) {
            InputStream in = new BufferedInputStream(socket.getInputStream());
            while (true) {
                String head = head(in);
                if (head.isEmpty()) {
                    return;
                }
                byte[] body = in.readNBytes(length(head));
                if (head.startsWith("GET")) {
                    write(socket, json(200, "{\"object\":\"list\",\"data\":[{\"id\":\"truthful\"}]}"));
                } else if (head.startsWith("POST /elsewhere")) {
                    redirected.incrementAndGet();
                } else {
                    lastRequest = head + new String(body, StandardCharsets.UTF_8);
                    answer(socket, head, body, asked.incrementAndGet());
                }
            }
        } catch (IOException e) {
            // The client disconnected, as clients of faulty scorers do.
        } finally {
            connections.remove(socket);
        }
    }

    private void answer(Socket socket, String head, byte[] body, int number) throws IOException {
        PngImage edited = editedIn(body);
        ObjectNode right = answer(edited, "chatcmpl-" + requestId(head));
        String text = right.toString();
        String firstLogprob =
                right.at("/choices/0/logprobs/content/0/top_logprobs/0/logprob").toString();
        switch (behaviour) {
            case HONEST -> write(socket, json(200, text));
            case HONEST_AFTER_TWO_FAILURES ->
                write(socket, number == 1 ? json(500, "{}") : json(200, number == 2 ? text.substring(9) : text));
            case HONEST_AFTER_BUSY ->
                write(
                        socket,
                        number == 1 ? raw("429 Busy", "Retry-After: 0\r\nContent-Length: 0", "") : json(200, text));
            case HONEST_BUT_CLOSES_UNANNOUNCED -> {
                write(socket, json(200, text));
                socket.close();
            }
            case HONEST_WITH_A_SECOND_ANSWER_BEHIND -> {
                PngImage other = PngImage.ofPixels(1, 1, new byte[] {1, 2, (byte) number});
                write(
                        socket,
                        json(200, text) + json(200, answer(other, "chatcmpl-7").toString()));
            }
            case HONEST_WITH_A_NULL_BESIDE_THE_LABELS ->
                write(socket, json(200, text.replace("\"logprob\":-4.5", "\"logprob\":null")));
            case HONEST_WITHOUT_A_LOGPROB_BESIDE_THE_LABELS ->
                write(socket, json(200, text.replace(",\"logprob\":-4.5", "")));
            case HONEST_WITH_A_NAMELESS_TOKEN_BESIDE_THE_LABELS ->
                write(socket, json(200, text.replace("\"five\"", "null")));
            case HONEST_IN_CHUNKS -> {
                String chunks = chunk(text.substring(0, 100)) + chunk(text.substring(100)) + "0\r\n\r\n";
                write(socket, raw("200 OK", "Content-Type: application/json\r\nTransfer-Encoding: chunked", chunks));
            }
            case HONEST_WITHOUT_LENGTH -> {
                write(socket, raw("200 OK", "Content-Type: application/json\r\nConnection: close", text));
                socket.close();
            }
            case HTTP_400 -> write(socket, json(400, "{\"error\":{\"message\":\"broken picture\",\"code\":400}}"));
            case HTTP_401_WITH_A_TEXT ->
                write(socket, json(401, "{\"error\":\"Unauthorized: " + authorization(head) + "\"}"));
            case HTTP_404 -> write(socket, json(404, "{\"detail\":\"no such model\"}"));
            case HTTP_500 -> write(socket, json(500, text));
            case HTTP_503_HTML -> write(socket, raw("503 Down", "Content-Length: 6", "<html>"));
            case HTTP_204 -> write(socket, raw("204 Nothing", "X-Nothing: 1", ""));
            case REDIRECTS ->
                write(socket, raw("307 There", "Location: " + url() + "/elsewhere\r\nContent-Length: 0", ""));
            case ERROR_IN_A_200 ->
                write(socket, json(200, right.put("error", "out of memory").toString()));
            case ERROR_THAT_NO_FILE_CAN_HOLD -> write(socket, json(200, "{\"error\":\"half a pair: \\ud800\"}"));
            case NO_CHOICES -> {
                right.putArray("choices");
                write(socket, json(200, right.toString()));
            }
            case TWO_CHOICES -> {
                ArrayNode choices = (ArrayNode) right.get("choices");
                choices.add(choices.get(0).deepCopy());
                write(socket, json(200, right.toString()));
            }
            case CHOICES_MISSING ->
                write(socket, json(200, right.without(List.of("choices")).toString()));
            case AN_ARRAY -> write(socket, json(200, "[" + text + "]"));
            case EMPTY_BODY -> write(socket, json(200, ""));
            case HTML_IN_A_200 ->
                write(socket, raw("200 OK", "Content-Type: text/html\r\nContent-Length: 6", "<html>"));
            case EVENT_STREAM ->
                write(socket, raw("200 OK", "Content-Type: text/event-stream\r\nConnection: close", "data: " + text));
            case GARBAGE -> writeBytes(socket, "application/json", garbage());
            case INVALID_UTF8 -> {
                byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
                bytes[text.indexOf("truthful")] = (byte) 0xff;
                writeBytes(socket, "application/json", bytes);
            }
            case HALF_THE_JSON -> write(socket, json(200, text.substring(0, text.length() - 30)));
            case TWO_JSONS -> write(socket, json(200, text + text));
            case DOUBLE_KEYS -> write(socket, json(200, text.replace("\"index\":0", "\"index\":0,\"index\":0")));
            case DEEP_NESTING -> write(socket, json(200, "[".repeat(50_000)));
            case NAN -> write(socket, json(200, text.replace(firstLogprob, "NaN")));
            case INFINITY -> write(socket, json(200, text.replace(firstLogprob, "-Infinity")));
            case OVERFLOWING_NUMBER -> write(socket, json(200, text.replace(firstLogprob, "-1e999")));
            case NUMBERS_AS_TEXT -> write(socket, json(200, text.replace(firstLogprob, '"' + firstLogprob + '"')));
            case NULL_LOGPROB -> write(socket, json(200, text.replace(firstLogprob, "null")));
            case LOGPROB_MISSING -> write(socket, json(200, text.replace(",\"logprob\":" + firstLogprob, "")));
            case POSITIVE_LOGPROBS -> write(socket, json(200, text.replace(firstLogprob, firstLogprob.substring(1))));
            case NO_VALUES -> write(socket, json(200, text.replace(firstLogprob, "-9999.0")));
            case NO_LOGPROBS -> {
                ((ObjectNode) right.at("/choices/0")).remove("logprobs");
                write(socket, json(200, right.toString()));
            }
            case NULL_LOGPROBS -> {
                ((ObjectNode) right.at("/choices/0")).putNull("logprobs");
                write(socket, json(200, right.toString()));
            }
            case NO_TOP_LOGPROBS -> {
                ((ObjectNode) right.at("/choices/0/logprobs/content/0")).putArray("top_logprobs");
                write(socket, json(200, right.toString()));
            }
            case ONLY_LOOKALIKES ->
                write(socket, json(200, text.replaceAll("\"token\":\"(\\d)\"", "\"token\":\" $1\"")));
            case LOW_MASS -> write(socket, json(200, text.replaceAll("\"logprob\":-", "\"logprob\":-9")));
            case EXCESS_MASS -> write(socket, json(200, text.replaceAll("\"logprob\":-[0-9.E-]+", "\"logprob\":-0.3")));
            case LABEL_WITH_TWO_VALUES -> write(socket, json(200, text.replace("\"five\"", "\"5\"")));
            case CONTENT_FILTER -> write(socket, json(200, text.replace("\"length\"", "\"content_filter\"")));
            case ANOTHER_REQUESTS_ANSWER ->
                write(
                        socket,
                        json(200, answer(edited, "chatcmpl-darkroom-1-999999").toString()));
            case BREAKS_OFF -> {
                write(socket, json(200, text).substring(0, 300));
                socket.close();
            }
            case BREAKS_OFF_IN_A_CHUNK -> {
                String head200 = "Content-Type: application/json\r\nTransfer-Encoding: chunked";
                write(socket, raw("200 OK", head200, chunk(text).substring(0, 200)));
                socket.close();
            }
            case LENGTH_TOO_SHORT -> {
                String head200 = "Content-Type: application/json\r\nContent-Length: 200";
                write(socket, raw("200 OK", head200, text));
            }
            case ENDLESS_BODY -> {
                write(socket, raw("200 OK", "Content-Type: application/json\r\nTransfer-Encoding: chunked", ""));
                while (!server.isClosed()) {
                    write(socket, chunk("[".repeat(10_000)));
                }
            }
            case CLAIMS_A_HUGE_BODY -> {
                write(socket, raw("200 OK", "Content-Type: application/json\r\nContent-Length: 99999999999", text));
                hang(socket);
            }
            case LENGTH_IS_NO_NUMBER ->
                write(socket, raw("200 OK", "Content-Type: application/json\r\nContent-Length: many", text));
            case GZIP_BOMB -> {
                ByteArrayOutputStream bomb = new ByteArrayOutputStream();
                try (GZIPOutputStream zip = new GZIPOutputStream(bomb)) {
                    zip.write(new byte[10 << 20]);
                }
                writeBytes(socket, "application/json\r\nContent-Encoding: gzip", bomb.toByteArray());
            }
            case BAD_CHUNKS ->
                write(
                        socket,
                        raw("200 OK", "Content-Type: application/json\r\nTransfer-Encoding: chunked", "zz\r\n" + text));
            case BAD_STATUS_LINE -> write(socket, "HELLO\r\n\r\n" + text);
            case CLOSES -> socket.close();
            case RESETS -> {
                socket.setSoLinger(true, 0);
                socket.close();
            }
            case HANGS -> hang(socket);
            case HANGS_AFTER_THE_HEAD -> {
                write(socket, raw("200 OK", "Content-Type: application/json\r\nContent-Length: 999", ""));
                hang(socket);
            }
            case DRIPS -> drip(socket, json(200, " ".repeat(10_000) + text), 160);
            case DRIPS_HEADERS -> drip(socket, json(200, text), 1);
            case ENDLESS_INTERIM_ANSWERS -> {
                while (!server.isClosed()) {
                    write(socket, "HTTP/1.1 100 Continue\r\n\r\n");
                    LockSupport.parkNanos(2_000_000);
                }
            }
        }
    }

    private static void hang(Socket socket) throws IOException {
        while (socket.getInputStream().read() >= 0) {
            // Continues reading until the client gives up.
        }
        throw new IOException("the client gave up");
    }

    /** Sends the first bytes at once, then one every 10 ms. */
    private void drip(Socket socket, String text, int atOnce) throws IOException {
        write(socket, text.substring(0, atOnce));
        for (int i = atOnce; i < text.length() && !server.isClosed(); i++) {
            LockSupport.parkNanos(10_000_000);
            write(socket, text.substring(i, i + 1));
        }
    }

    private static byte[] garbage() {
        byte[] bytes = new byte[5000];
        for (int i = 0; i < bytes.length; i++) {
            bytes[i] = (byte) (i * 31 + i / 7);
        }
        return bytes;
    }

    private static PngImage editedIn(byte[] body) {
        try {
            JsonNode url = MissingNode.getInstance();
            for (JsonNode message : JSON.readTree(body).path("messages")) {
                if (message.path("role").asText().equals("user")) {
                    url = message.at("/content/1/image_url/url");
                }
            }
            String base64 = url.textValue().substring("data:image/png;base64,".length());
            return PngImage.ofFile(Base64.getDecoder().decode(base64));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static String head(InputStream in) throws IOException {
        StringBuilder head = new StringBuilder();
        while (head.indexOf("\r\n\r\n") < 0) {
            int c = in.read();
            if (c < 0) {
                return "";
            }
            head.append((char) c);
        }
        return head.toString();
    }

    private static int length(String head) {
        return Integer.parseInt(header(head, "content-length", "0"));
    }

    private static String requestId(String head) {
        return header(head, "x-request-id", "");
    }

    private static String authorization(String head) {
        return header(head, "authorization", "none");
    }

    private static String header(String head, String name, String otherwise) {
        return head.lines()
                .filter(line -> line.toLowerCase(java.util.Locale.ROOT).startsWith(name + ":"))
                .map(line -> line.substring(name.length() + 1).strip())
                .findFirst()
                .orElse(otherwise);
    }

    private static String json(int status, String body) {
        Map<Integer, String> phrases = Map.of(200, "OK", 400, "Bad Request", 500, "Internal Server Error");
        String head =
                "Content-Type: application/json\r\nContent-Length: " + body.getBytes(StandardCharsets.UTF_8).length;
        return raw(status + " " + phrases.getOrDefault(status, "Status"), head, body);
    }

    private static String raw(String status, String headers, String body) {
        return "HTTP/1.1 " + status + "\r\n" + headers + "\r\n\r\n" + body;
    }

    private static String chunk(String text) {
        return Integer.toHexString(text.length()) + "\r\n" + text + "\r\n";
    }

    private static void write(Socket socket, String text) throws IOException {
        OutputStream out = socket.getOutputStream();
        out.write(text.getBytes(StandardCharsets.UTF_8));
        out.flush();
    }

    private static void writeBytes(Socket socket, String type, byte[] body) throws IOException {
        ByteArrayOutputStream all = new ByteArrayOutputStream();
        String headers = "Content-Type: " + type + "\r\nContent-Length: " + body.length;
        all.writeBytes(raw("200 OK", headers, "").getBytes(StandardCharsets.UTF_8));
        all.writeBytes(body);
        socket.getOutputStream().write(all.toByteArray());
    }

    @Override
    public void close() throws IOException {
        server.close();
        for (Socket socket : connections) {
            socket.close();
        }
    }
}
