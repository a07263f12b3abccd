package darkroom.actors;

/** A message that cannot be sent, or bytes that are no message. Pekko logs it and drops the message, like a network would. */
final class WireException extends RuntimeException {
    WireException(String message) {
        super(message);
    }

    WireException(String message, Throwable cause) {
        super(message, cause);
    }
}
