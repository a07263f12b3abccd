package darkroom.rewardactors.http;

import com.fasterxml.jackson.databind.JsonNode;
import java.nio.charset.StandardCharsets;
import java.util.LinkedHashMap;
import java.util.Map;

/** The answer to a request: a status, headers and a body, or a closed connection. */
public final class HttpAnswer {
    private static final HttpAnswer NONE = new HttpAnswer(0, Map.of(), new byte[0], 0);

    private final int status;
    private final Map<String, String> headers;
    private final byte[] body;
    private final int sent;

    private HttpAnswer(int status, Map<String, String> headers, byte[] body, int sent) {
        this.status = status;
        this.headers = headers;
        this.body = body;
        this.sent = sent;
    }

    /** Returns an answer in JSON. */
    public static HttpAnswer json(int status, JsonNode content) {
        return json(status, content.toString().getBytes(StandardCharsets.UTF_8));
    }

    /** @param content JSON in UTF-8 */
    public static HttpAnswer json(int status, byte[] content) {
        return of(status, content).with("Content-Type", "application/json");
    }

    /** Returns an answer without a content type. */
    public static HttpAnswer of(int status, byte[] content) {
        return new HttpAnswer(status, Map.of(), content, content.length);
    }

    /** Closes the connection without an answer, for tests and fault injection. */
    public static HttpAnswer none() {
        return NONE;
    }

    /** Returns this answer with one more header. */
    public HttpAnswer with(String name, String value) {
        Map<String, String> all = new LinkedHashMap<>(headers);
        all.put(name, value);
        return new HttpAnswer(status, all, body, sent);
    }

    /** Returns this answer, whose connection is closed after half of the announced body, for fault injection. */
    public HttpAnswer brokenOff() {
        return new HttpAnswer(status, headers, body, body.length / 2);
    }

    boolean isNone() {
        return status == 0;
    }

    int status() {
        return status;
    }

    Map<String, String> headers() {
        return headers;
    }

    byte[] body() {
        return body;
    }

    /** Number of bytes of the body that are sent; fewer than announced in an answer that is broken off. */
    int sent() {
        return sent;
    }
}
