package darkroom.tensors;

/** Thrown when a referenced tensor is missing or its bytes have changed. The tensor must be created again. */
public final class TensorLostException extends RuntimeException {
    private final transient TensorRef tensor;

    public TensorLostException(TensorRef tensor, String message) {
        super(message);
        this.tensor = tensor;
    }

    /** Returns the lost tensor. */
    public TensorRef tensor() {
        return tensor;
    }
}
