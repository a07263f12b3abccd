package darkroom.tensors;

import static java.nio.ByteOrder.LITTLE_ENDIAN;

import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Optional;
import org.agrona.DirectBuffer;
import org.agrona.MutableDirectBuffer;

/**
 * A message between tensor planes, {@link #BYTES} long, little endian. A {@code DATA} frame is followed by its chunk and
 * ends the Aeron message; other frames may be batched in one. Each Aeron message is one fragment, so nothing is ever
 * reassembled.
 *
 * @param kind message type
 * @param from sending node, as a number ({@link #number})
 * @param to receiving node; {@link #EVERYONE} on a shared publication
 * @param tensor tensor the message is about
 * @param offset first byte concerned; in a request {@link #ANYWHERE} if none has arrived yet
 * @param bytes in a request, the number of missing bytes; in data, the length of the chunk
 * @param third a third node: in a request a peer that did not have the tensor, in a redirection the one that does; 0: none
 */
record PlaneFrame(Kind kind, long from, long to, TensorKey tensor, long offset, long bytes, long third) {
    /** Frame length: a multiple of a cache line together with Aeron's own 32, so that chunks are aligned like their target. */
    static final int BYTES = 96;

    static final long EVERYONE = 0;
    static final long ANYWHERE = -1;

    /** The stream that every node of a driver reads, and the only one of a UDP address. */
    static final int STREAM_OF_ALL = 1;

    private static final byte VERSION = 2;
    private static final List<Kind> KINDS = List.of(Kind.values());

    enum Kind {
        /** Requests a tensor from this byte on, around to the bytes already received. Repeated whenever nothing arrives. */
        REQUEST(1),
        /** Like REQUEST; the received bytes did not match their checksum, so the sender verifies its own first. */
        REQUEST_CHECKED(2),
        /** Reports that the tensor is here and others are served first. */
        QUEUED(4),
        /** Reports that the tensor is not here. */
        ABSENT(5),
        /** Redirects the request to the third node, which has the tensor. */
        REDIRECT(6),
        /** Carries bytes of the tensor; none for an empty tensor. */
        DATA(7),
        /** Reports that the node has the whole tensor and can pass it on. */
        HOLDING(8),
        /** Releases the receiver's tensor, which nobody needs. Repeated until it is answered. */
        RELEASE(9),
        RELEASED(10);

        private final byte code;

        Kind(int code) {
            this.code = (byte) code;
        }

        private static Optional<Kind> of(byte code) {
            for (Kind kind : KINDS) {
                if (kind.code == code) {
                    return Optional.of(kind);
                }
            }
            return Optional.empty();
        }
    }

    /** Identifies a tensor in messages. */
    record TensorKey(long home, long id, long checksum, long bytes) {
        static TensorKey of(TensorRef ref) {
            return new TensorKey(number(ref.home()), ref.id(), ref.checksum(), ref.bytes());
        }
    }

    /** Returns the number of a node: FNV-1a of its name, never 0. */
    static long number(String node) {
        long hash = 0xcbf29ce484222325L;
        for (byte one : node.getBytes(StandardCharsets.UTF_8)) {
            hash = (hash ^ (one & 0xff)) * 0x100000001b3L;
        }
        return hash == EVERYONE ? 1 : hash;
    }

    /**
     * Returns the stream of a driver's shared memory that carries all messages for one node alone. Two nodes may share a
     * stream: each then skips the messages for the other.
     */
    static int stream(long node) {
        int folded = Long.hashCode(node);
        return folded == STREAM_OF_ALL ? folded + 1 : folded;
    }

    void write(MutableDirectBuffer at, int index) {
        at.putByte(index, VERSION);
        at.putByte(index + 1, kind.code);
        at.putShort(index + 2, (short) 0);
        at.putInt(index + 4, (int) tensor.checksum(), LITTLE_ENDIAN);
        at.putLong(index + 8, from, LITTLE_ENDIAN);
        at.putLong(index + 16, to, LITTLE_ENDIAN);
        at.putLong(index + 24, tensor.home(), LITTLE_ENDIAN);
        at.putLong(index + 32, tensor.id(), LITTLE_ENDIAN);
        at.putLong(index + 40, tensor.bytes(), LITTLE_ENDIAN);
        at.putLong(index + 48, offset, LITTLE_ENDIAN);
        at.putLong(index + 56, bytes, LITTLE_ENDIAN);
        at.putLong(index + 64, third, LITTLE_ENDIAN);
        at.setMemory(index + 72, BYTES - 72, (byte) 0);
    }

    /** Creates a message about a whole tensor. */
    static PlaneFrame of(Kind kind, long from, long to, TensorKey tensor) {
        return new PlaneFrame(kind, from, to, tensor, 0, 0, 0);
    }

    /** Returns this message about a range of the tensor. */
    PlaneFrame range(long first, long length) {
        return new PlaneFrame(kind, from, to, tensor, first, length, third);
    }

    /** Returns this message with a third node. */
    PlaneFrame naming(long node) {
        return new PlaneFrame(kind, from, to, tensor, offset, bytes, node);
    }

    /** Reads a frame; empty if it is not a message of this version. */
    static Optional<PlaneFrame> read(DirectBuffer at, int index, int length) {
        if (length < BYTES || at.getByte(index) != VERSION) {
            return Optional.empty();
        }
        TensorKey tensor = new TensorKey(
                at.getLong(index + 24, LITTLE_ENDIAN),
                at.getLong(index + 32, LITTLE_ENDIAN),
                Integer.toUnsignedLong(at.getInt(index + 4, LITTLE_ENDIAN)),
                at.getLong(index + 40, LITTLE_ENDIAN));
        return Kind.of(at.getByte(index + 1))
                .map(known -> new PlaneFrame(
                        known,
                        at.getLong(index + 8, LITTLE_ENDIAN),
                        at.getLong(index + 16, LITTLE_ENDIAN),
                        tensor,
                        at.getLong(index + 48, LITTLE_ENDIAN),
                        at.getLong(index + 56, LITTLE_ENDIAN),
                        at.getLong(index + 64, LITTLE_ENDIAN)));
    }
}
