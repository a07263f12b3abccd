package darkroom.actors;

/** A tensor that a message refers to is not there, or not what it was. It has to be made again. */
public final class TensorLostException extends RuntimeException {
    private final transient TensorRef tensor;

    public TensorLostException(TensorRef tensor, String message) {
        super(message);
        this.tensor = tensor;
    }

    /** Which one. */
    public TensorRef tensor() {
        return tensor;
    }
}
