package darkroom.actors;

/** A tensor did not fit in the byte budget of its node. */
public final class TensorStoreFullException extends RuntimeException {
    public TensorStoreFullException(long wantedBytes, long heldBytes, long maxBytes) {
        super(
                "A tensor of %d bytes does not fit: %d bytes are held, limits.tensor-bytes-max=%d. Raise it, or lower limits.groups-in-flight-max."
                        .formatted(wantedBytes, heldBytes, maxBytes));
    }
}
