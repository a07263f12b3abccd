package darkroom.actors;

import darkroom.actors.PlaneFrame.TensorKey;
import darkroom.actors.TensorWindows.Sight;
import java.lang.foreign.MemorySegment;
import java.util.zip.CRC32C;
import org.agrona.DirectBuffer;
import org.agrona.concurrent.UnsafeBuffer;
import org.jspecify.annotations.Nullable;

/**
 * One tensor on its way to this node: how far it is, whom it is asked of, and since when. Used by one thread at a time: by that of
 * the call that begins it, and once {@link PlaneAgent#begin} has it, by the plane's only.
 *
 * <p>Chunks are taken in order from wherever the sender began, round to there, so that progress is two numbers and the
 * checksum is computed while a chunk is in the cache.
 */
final class Transfer {
    /** So few at a time that they are in the processor's cache when their checksum is reckoned. */
    private static final int LOOK_BYTES = 1 << 14;

    /** What becomes of it. */
    interface Outcome {
        void landed();

        void failed(RuntimeException why);
    }

    final TensorRef ref;
    final TensorKey key;
    final long begunNs;
    final Outcome outcome;
    private final @Nullable MemorySegment target;
    private final @Nullable ChunkReader reader;
    private final UnsafeBuffer into = new UnsafeBuffer(0, 0);
    private final CRC32C tail = new CRC32C();
    private final CRC32C head = new CRC32C();
    private long start;
    private long received;
    private long gapAt;

    private @Nullable Sight sight;

    long source;
    long sourceSinceNs;
    long movedNs;
    long without;
    int mismatches;

    /** Into memory of the tensor's size. */
    static Transfer into(MemorySegment target, TensorRef ref, long nowNs, Outcome outcome) {
        return new Transfer(ref, target, null, nowNs, outcome);
    }

    /** Past a reader. */
    static Transfer past(ChunkReader reader, TensorRef ref, long nowNs, Outcome outcome) {
        return new Transfer(ref, null, reader, nowNs, outcome);
    }

    private Transfer(
            TensorRef ref, @Nullable MemorySegment target, @Nullable ChunkReader reader, long nowNs, Outcome outcome) {
        this.ref = ref;
        this.key = TensorKey.of(ref);
        this.target = target;
        this.reader = reader;
        this.begunNs = nowNs;
        this.outcome = outcome;
    }

    /** The byte that is taken next; anywhere, as long as there is none. */
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

    /** A chunk from this byte on came too early: what is before it has been lost. True once for each gap. */
    boolean gapSeen(long offset) {
        boolean gap = !complete() && received > gapAt && Math.floorMod(offset - start, key.bytes()) > received;
        if (gap) {
            gapAt = received;
        }
        return gap;
    }

    /** Everything is to be fetched again. */
    void forget() {
        received = 0;
        gapAt = 0;
        tail.reset();
        head.reset();
    }

    /** Whether what was read once can be read once more. */
    boolean repeatable() {
        return reader == null;
    }

    /**
     * Takes what it has not yet of a chunk.
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
        if (target != null) {
            into.wrap(target.address() + next, taken);
            into.putBytes(0, buffer, from, taken);
            sum.update(target.asSlice(next, taken).asByteBuffer());
        } else if (reader != null) {
            reader.read(next, buffer, from, taken);
            int at = buffer.wrapAdjustment() + from;
            sum.update(
                    buffer.byteBuffer().duplicate().limit(at + taken).position(at)); // last: sees what was overwritten
        }
        received += taken;
        return taken;
    }

    /** From here on it is read where its home has put it, from the first byte. The sight is closed by {@link #lookAway}. */
    void lookAt(Sight at) {
        forget();
        sight = at;
    }

    /** Whether it is read where its home has put it. */
    boolean looks() {
        return sight != null;
    }

    /**
     * Takes what comes next of what its home shows.
     *
     * @return bytes taken
     */
    long look(long bytesMax) {
        long before = received;
        if (sight != null) {
            MemorySegment bytes = sight.bytes();
            for (long end = Math.min(key.bytes(), before + bytesMax); received < end; ) {
                int length = (int) Math.min(LOOK_BYTES, end - received);
                UnsafeBuffer seen =
                        new UnsafeBuffer(bytes.asSlice(received, length).asByteBuffer());
                take(received, seen, 0, length);
            }
        }
        return received - before;
    }

    /** Ends the looking. False if the home has released the tensor meanwhile, and what was taken is anything. */
    boolean lookAway() {
        if (sight == null) {
            return true;
        }
        boolean still = sight.still();
        sight.close();
        sight = null;
        return still;
    }

    /** CRC-32C of all bytes in their order. */
    long checksum() {
        return start == 0 ? tail.getValue() : Checksum.joined(head.getValue(), tail.getValue(), key.bytes() - start);
    }
}
