package darkroom.rewardactors;

import java.io.EOFException;
import java.io.IOException;
import java.net.ConnectException;
import java.net.ProtocolException;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
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
import javax.net.ssl.SSLException;
import org.jspecify.annotations.Nullable;

/**
 * One exchange with a scorer, which always ends within its deadline: with the body of a whole HTTP 200, or with a fault.
 *
 * <p>The deadline covers the body too. The JDK's own request timeout ends when the headers are there, so that a body
 * that drips for ever would be waited for for ever.
 */
final class ScorerHttp {
    private final HttpClient http;
    private final ScheduledExecutorService timer;

    ScorerHttp(Executor executor, ScheduledExecutorService timer, Duration connectTimeout, ScorerAccess access) {
        this.timer = timer;
        HttpClient.Builder client = HttpClient.newBuilder()
                .version(HttpClient.Version.HTTP_1_1)
                .followRedirects(HttpClient.Redirect.NEVER)
                .connectTimeout(connectTimeout)
                .executor(executor);
        access.trusted().ifPresent(client::sslContext);
        this.http = client.build();
    }

    sealed interface Reply {
        /** @param requestId the name of the request that the answer says it answers; empty if it does not say */
        record Body(ByteBuffer bytes, String requestId) implements Reply {}

        record Failure(ScorerFault fault) implements Reply {}
    }

    /** @param givenUp ends the exchange, with a fault, when it is done */
    CompletionStage<Reply> exchange(HttpRequest request, Duration deadline, int bytesMax, CompletionStage<?> givenUp) {
        CompletableFuture<HttpResponse<BoundedBody.Content>> response =
                http.sendAsync(request, BoundedBody.handler(bytesMax));
        Future<?> alarm = timer.schedule(() -> response.cancel(true), deadline.toNanos(), TimeUnit.NANOSECONDS);
        var _ = givenUp.thenRun(() -> response.cancel(true));
        return response.handle((answer, error) -> {
            alarm.cancel(false);
            return error == null ? reply(answer) : new Reply.Failure(transportFault(error, deadline));
        });
    }

    /** Ends all exchanges now. */
    void close() {
        http.shutdownNow();
    }

    private static Reply reply(HttpResponse<BoundedBody.Content> answer) {
        return switch (answer.body()) {
            case BoundedBody.Content.NotTaken(ScorerFault fault) ->
                new Reply.Failure(answer.statusCode() == 200 ? fault : statusFault(answer, fault.detail()));
            case BoundedBody.Content.Whole(ByteBuffer bytes) ->
                answer.statusCode() == 200
                        ? new Reply.Body(
                                bytes,
                                answer.headers().firstValue("X-Request-Id").orElse(""))
                        : new Reply.Failure(statusFault(answer, ChatAnswer.errorMessage(bytes)));
        };
    }

    private static ScorerFault statusFault(HttpResponse<?> answer, String message) {
        int status = answer.statusCode();
        boolean passing = status == 408 || status == 425 || status == 429 || (status >= 500 && status != 501);
        return new ScorerFault(
                "http-" + status, message, !passing, retryAfter(answer).orElse(null));
    }

    /** Seconds, or a date beside the answer's own date: no clock of ours is asked. */
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

    private static ScorerFault transportFault(Throwable thrown, Duration deadline) {
        Throwable error =
                thrown instanceof CompletionException && thrown.getCause() != null ? thrown.getCause() : thrown;
        if (error instanceof CancellationException || error instanceof TimeoutException) {
            return ScorerFault.passing("timeout", "no whole answer within " + seconds(deadline));
        }
        if (caused(error, UnresolvedAddressException.class)) {
            return ScorerFault.passing("unknown-host", "the scorer's host name has no address");
        }
        if (error instanceof java.net.http.HttpTimeoutException) {
            return ScorerFault.passing("timeout", "no connection within " + seconds(deadline));
        }
        if (error instanceof ConnectException) {
            return ScorerFault.passing("refused", "no connection: " + error.getMessage());
        }
        if (error instanceof SSLException) {
            return ScorerFault.passing("tls", String.valueOf(error.getMessage()));
        }
        if (error instanceof ProtocolException) {
            return ScorerFault.passing("bad-http", String.valueOf(error.getMessage()));
        }
        String message = messages(error);
        if (message.contains("reset") || message.contains("Broken pipe") || message.contains("aborted")) {
            return ScorerFault.passing("reset", "the connection was reset");
        }
        if (message.contains("received no bytes")) {
            return ScorerFault.passing("no-answer", "the connection was closed before an answer");
        }
        if (error instanceof EOFException
                || message.contains("EOF")
                || message.contains("content-length")
                || message.contains("chunked")) {
            return ScorerFault.passing("truncated", "the connection was closed within the answer");
        }
        if (error instanceof IOException || error instanceof NumberFormatException) { // the latter: a header's length
            return ScorerFault.passing("bad-http", message);
        }
        return ScorerFault.passing("client-error", error.getClass().getSimpleName() + ": " + message);
    }

    private static boolean caused(@Nullable Throwable error, Class<? extends Throwable> type) {
        for (Throwable cause = error; cause != null; cause = cause.getCause()) {
            if (type.isInstance(cause)) {
                return true;
            }
        }
        return false;
    }

    private static String messages(Throwable error) {
        StringBuilder all = new StringBuilder();
        for (Throwable cause = error; cause != null; cause = cause.getCause()) {
            all.append(all.isEmpty() ? "" : "; ").append(cause.getMessage());
        }
        return all.toString();
    }

    private static String seconds(Duration duration) {
        return duration.toMillis() / 1000.0 + " s";
    }
}
