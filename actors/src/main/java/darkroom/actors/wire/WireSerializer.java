package darkroom.actors.wire;

import com.esotericsoftware.kryo.Kryo;
import com.esotericsoftware.kryo.Registration;
import com.esotericsoftware.kryo.io.Input;
import com.esotericsoftware.kryo.io.Output;
import com.esotericsoftware.kryo.util.DefaultClassResolver;
import com.esotericsoftware.kryo.util.Pool;
import darkroom.actors.device.WireMessage;
import darkroom.config.ErrorReason;
import java.nio.ByteBuffer;
import org.apache.pekko.actor.ExtendedActorSystem;
import org.apache.pekko.actor.typed.ActorRefResolver;
import org.apache.pekko.actor.typed.javadsl.Adapter;
import org.apache.pekko.serialization.ByteBufferSerializer;
import org.apache.pekko.serialization.JSerializer;
import org.jspecify.annotations.Nullable;

/**
 * Serializes {@link WireMessage}s for Artery.
 *
 * <ul>
 *   <li><b>WF-1</b> A message that is read equals the one that was written.
 *   <li><b>WF-2</b> Equal messages have equal bytes, in every process.
 *   <li><b>WF-3</b> Bytes that no writer produced give a {@link WireException}: no partial message, and no more memory than
 *       a small multiple of their size.
 *   <li><b>WF-4</b> A message of more than {@value #MESSAGE_BYTES_MAX} bytes is refused by the sender.
 *   <li><b>WF-5</b> Only marked {@link WireMessage}s are written or read.
 * </ul>
 */
final class WireSerializer extends JSerializer implements ByteBufferSerializer {
    /**
     * Maximum message size; leaves room for the envelope in a frame of 1 MiB,
     * {@code pekko.remote.artery.advanced.maximum-frame-size}.
     */
    static final int MESSAGE_BYTES_MAX = 960 << 10;

    /** Serializer identifier; those of Pekko are below 40. */
    private static final int IDENTIFIER = 41_001;

    private static final int BYTES_AT_FIRST = 512;
    private static final int DEPTH_MAX = 16;
    private static final int IDLE_MAX = 16;

    private final ExtendedActorSystem system;
    private final WireTypes.Layout anyMessage = WireTypes.oneOf(WireMessage.class);
    private final Pool<Codec> idle = new Pool<>(true, false, IDLE_MAX) {
        @Override
        protected Codec create() {
            return codec();
        }
    };

    /**
     * @param types per-message state shared by {@code kryo}'s serializers
     */
    private record Codec(Kryo kryo, WireTypes types) {}

    /** Called by Pekko, which names the class in its settings. */
    WireSerializer(ExtendedActorSystem system) {
        this.system = system;
    }

    @Override
    public int identifier() {
        return IDENTIFIER;
    }

    @Override
    public boolean includeManifest() {
        return false;
    }

    @Override
    public byte[] toBinary(Object message) {
        return written(message).toBytes();
    }

    /**
     * Writes a message into a buffer.
     *
     * @throws java.nio.BufferOverflowException if {@code to} is too small, which Artery expects
     */
    @Override
    public void toBinary(Object message, ByteBuffer to) {
        Output written = written(message);
        to.put(written.getBuffer(), 0, written.position());
    }

    @Override
    public Object fromBinaryJava(byte[] bytes, @Nullable Class<?> manifest) {
        Codec codec = idle.obtain();
        Input from = new Input(bytes);
        try {
            Object message = anyMessage.read(codec.kryo(), from);
            if (from.position() < bytes.length) {
                throw new WireException("the message ends here");
            }
            return message;
        } catch (RuntimeException unreadable) { // WF-3
            throw new WireException(
                    "%d bytes are no message of wire version %d, from byte %d on: %s"
                            .formatted(bytes.length, WireVersion.CURRENT, from.position(), ErrorReason.of(unreadable)),
                    unreadable);
        } finally {
            codec.types().forget();
            idle.free(codec);
        }
    }

    @Override
    public Object fromBinary(ByteBuffer from, String manifest) {
        byte[] bytes = new byte[from.remaining()];
        from.get(bytes);
        return fromBinaryJava(bytes, null);
    }

    private Output written(Object message) {
        if (!(message instanceof WireMessage)) { // WF-5
            throw new WireException(
                    message.getClass().getName() + " does not cross from node to node: WireMessage lists what does");
        }
        Codec codec = idle.obtain();
        try {
            Output written = new Output(BYTES_AT_FIRST, -1);
            anyMessage.write(codec.kryo(), written, message);
            if (written.position() > MESSAGE_BYTES_MAX) { // WF-4
                throw new WireException("a %s has %d bytes, and a message between nodes at most %d"
                        .formatted(message.getClass().getName(), written.position(), MESSAGE_BYTES_MAX));
            }
            return written;
        } finally {
            codec.types().forget();
            idle.free(codec);
        }
    }

    private Codec codec() {
        Kryo kryo = new Kryo(new Numbered(), null);
        kryo.setRegistrationRequired(true);
        kryo.setMaxDepth(DEPTH_MAX);
        WireTypes types = new WireTypes(ActorRefResolver.get(Adapter.toTyped(system)));
        WireClasses.BY_ID.forEach((id, type) -> kryo.register(type, types.serializer(type), id));
        return new Codec(kryo, types);
    }

    /** Rejects classes by name, which Kryo would also accept; no writer sends one. */
    private static final class Numbered extends DefaultClassResolver {
        @Override
        protected Registration readName(Input from) {
            throw new WireException("a class by name");
        }
    }
}
