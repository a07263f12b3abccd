package darkroom.rewardactors.http;

import java.time.Duration;

/**
 * The bounds of an {@link HttpRouter}.
 *
 * @param connectionsWaitingMax connections that are established and not yet accepted
 * @param requestsMax requests in work at a time on one route; one more is answered 503 before its body is read
 * @param bodyBytesMax bytes of the body of one request; a larger one is answered 413
 * @param bodyBytesInWorkMax bytes of the bodies of all requests in work; a request that does not fit is answered 503 before
 *     its body is read
 * @param answerWithin time of a handler; after it the request is answered 504 and the handler interrupted. A handler that
 *     ignores this keeps its place of {@code requestsMax} until it ends
 */
public record HttpBounds(
        int connectionsWaitingMax, int requestsMax, int bodyBytesMax, int bodyBytesInWorkMax, Duration answerWithin) {
    /** For simulations, whose answers may be late on purpose: 1024 requests, 64 MiB each, 1 GiB together, one hour. */
    public static final HttpBounds SIMULATION = new HttpBounds(1024, 1024, 64 << 20, 1 << 30, Duration.ofHours(1));

    public HttpBounds {
        if (connectionsWaitingMax < 1 || requestsMax < 1 || bodyBytesMax < 0 || bodyBytesInWorkMax < bodyBytesMax) {
            throw new IllegalArgumentException(
                    "connectionsWaitingMax=%d and requestsMax=%d must be above 0, and bodyBytesMax=%d from 0 to bodyBytesInWorkMax=%d"
                            .formatted(connectionsWaitingMax, requestsMax, bodyBytesMax, bodyBytesInWorkMax));
        }
        if (bodyBytesMax == Integer.MAX_VALUE || !answerWithin.isPositive()) {
            throw new IllegalArgumentException("bodyBytesMax=%d must be below 2^31 - 1, and answerWithin=%s above 0"
                    .formatted(bodyBytesMax, answerWithin));
        }
    }
}
