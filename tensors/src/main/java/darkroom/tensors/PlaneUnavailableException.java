package darkroom.tensors;

/** Thrown when a node has no tensor plane: its media driver has no room, could not be started, or does not answer. */
public final class PlaneUnavailableException extends RuntimeException {
    PlaneUnavailableException(String message, Throwable cause) {
        super(message, cause);
    }

    PlaneUnavailableException(String message) {
        super(message);
    }
}
