package darkroom.runtime.bench;

import java.util.Locale;

/** Routes of a tensor from one process to another, as {@code bench tensors} measures them. */
enum TensorRoute {
    /** The plane through shared memory, copied into the receiver's store. */
    PLANE_IPC,
    /** The plane by UDP. */
    PLANE_UDP,
    /** A blocking socket channel, one mebibyte per write, read into memory of the tensor's size. */
    TCP,
    /** Byte arrays in actor messages, with credits. */
    ARTERY,
    /** No transfer: from memory to memory in the receiving process. */
    MEMCPY;

    String label() {
        return name().toLowerCase(Locale.ROOT).replace('_', '-');
    }
}
