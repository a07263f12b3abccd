package darkroom.actors;

import static java.nio.ByteOrder.LITTLE_ENDIAN;

import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Optional;
import org.agrona.DirectBuffer;
import org.agrona.MutableDirectBuffer;

/**
 * What planes say to each other, {@link #BYTES} long, little endian. In {@code DATA} a chunk follows, and ends the message;
 * of everything else a message holds one or several. One message is one Aeron fragment, so nothing is ever put together
 * again.
 *
 * @param kind what is said
 * @param from who says it, as a number ({@link #number})
 * @param to to whom; {@link #EVERYONE} reads it on a shared publication
 * @param tensor about which tensor
 * @param offset first byte that is meant; in a request {@link #ANYWHERE} if none has arrived yet
 * @param bytes in a request, those that are missing; in data, those of the chunk
 * @param third a third node: in a request a peer that did not have the tensor, in a redirection the one that does; 0: none
 */
record PlaneFrame(Kind kind, long from, long to, TensorKey tensor, long offset, long bytes, long third) {
    /** A multiple of a cache line together with Aeron's own 32, so that chunks lie as well as their target does. */
    static final int BYTES = 96;

    static final long EVERYONE = 0;
    static final long ANYWHERE = -1;

    /** The stream that every node of a driver reads, and the only one of a UDP address. */
    static final int STREAM_OF_ALL = 1;

    private static final byte VERSION = 2;
    private static final List<Kind> KINDS = List.of(Kind.values());

    enum Kind {
        /** Send me this tensor, from this byte on, round to what I have. Said again whenever nothing comes. */
        REQUEST(1),
        /** As REQUEST; what I got did not match its checksum, so look at yours first. */
        REQUEST_CHECKED(2),
        /** I have it; others are first. */
        QUEUED(4),
        /** I do not have it. */
        ABSENT(5),
        /** Ask the third node, which has it. */
        REDIRECT(6),
        /** Bytes of it; none of a tensor that has none. */
        DATA(7),
        /** I have all of it and can pass it on. */
        HOLDING(8),
        /** Your tensor is not needed by anyone. Said again until it is answered. */
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

    /** What a tensor is called on the wire. */
    record TensorKey(long home, long id, long checksum, long bytes) {
        static TensorKey of(TensorRef ref) {
            return new TensorKey(number(ref.home()), ref.id(), ref.checksum(), ref.bytes());
        }
    }

    /** The number of a node: FNV-1a of its name, never 0. */
    static long number(String node) {
        long hash = 0xcbf29ce484222325L;
        for (byte one : node.getBytes(StandardCharsets.UTF_8)) {
            hash = (hash ^ (one & 0xff)) * 0x100000001b3L;
        }
        return hash == EVERYONE ? 1 : hash;
    }

    /**
     * The stream of a driver's shared memory on which everything for one node alone is said. Two nodes may have the same:
     * each then reads what the other is told, and passes it over.
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

    /** Empty where it is no message of this version. */
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
