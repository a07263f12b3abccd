package darkroom.actors.wire;

/**
 * Thrown for a message that cannot be sent, or bytes that are not a message. Pekko logs it and drops the message, like a
 * network would.
 */
final class WireException extends RuntimeException {
    WireException(String message) {
        super(message);
    }

    WireException(String message, Throwable cause) {
        super(message, cause);
    }
}
