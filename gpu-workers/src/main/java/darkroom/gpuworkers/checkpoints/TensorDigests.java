package darkroom.gpuworkers.checkpoints;

import darkroom.tensors.TensorRef;
import darkroom.tensors.TensorStore;
import java.lang.foreign.MemorySegment;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.List;

/**
 * SHA-256 over tensors, as lower-case hexadecimal. The input is the type, the shape and the bytes of each tensor, so that
 * equal digests mean equal tensors in equal order.
 */
public final class TensorDigests {
    private static final long CHUNK_BYTES = 1L << 24;

    private TensorDigests() {}

    /** Returns the digest of tensors in the given order. */
    public static String of(TensorStore store, List<TensorRef> tensors) {
        MessageDigest digest = sha256();
        for (TensorRef tensor : tensors) {
            digest.update((tensor.type() + " " + tensor.shape() + "\n").getBytes(StandardCharsets.UTF_8));
            update(digest, store.read(tensor));
        }
        return HexFormat.of().formatHex(digest.digest());
    }

    /** Returns the digest of bytes alone. */
    public static String of(MemorySegment bytes) {
        MessageDigest digest = sha256();
        update(digest, bytes);
        return HexFormat.of().formatHex(digest.digest());
    }

    private static void update(MessageDigest digest, MemorySegment bytes) {
        for (long from = 0; from < bytes.byteSize(); from += CHUNK_BYTES) {
            digest.update(bytes.asSlice(from, Math.min(CHUNK_BYTES, bytes.byteSize() - from))
                    .asByteBuffer());
        }
    }

    private static MessageDigest sha256() {
        try {
            return MessageDigest.getInstance("SHA-256");
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("every Java platform has SHA-256", e);
        }
    }
}
