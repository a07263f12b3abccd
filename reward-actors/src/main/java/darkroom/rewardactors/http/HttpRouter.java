package darkroom.rewardactors.http;

import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import com.sun.net.httpserver.HttpsConfigurator;
import com.sun.net.httpserver.HttpsServer;
import java.io.IOException;
import java.io.InputStream;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URI;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.TreeSet;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Function;
import javax.net.ssl.SSLContext;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * An HTTP server on loopback with routes. Every request is answered within {@link HttpBounds}, or its connection is closed:
 * an unknown path with 404, another method with 405 and {@code Allow}, a body that is too large with 413, a request beyond
 * the bounds with 503 and {@code Retry-After}, a handler that fails with 500, one that takes too long with 504. Errors are
 * JSON. A route of {@code GET} answers {@code HEAD}.
 *
 * <p>The text of an exception goes to the log and never to the client; a handler that has something to say to the client
 * throws a {@link RefusedRequestException}.
 */
public final class HttpRouter implements AutoCloseable {
    /** Any method, on a route. */
    public static final String ANY = "*";

    private static final String BELOW = "/*";
    private static final int REQUEST_READ_SECONDS_MAX = 120;
    private static final JsonMapper JSON = new JsonMapper();
    private static final Logger LOG = LoggerFactory.getLogger(HttpRouter.class);

    static {
        // Without it the server waits 40 ms for the acknowledgement of a head before it sends the body.
        setUnlessSet("sun.net.httpserver.nodelay", "true");
        // Without it a request that is never sent to its end would hold its place endlessly.
        setUnlessSet("sun.net.httpserver.maxReqTime", Integer.toString(REQUEST_READ_SECONDS_MAX));
    }

    private final String name;
    private final HttpBounds bounds;
    private final List<Route> routes;
    private final Function<RefusedRequestException, ObjectNode> errors;
    private final HttpServer server;
    private final ExecutorService executor;
    private final Semaphore bodyBytes;

    /** Answers the requests of a route, on a virtual thread of its own. */
    @FunctionalInterface
    public interface Handler {
        /**
         * @throws RefusedRequestException whose status and message are the answer
         * @throws IOException for 500, as any other exception
         * @throws InterruptedException if the router is closed, or the time is over
         */
        HttpAnswer answer(RoutedRequest request) throws RefusedRequestException, IOException, InterruptedException;
    }

    private record Route(String method, String path, Handler handler, Semaphore places) {
        boolean leadsTo(String asked) {
            return isPrefix() ? (asked + "/").startsWith(prefix()) : asked.equals(path);
        }

        boolean takes(String asked) {
            return method.equals(ANY) || method.equals(asked) || (method.equals("GET") && asked.equals("HEAD"));
        }

        boolean isPrefix() {
            return path.endsWith(BELOW);
        }

        /** With the slash at its end. */
        String prefix() {
            return path.substring(0, path.length() - 1);
        }

        String rest(String asked) {
            return isPrefix() && asked.startsWith(prefix()) ? asked.substring(prefix().length()) : "";
        }
    }

    /** Settings of a router. */
    public static final class Builder {
        private final String name;
        private final HttpBounds bounds;
        private final List<Route> routes = new ArrayList<>();
        private Function<RefusedRequestException, ObjectNode> errors = HttpRouter::openAiError;

        private Builder(String name, HttpBounds bounds) {
            this.name = name;
            this.bounds = bounds;
        }

        /**
         * Adds a route. The longest path that matches wins, whatever the order.
         *
         * @param method of HTTP, or {@link #ANY}
         * @param path exact, or with {@code /*} at its end for it and all paths below it
         */
        public Builder route(String method, String path, Handler handler) {
            routes.add(new Route(method, path, handler, new Semaphore(bounds.requestsMax())));
            return this;
        }

        /** Sets the JSON of an error. Default: that of OpenAI, {@code {"error": {"message": ..., "code": ...}}}. */
        public Builder errors(Function<RefusedRequestException, ObjectNode> form) {
            this.errors = form;
            return this;
        }

        /**
         * Starts the server on loopback.
         *
         * @param port 0 for any free port
         * @throws IOException if the port is in use
         */
        public HttpRouter start(int port) throws IOException {
            return start(new InetSocketAddress(InetAddress.getLoopbackAddress(), port), Optional.empty());
        }

        /** @param tls identity of the server; empty for plain HTTP */
        public HttpRouter start(InetSocketAddress address, Optional<SSLContext> tls) throws IOException {
            HttpServer server;
            if (tls.isPresent()) {
                HttpsServer secure = HttpsServer.create(address, bounds.connectionsWaitingMax());
                secure.setHttpsConfigurator(new HttpsConfigurator(tls.get()));
                server = secure;
            } else {
                server = HttpServer.create(address, bounds.connectionsWaitingMax());
            }
            return new HttpRouter(this, server);
        }
    }

    private HttpRouter(Builder builder, HttpServer server) {
        this.name = builder.name;
        this.bounds = builder.bounds;
        this.routes = builder.routes.stream()
                .sorted(Comparator.comparing(Route::isPrefix)
                        .thenComparing(route -> route.path().length(), Comparator.reverseOrder()))
                .toList();
        this.errors = builder.errors;
        this.server = server;
        this.bodyBytes = new Semaphore(bounds.bodyBytesInWorkMax());
        this.executor = Executors.newThreadPerTaskExecutor(
                Thread.ofVirtual().name(name + "-http-", 0).factory());
        server.setExecutor(executor);
        server.createContext("/", this::handle);
        server.start();
    }

    private static void setUnlessSet(String property, String value) {
        if (System.getProperty(property) == null) {
            System.setProperty(property, value);
        }
    }

    /** @param name for threads and log lines */
    public static Builder named(String name, HttpBounds bounds) {
        return new Builder(name, bounds);
    }

    /** Returns the address with the port in use. */
    public InetSocketAddress address() {
        return server.getAddress();
    }

    /** Returns the URL of a router on the IPv4 loopback, without a path. */
    public URI url() {
        return URI.create("http://127.0.0.1:" + address().getPort());
    }

    /** Stops listening, closes all connections and interrupts the handlers; waits for none of them. */
    @Override
    public void close() {
        server.stop(0);
        executor.shutdownNow();
    }

    private void handle(HttpExchange exchange) throws IOException {
        try (exchange) {
            try {
                serve(exchange);
            } catch (RefusedRequestException refused) {
                send(exchange, HttpAnswer.json(refused.status(), errors.apply(refused)));
            }
        }
    }

    private void serve(HttpExchange exchange) throws IOException, RefusedRequestException {
        String path = String.valueOf(exchange.getRequestURI().getPath());
        Route route = route(exchange, path);
        int bytes = announced(exchange);
        Place place = place(exchange, route, bytes);
        boolean kept = false;
        try {
            RoutedRequest request = new RoutedRequest(
                    exchange.getRequestMethod(),
                    exchange.getRequestURI(),
                    route.rest(path),
                    exchange.getRequestHeaders(),
                    body(exchange, bytes));
            CompletableFuture<HttpAnswer> answer = new CompletableFuture<>();
            AtomicReference<Thread> running = new AtomicReference<>();
            executor.execute(() -> run(route.handler(), request, answer, running));
            try {
                send(exchange, answer.get(bounds.answerWithin().toNanos(), TimeUnit.NANOSECONDS));
            } catch (TimeoutException e) {
                kept = true;
                var _ = answer.whenComplete((_, _) -> place.leave());
                Optional.ofNullable(running.get()).ifPresent(Thread::interrupt);
                String said = "no answer within " + bounds.answerWithin().toMillis() + " ms";
                LOG.warn("{}: {} {}: {}", name, request.method(), path, said);
                throw new RefusedRequestException(504, "", said);
            } catch (ExecutionException e) {
                throw failed(request, path, e.getCause() == null ? e : e.getCause());
            } catch (InterruptedException e) { // the router is closed: so is the connection
                Thread.currentThread().interrupt();
            }
        } finally {
            if (!kept) {
                place.leave();
            }
        }
    }

    private static void run(
            Handler handler,
            RoutedRequest request,
            CompletableFuture<HttpAnswer> answer,
            AtomicReference<Thread> running) {
        running.set(Thread.currentThread());
        try {
            answer.complete(handler.answer(request));
        } catch (Exception | Error e) {
            answer.completeExceptionally(e);
        }
    }

    private RefusedRequestException failed(RoutedRequest request, String path, Throwable cause) {
        if (cause instanceof RefusedRequestException refused) {
            return refused;
        }
        if (!executor.isShutdown()) {
            LOG.warn("{}: {} {} failed", name, request.method(), path, cause);
        }
        return new RefusedRequestException(500, "", "the request failed; the log of this process has the reason");
    }

    private Route route(HttpExchange exchange, String path) throws RefusedRequestException {
        List<Route> leading =
                routes.stream().filter(route -> route.leadsTo(path)).toList();
        if (leading.isEmpty()) {
            throw new RefusedRequestException(404, "path", "there is no " + path);
        }
        String method = exchange.getRequestMethod();
        Optional<Route> taking =
                leading.stream().filter(route -> route.takes(method)).findFirst();
        if (taking.isEmpty()) {
            TreeSet<String> allowed =
                    new TreeSet<>(leading.stream().map(Route::method).toList());
            if (allowed.contains("GET")) {
                allowed.add("HEAD");
            }
            exchange.getResponseHeaders().set("Allow", String.join(", ", allowed));
            throw new RefusedRequestException(
                    405, "method", "%s takes %s, not %s".formatted(path, String.join(", ", allowed), method));
        }
        return taking.get();
    }

    /** Room of one request on its route and among the bodies. */
    private final class Place {
        private final Route route;
        private final int bytes;

        Place(Route route, int bytes) {
            this.route = route;
            this.bytes = bytes;
        }

        void leave() {
            bodyBytes.release(bytes);
            route.places().release();
        }
    }

    private Place place(HttpExchange exchange, Route route, int bytes) throws RefusedRequestException {
        if (!route.places().tryAcquire()) {
            throw full(exchange, bounds.requestsMax() + " requests are in work; repeat it later");
        }
        if (!bodyBytes.tryAcquire(bytes)) {
            route.places().release();
            throw full(exchange, "requests of " + bounds.bodyBytesInWorkMax() + " bytes are in work; repeat it later");
        }
        return new Place(route, bytes);
    }

    private static RefusedRequestException full(HttpExchange exchange, String why) {
        exchange.getResponseHeaders().set("Retry-After", "1");
        return new RefusedRequestException(503, "", why);
    }

    /** Bytes of a body by the head of its request; the maximum if the head has no length. */
    private int announced(HttpExchange exchange) throws RefusedRequestException {
        String length = exchange.getRequestHeaders().getFirst("Content-Length");
        if (length == null) {
            return exchange.getRequestHeaders().containsKey("Transfer-Encoding") ? bounds.bodyBytesMax() : 0;
        }
        if (!length.strip().matches("\\d{1,10}") || Long.parseLong(length.strip()) > bounds.bodyBytesMax()) {
            throw tooLarge();
        }
        return Integer.parseInt(length.strip());
    }

    private byte[] body(HttpExchange exchange, int bytesMax) throws IOException, RefusedRequestException {
        InputStream in = exchange.getRequestBody();
        byte[] body = in.readNBytes(bytesMax + 1);
        if (body.length > bytesMax) {
            throw tooLarge();
        }
        return body;
    }

    private RefusedRequestException tooLarge() {
        return new RefusedRequestException(
                413, "body", "the request has more than " + bounds.bodyBytesMax() + " bytes");
    }

    private static ObjectNode openAiError(RefusedRequestException refused) {
        ObjectNode body = JSON.createObjectNode();
        body.putObject("error")
                .put("message", refused.text())
                .put("type", refused.status() < 500 ? "invalid_request_error" : "server_error")
                .put("param", refused.param())
                .put("code", refused.status());
        return body;
    }

    private static void send(HttpExchange exchange, HttpAnswer answer) throws IOException {
        if (answer.isNone()) {
            return;
        }
        answer.headers().forEach(exchange.getResponseHeaders()::set);
        int length = answer.body().length;
        if (exchange.getRequestMethod().equals("HEAD")) {
            exchange.getResponseHeaders().set("Content-Length", Integer.toString(length));
            exchange.sendResponseHeaders(answer.status(), -1);
            return;
        }
        exchange.sendResponseHeaders(answer.status(), length == 0 ? -1 : length);
        if (length > 0) {
            exchange.getResponseBody().write(answer.body(), 0, answer.sent());
            exchange.getResponseBody().flush();
        }
    }
}
