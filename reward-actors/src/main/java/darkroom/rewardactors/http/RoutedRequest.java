package darkroom.rewardactors.http;

import com.sun.net.httpserver.Headers;
import java.net.URI;
import java.util.Optional;

/** A request whose whole body was read within the bounds of its router. */
public final class RoutedRequest {
    private final String method;
    private final URI uri;
    private final String rest;
    private final Headers headers;
    private final byte[] body;

    RoutedRequest(String method, URI uri, String rest, Headers headers, byte[] body) {
        this.method = method;
        this.uri = uri;
        this.rest = rest;
        this.headers = headers;
        this.body = body;
    }

    /** Returns the method; {@code HEAD} too on a route of {@code GET}. */
    public String method() {
        return method;
    }

    /** Returns the request target, with its query. */
    public URI uri() {
        return uri;
    }

    /** Returns the decoded path below a route that ends in {@code /*}, without its slash; empty for other routes. */
    public String rest() {
        return rest;
    }

    /** Returns the first value of a header. */
    public Optional<String> header(String name) {
        return Optional.ofNullable(headers.getFirst(name));
    }

    /** Returns the body itself, not a copy. */
    public byte[] body() {
        return body;
    }
}
