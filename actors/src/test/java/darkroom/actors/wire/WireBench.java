package darkroom.actors.wire;

import com.typesafe.config.ConfigFactory;
import darkroom.actors.device.WireMessage;
import java.io.NotSerializableException;
import org.apache.pekko.actor.typed.ActorRefResolver;
import org.apache.pekko.actor.typed.ActorSystem;
import org.apache.pekko.actor.typed.javadsl.Adapter;
import org.apache.pekko.actor.typed.javadsl.Behaviors;
import org.apache.pekko.serialization.Serialization;
import org.apache.pekko.serialization.SerializationExtension;

/** An actor system with the settings of a node, and no actors. */
final class WireBench implements AutoCloseable {
    private final ActorSystem<Void> system = ActorSystem.create(
            Behaviors.empty(), "wire", WireVersion.settings("test").withFallback(ConfigFactory.load()));

    ActorRefResolver refs() {
        return ActorRefResolver.get(system);
    }

    Serialization serialization() {
        return SerializationExtension.get(Adapter.toClassic(system));
    }

    /** Returns the serializer that Pekko finds for messages between nodes. */
    WireSerializer serializer() {
        try {
            return (WireSerializer) serialization().serializerFor(WireMessage.class);
        } catch (NotSerializableException unbound) {
            throw new AssertionError("the settings bind no serializer", unbound);
        }
    }

    @Override
    public void close() {
        system.terminate();
    }
}
