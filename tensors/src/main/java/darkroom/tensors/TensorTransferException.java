package darkroom.tensors;

/** Thrown when a tensor did not arrive within its deadline, or its peer went silent; it may still exist. */
public final class TensorTransferException extends RuntimeException {
    public TensorTransferException(String message) {
        super(message);
    }
}
