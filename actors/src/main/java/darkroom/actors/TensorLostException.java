package darkroom.actors;

/** A tensor that a message refers to is not there, or not what it was. The work that needs it is to be done again. */
public final class TensorLostException extends RuntimeException {
    public TensorLostException(String message) {
        super(message);
    }
}
