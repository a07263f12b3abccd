package darkroom.tensors;

/** Thrown when a tensor does not fit in the byte budget of its node. */
public final class TensorStoreFullException extends RuntimeException {
    public TensorStoreFullException(long wantedBytes, long heldBytes, long maxBytes) {
        super(
                wantedBytes > maxBytes
                        ? "A tensor of %d bytes does not fit: this node holds limits.tensor-bytes-max=%d in all. Raise it there, above %d; fewer groups in flight do not help."
                                .formatted(wantedBytes, maxBytes, wantedBytes)
                        : "A tensor of %d bytes does not fit: this node holds %d bytes, limits.tensor-bytes-max=%d. Raise it there to %d or more. What images of open groups take of it goes down with limits.groups-in-flight-max; weights and optimizer state stay."
                                .formatted(wantedBytes, heldBytes, maxBytes, heldBytes + wantedBytes));
    }
}
