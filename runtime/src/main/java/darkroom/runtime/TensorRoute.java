package darkroom.runtime;

import java.util.Locale;

/** A way for a tensor from one process to another, as {@code bench tensors} measures it. */
enum TensorRoute {
    /** The plane through shared memory, copied into the receiver's store. */
    PLANE_IPC,
    /** The plane through shared memory, read where it lies. */
    PLANE_IPC_IN_PLACE,
    /** The plane by UDP. */
    PLANE_UDP,
    /** A blocking socket channel, a mebibyte a write, read into memory of the tensor's size. */
    TCP,
    /** Byte arrays in actor messages, with credits. */
    ARTERY,
    /** No transfer: from memory to memory in the receiving process. */
    MEMCPY;

    String label() {
        return name().toLowerCase(Locale.ROOT).replace('_', '-');
    }
}
