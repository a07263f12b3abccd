package darkroom.runtime.bench;

import com.typesafe.config.Config;
import com.typesafe.config.ConfigFactory;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.function.Supplier;
import org.apache.pekko.actor.typed.ActorRef;
import org.apache.pekko.actor.typed.ActorRefResolver;
import org.apache.pekko.actor.typed.ActorSystem;
import org.apache.pekko.actor.typed.Behavior;
import org.apache.pekko.actor.typed.Props;
import org.apache.pekko.actor.typed.javadsl.ActorContext;
import org.apache.pekko.actor.typed.javadsl.Behaviors;
import org.jspecify.annotations.Nullable;

/**
 * Tensors in actor messages, the alternative to a tensor plane: byte arrays by Artery over TCP, and credits, because
 * tell has no back-pressure. For measurements only; no tensor of a run is ever in a message.
 */
final class ArteryTensors implements AutoCloseable {
    private static final int CREDITS = 16;

    private final ActorSystem<Object> system;
    private final int chunkBytes;

    /** @param chunkBytes of a message; Artery's frames are slightly larger */
    ArteryTensors(String name, int chunkBytes, Supplier<MemorySegment> tensor) {
        this.chunkBytes = chunkBytes;
        Config config =
                ConfigFactory.parseString("""
                    pekko.actor.provider = remote
                    pekko.remote.artery.canonical { hostname = "127.0.0.1", port = 0 }
                    pekko.remote.artery.advanced.maximum-frame-size = %d
                    pekko.remote.artery.advanced.inbound-lanes = 1
                    pekko.remote.warn-about-direct-use = off
                    pekko.remote.use-unsafe-remote-features-outside-cluster = on
                    pekko.remote.warn-unsafe-watch-outside-cluster = off
                    pekko.loglevel = WARNING
                    pekko.coordinated-shutdown.exit-jvm = off
                    """.formatted(chunkBytes + 4096)).withFallback(ConfigFactory.load());
        system = ActorSystem.create(Behaviors.setup(context -> source(context, tensor)), name, config);
    }

    /** Returns the address at which the other process reaches the sender here. */
    String address() {
        return ActorRefResolver.get(system).toSerializationFormat(system);
    }

    private Behavior<Object> source(ActorContext<Object> context, Supplier<MemorySegment> tensor) {
        ActorRefResolver resolver = ActorRefResolver.get(context.getSystem());
        return new Object() {
            private @Nullable ActorRef<Object> sink;
            private MemorySegment bytes = MemorySegment.NULL;
            private long sent;

            Behavior<Object> heard(Object message) {
                if (message instanceof String asking) {
                    sink = resolver.resolveActorRef(asking);
                    bytes = tensor.get();
                    sent = 0;
                }
                int credits = message instanceof Integer granted ? granted : CREDITS;
                for (int i = 0; i < credits && sent < bytes.byteSize() && sink != null; i++) {
                    int length = (int) Math.min(chunkBytes, bytes.byteSize() - sent);
                    byte[] chunk = new byte[length];
                    MemorySegment.copy(bytes, ValueLayout.JAVA_BYTE, sent, chunk, 0, length);
                    sink.tell(chunk);
                    sent += length;
                }
                return Behaviors.same();
            }

            Behavior<Object> behavior() {
                return Behaviors.receiveMessage(this::heard);
            }
        }.behavior();
    }

    /** Requests a tensor from the sender at an address; completes when all of it is in the target. */
    CompletionStage<Void> take(String address, MemorySegment target) {
        CompletableFuture<Void> taken = new CompletableFuture<>();
        ActorRefResolver resolver = ActorRefResolver.get(system);
        ActorRef<Object> source = resolver.resolveActorRef(address);
        ActorRef<Object> sink = system.systemActorOf(
                sink(source, target, taken), "sink-" + Long.toHexString(System.nanoTime()), Props.empty());
        source.tell(resolver.toSerializationFormat(sink));
        return taken;
    }

    private static Behavior<Object> sink(ActorRef<Object> source, MemorySegment target, CompletableFuture<Void> taken) {
        return new Object() {
            private long received;
            private int unanswered;

            Behavior<Object> heard(Object message) {
                byte[] chunk = (byte[]) message;
                MemorySegment.copy(chunk, 0, target, ValueLayout.JAVA_BYTE, received, chunk.length);
                received += chunk.length;
                unanswered++;
                if (received == target.byteSize()) {
                    taken.complete(null);
                    return Behaviors.stopped();
                }
                if (unanswered == CREDITS / 4) {
                    source.tell(unanswered);
                    unanswered = 0;
                }
                return Behaviors.same();
            }

            Behavior<Object> behavior() {
                return Behaviors.receiveMessage(this::heard);
            }
        }.behavior();
    }

    @Override
    public void close() {
        system.terminate();
        system.getWhenTerminated().toCompletableFuture().join();
    }
}
