package darkroom.rewardactors.client;

import darkroom.config.ErrorReason;
import darkroom.rewardactors.protocol.ChatAnswer;
import darkroom.rewardactors.protocol.ScorerFault;
import java.io.EOFException;
import java.io.IOException;
import java.net.ConnectException;
import java.net.InetAddress;
import java.net.ProtocolException;
import java.net.SocketException;
import java.net.UnknownHostException;
import java.net.http.HttpConnectTimeoutException;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.net.http.HttpTimeoutException;
import java.nio.ByteBuffer;
import java.nio.channels.UnresolvedAddressException;
import java.time.DateTimeException;
import java.time.Duration;
import java.time.ZonedDateTime;
import java.time.format.DateTimeFormatter;
import java.util.Optional;
import java.util.concurrent.CancellationException;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.Executor;
import java.util.concurrent.Future;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.stream.Collectors;
import javax.net.ssl.SSLException;
import org.jspecify.annotations.Nullable;

/**
 * One exchange with a scorer, which always ends within its deadline: with the body of a whole HTTP 200, or with a fault.
 *
 * <p>The deadline covers the body too. The JDK's own request timeout ends when the headers have arrived, so that a body that
 * drips endlessly would be awaited endlessly. A host with several addresses is reached at the one that answers ({@link
 * RoutedHttpClient}).
 */
public final class ScorerHttp {
    private final Executor executor;
    private final ScheduledExecutorService timer;
    private final RoutedHttpClient http;
    private final HostRoutes routes;

    public ScorerHttp(Executor executor, ScheduledExecutorService timer, Duration connectTimeout, ScorerAccess access) {
        this(executor, timer, connectTimeout, access, InetAddress::getAllByName);
    }

    /** @param resolver of the names in URLs */
    ScorerHttp(
            Executor executor,
            ScheduledExecutorService timer,
            Duration connectTimeout,
            ScorerAccess access,
            RoutedHttpClient.Resolver resolver) {
        this.executor = executor;
        this.timer = timer;
        this.http = new RoutedHttpClient(executor, connectTimeout, access, resolver);
        this.routes = http.routes();
    }

    /** The outcome of one exchange: the body of a response with status 200, or a failure. */
    public sealed interface Reply {
        /**
         * The body of a response with status 200.
         *
         * @param requestId name of the request that the answer refers to; empty if it does not name one
         */
        record Body(ByteBuffer bytes, String requestId) implements Reply {}

        /**
         * A failed exchange.
         *
         * @param said the whole message of a status other than 200; empty for other faults
         */
        record Failure(ScorerFault fault, String said) implements Reply {}
    }

    /** Starts an exchange that only its deadline and {@link #close} end early. */
    public CompletionStage<Reply> exchange(HttpRequest request, Duration deadline, int bytesMax) {
        return exchange(request, deadline, bytesMax, new AbortSignal());
    }

    /** @param aborted ends the exchange, with a fault, when raised */
    CompletionStage<Reply> exchange(HttpRequest request, Duration deadline, int bytesMax, AbortSignal aborted) {
        return new Exchange(request, deadline, bytesMax).begun(aborted);
    }

    /** Ends all exchanges now. */
    public void close() {
        http.close();
    }

    private final class Exchange {
        private final HttpRequest request;
        private final Duration deadline;
        private final int bytesMax;
        private final long until;
        private final CompletableFuture<Reply> reply = new CompletableFuture<>();
        private @Nullable CompletableFuture<?> sent;
        private boolean aborted;

        Exchange(HttpRequest request, Duration deadline, int bytesMax) {
            this.request = request;
            this.deadline = deadline;
            this.bytesMax = bytesMax;
            this.until = System.nanoTime() + deadline.toNanos();
        }

        CompletionStage<Reply> begun(AbortSignal aborted) {
            Future<?> alarm =
                    timer.schedule(() -> executor.execute(this::abort), deadline.toNanos(), TimeUnit.NANOSECONDS);
            AbortSignal.Registration registration = aborted.whenRaised(() -> executor.execute(this::abort));
            var _ = reply.whenComplete((_, _) -> {
                alarm.cancel(false);
                registration.remove();
            });
            routes.known(request.uri()).ifPresentOrElse(route -> send(route, false), this::findAndSend);
            return reply;
        }

        private void abort() {
            CompletableFuture<?> pending;
            synchronized (this) {
                aborted = true;
                pending = sent;
            }
            if (pending != null) {
                pending.cancel(true); // first: the route is forgotten before the next exchange begins
            }
            reply.complete(failure(ScorerFault.passing("timeout", "no whole answer within " + seconds(deadline))));
        }

        private void findAndSend() {
            var _ = CompletableFuture.supplyAsync(() -> routes.find(request.uri(), left()), executor)
                    .whenComplete((route, error) -> {
                        if (error == null) {
                            send(route, true);
                        } else {
                            reply.complete(failure(ScorerFault.passing("client-error", ErrorReason.of(error))));
                        }
                    });
        }

        private Duration left() {
            return Duration.ofNanos(Math.max(1, until - System.nanoTime()));
        }

        /** @param fresh whether the route was found for this exchange; an older one may be out of date */
        private void send(HostRoutes.Route route, boolean fresh) {
            BoundedBody.Handler handler = BoundedBody.handler(bytesMax);
            CompletableFuture<HttpResponse<BoundedBody.Content>> response;
            synchronized (this) {
                if (aborted) {
                    return;
                }
                response = http.sendAsync(route, request, handler);
                sent = response;
            }
            var _ = response.whenComplete((answer, error) -> {
                if (error == null) {
                    reply.complete(reply(answer));
                    return;
                }
                Throwable cause = unwrapped(error);
                boolean unconnected = cause instanceof ConnectException || cause instanceof HttpConnectTimeoutException;
                if (unconnected || (route.hasSeveral() && !handler.hasHead())) { // the address may be silent
                    routes.forget(request.uri(), route);
                }
                if (unconnected && !fresh) {
                    findAndSend();
                } else {
                    reply.complete(failure(transportFault(cause, deadline, handler.hasHead(), route)));
                }
            });
        }
    }

    private static Throwable unwrapped(Throwable thrown) {
        return thrown instanceof CompletionException && thrown.getCause() != null ? thrown.getCause() : thrown;
    }

    private static Reply.Failure failure(ScorerFault fault) {
        return new Reply.Failure(fault, "");
    }

    private static Reply reply(HttpResponse<BoundedBody.Content> answer) {
        return switch (answer.body()) {
            case BoundedBody.Content.NotTaken(ScorerFault fault) ->
                answer.statusCode() == 200 ? failure(fault) : refusal(answer, fault.detail());
            case BoundedBody.Content.Whole(ByteBuffer bytes) ->
                answer.statusCode() == 200
                        ? new Reply.Body(
                                bytes,
                                answer.headers().firstValue("X-Request-Id").orElse(""))
                        : refusal(answer, ChatAnswer.errorMessage(bytes));
        };
    }

    private static Reply.Failure refusal(HttpResponse<?> answer, String message) {
        int status = answer.statusCode();
        boolean passing = status == 408 || status == 425 || status == 429 || (status >= 500 && status != 501);
        String said = message.isBlank() ? meaning(answer) : message;
        return new Reply.Failure(
                new ScorerFault(
                        "http-" + status, said, !passing, retryAfter(answer).orElse(null)),
                message);
    }

    /** Meaning of a status without a text. */
    private static String meaning(HttpResponse<?> answer) {
        int status = answer.statusCode();
        Optional<String> location = answer.headers().firstValue("Location");
        if (status / 100 == 3) {
            return location.map(there -> "redirected to " + there + ", which is not followed; give the final URL")
                    .orElse("redirected without a location");
        }
        return switch (status) {
            case 204, 205 -> "an answer without a content";
            case 401 -> "unauthorized, without a text";
            case 403 -> "forbidden, without a text";
            case 404 ->
                "not found, without a text: there is nothing at " + answer.uri().getRawPath();
            case 405 -> "method not allowed, without a text: " + answer.uri().getRawPath() + " takes no POST";
            case 408 -> "request timeout, without a text";
            case 413 -> "the request is too large, without a text";
            case 429 -> "too many requests, without a text";
            case 500 -> "internal server error, without a text";
            case 502, 503, 504 -> "a gateway or the server is not ready, without a text";
            default -> "status " + status + " without a text";
        };
    }

    /** Reads seconds, or a date relative to the answer's own date: the local clock is not used. */
    private static Optional<Duration> retryAfter(HttpResponse<?> answer) {
        Optional<String> value = answer.headers().firstValue("Retry-After").map(String::strip);
        if (value.isEmpty()) {
            return Optional.empty();
        }
        if (value.get().matches("\\d{1,9}")) {
            return Optional.of(Duration.ofSeconds(Long.parseLong(value.get())));
        }
        try {
            DateTimeFormatter format = DateTimeFormatter.RFC_1123_DATE_TIME;
            ZonedDateTime until = ZonedDateTime.parse(value.get(), format);
            return answer.headers()
                    .firstValue("Date")
                    .map(date -> Duration.between(ZonedDateTime.parse(date, format), until))
                    .filter(Duration::isPositive);
        } catch (DateTimeException e) {
            return Optional.empty();
        }
    }

    /**
     * Derives the fault from the classes of exceptions and the progress of the answer; texts of exceptions depend on the JDK
     * and on the locale of the operating system.
     *
     * @param head whether the head of the answer has arrived
     */
    private static ScorerFault transportFault(
            Throwable error, Duration deadline, boolean head, HostRoutes.Route route) {
        String reason = ErrorReason.of(error);
        if (error instanceof CancellationException || error instanceof TimeoutException) {
            return ScorerFault.passing("timeout", "no whole answer within " + seconds(deadline));
        }
        if (caused(error, UnresolvedAddressException.class) || caused(error, UnknownHostException.class)) {
            return ScorerFault.passing("unknown-host", "the scorer's host name has no address");
        }
        if (error instanceof HttpTimeoutException) {
            return ScorerFault.passing("timeout", "no connection within " + seconds(deadline) + tried(route));
        }
        if (error instanceof ConnectException) {
            return ScorerFault.passing("refused", "no connection: " + reason + tried(route));
        }
        if (error instanceof SSLException) {
            return ScorerFault.passing("tls", reason);
        }
        if (error instanceof ProtocolException
                || error instanceof NumberFormatException) { // the latter: a header's length
            return ScorerFault.passing("bad-http", reason);
        }
        if (!(error instanceof IOException)) {
            return ScorerFault.passing("client-error", error.getClass().getSimpleName() + ": " + reason);
        }
        if (caused(error, SocketException.class)) {
            return ScorerFault.passing("reset", "the connection was reset");
        }
        if (caused(error, EOFException.class)) {
            return head
                    ? ScorerFault.passing("truncated", "the connection was closed within the answer")
                    : ScorerFault.passing("no-answer", "the connection was closed before an answer");
        }
        return head
                ? ScorerFault.passing("bad-http", reason)
                : ScorerFault.passing("reset", "the connection ended before an answer: " + reason);
    }

    private static String tried(HostRoutes.Route route) {
        return route.hasSeveral()
                ? route.addresses().stream()
                        .map(InetAddress::getHostAddress)
                        .collect(Collectors.joining(", ", " (tried ", ")"))
                : "";
    }

    private static boolean caused(@Nullable Throwable error, Class<? extends Throwable> type) {
        for (Throwable cause = error; cause != null; cause = cause.getCause()) {
            if (type.isInstance(cause)) {
                return true;
            }
        }
        return false;
    }

    private static String seconds(Duration duration) {
        return duration.toMillis() / 1000.0 + " s";
    }
}
