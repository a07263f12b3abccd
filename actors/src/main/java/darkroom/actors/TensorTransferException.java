package darkroom.actors;

/** A tensor was not brought within its deadline, or its peer went silent; it may still be there. */
public final class TensorTransferException extends RuntimeException {
    public TensorTransferException(String message) {
        super(message);
    }
}
