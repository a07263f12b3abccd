package darkroom.tensors;

import darkroom.tensors.PlaneFrame.TensorKey;
import darkroom.tensors.SharedTensorExports.SharedRead;
import java.lang.foreign.MemorySegment;
import java.util.zip.CRC32C;
import org.agrona.DirectBuffer;
import org.agrona.concurrent.UnsafeBuffer;
import org.jspecify.annotations.Nullable;

/**
 * One tensor on its way to this node: its progress, the peer it is requested from, and since when. Used by one thread at a
 * time: by that of the call that begins it and, once {@link PlaneAgent#begin} has it, by the plane's only.
 *
 * <p>Chunks are taken in order from wherever the sender began, around to that byte, so that progress is two numbers and the
 * checksum is computed while a chunk is in the cache.
 */
final class Transfer {
    /** Bytes read at a time: few enough to be in the processor's cache when their checksum is computed. */
    private static final int LOOK_BYTES = 1 << 14;

    /** Outcome of a transfer. */
    interface Outcome {
        void landed();

        void failed(RuntimeException why);
    }

    final TensorRef ref;
    final TensorKey key;
    final long begunNs;
    final Outcome outcome;
    private final MemorySegment target;
    private final UnsafeBuffer into = new UnsafeBuffer(0, 0);
    private final CRC32C tail = new CRC32C();
    private final CRC32C head = new CRC32C();
    private long start;
    private long received;
    private long gapAt;

    private @Nullable SharedRead sharedRead;

    long source;
    long sourceSinceNs;
    long movedNs;
    long without;
    int mismatches;

    /**
     * @param target memory of the tensor's size
     */
    Transfer(MemorySegment target, TensorRef ref, long nowNs, Outcome outcome) {
        this.ref = ref;
        this.key = TensorKey.of(ref);
        this.target = target;
        this.begunNs = nowNs;
        this.outcome = outcome;
    }

    /** Returns the next byte to take; {@link PlaneFrame#ANYWHERE} before the first. */
    long next() {
        return received == 0 ? PlaneFrame.ANYWHERE : (start + received) % key.bytes();
    }

    long received() {
        return received;
    }

    long missing() {
        return key.bytes() - received;
    }

    boolean complete() {
        return missing() == 0;
    }

    /** Records that a chunk from this byte on arrived too early: the bytes before it were lost. True once for each gap. */
    boolean gapSeen(long offset) {
        boolean gap = !complete() && received > gapAt && Math.floorMod(offset - start, key.bytes()) > received;
        if (gap) {
            gapAt = received;
        }
        return gap;
    }

    /** Discards the progress; everything is fetched again. */
    void forget() {
        received = 0;
        gapAt = 0;
        tail.reset();
        head.reset();
    }

    /**
     * Takes the bytes of a chunk that are still missing.
     *
     * @return bytes taken
     */
    int take(long offset, DirectBuffer buffer, int index, int length) {
        if (complete() || offset < 0 || length <= 0 || offset + length > key.bytes()) {
            return 0;
        }
        if (received == 0) {
            start = offset;
        }
        long next = (start + received) % key.bytes();
        long skipped = next - offset;
        if (skipped < 0 || skipped >= length) {
            return 0;
        }
        int from = index + (int) skipped;
        int taken = (int) Math.min(length - skipped, missing());
        CRC32C sum = next >= start ? tail : head;
        into.wrap(target.address() + next, taken);
        into.putBytes(0, buffer, from, taken);
        sum.update(target.asSlice(next, taken).asByteBuffer());
        received += taken;
        return taken;
    }

    /** Switches to a shared-memory read, from the first byte. The shared read is closed by {@link #lookAway}. */
    void lookAt(SharedRead at) {
        forget();
        sharedRead = at;
    }

    /** Whether the tensor is read from shared memory. */
    boolean looks() {
        return sharedRead != null;
    }

    /**
     * Takes the next bytes of the shared-memory read.
     *
     * @return bytes taken
     */
    long look(long bytesMax) {
        long before = received;
        if (sharedRead != null) {
            MemorySegment bytes = sharedRead.bytes();
            for (long end = Math.min(key.bytes(), before + bytesMax); received < end; ) {
                int length = (int) Math.min(LOOK_BYTES, end - received);
                UnsafeBuffer seen =
                        new UnsafeBuffer(bytes.asSlice(received, length).asByteBuffer());
                take(received, seen, 0, length);
            }
        }
        return received - before;
    }

    /**
     * Ends the shared-memory read. False if the home released the tensor during the read, which makes the taken bytes
     * invalid.
     */
    boolean lookAway() {
        if (sharedRead == null) {
            return true;
        }
        boolean still = sharedRead.still();
        sharedRead.close();
        sharedRead = null;
        return still;
    }

    /** Returns the CRC-32C of all bytes in their order. */
    long checksum() {
        return start == 0 ? tail.getValue() : Checksum.joined(head.getValue(), tail.getValue(), key.bytes() - start);
    }
}
