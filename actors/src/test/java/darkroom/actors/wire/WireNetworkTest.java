package darkroom.actors.wire;

import static org.assertj.core.api.Assertions.assertThat;

import com.typesafe.config.Config;
import com.typesafe.config.ConfigFactory;
import darkroom.actors.cluster.NodeAgent;
import darkroom.actors.cluster.NodeRegistry;
import darkroom.actors.device.WireMessage;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import org.apache.pekko.actor.typed.ActorRef;
import org.apache.pekko.actor.typed.ActorRefResolver;
import org.apache.pekko.actor.typed.ActorSystem;
import org.apache.pekko.actor.typed.Behavior;
import org.apache.pekko.actor.typed.javadsl.Behaviors;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** Tests two actor systems that communicate over TCP on loopback. */
class WireNetworkTest {
    private static final long PATIENCE_SECONDS = 30;
    private static final Config SETTINGS = WireVersion.settings("test")
            .withFallback(ConfigFactory.parseString("""
                pekko.actor.provider = remote
                pekko.remote.artery {
                  transport = tcp
                  canonical { hostname = "127.0.0.1", port = 0 }
                  advanced.maximum-frame-size = 1 MiB
                }
                """))
            .withFallback(ConfigFactory.load());

    private final BlockingQueue<Object> heard = new LinkedBlockingQueue<>();
    private final ActorSystem<Object> here = ActorSystem.create(
            Behaviors.receiveMessage(message -> {
                heard.add(message);
                return Behaviors.same();
            }),
            "wire",
            SETTINGS);
    private final ActorSystem<Object> there = ActorSystem.create(echo(overThere(here)), "wire", SETTINGS);

    @AfterEach
    void bothEnd() {
        there.terminate();
        here.terminate();
    }

    /** Returns the address of this system's guardian for another system. */
    private static String overThere(ActorSystem<Object> system) {
        return ActorRefResolver.get(system).toSerializationFormat(system);
    }

    private static Behavior<Object> echo(String address) {
        return Behaviors.setup(context -> {
            ActorRef<Object> other = ActorRefResolver.get(context.getSystem()).resolveActorRef(address);
            return Behaviors.receiveMessage(message -> {
                other.tell(message);
                return Behaviors.same();
            });
        });
    }

    @Test
    void every_message_goes_there_and_comes_back_the_same_and_no_other_is_sent() throws InterruptedException {
        ActorRefResolver refs = ActorRefResolver.get(here);
        ActorRef<Object> echo = refs.resolveActorRef(overThere(there));
        List<Object> sent = new ArrayList<>();
        echo.tell(new NodeRegistry.Close("stays here"));
        for (WireMessage message : WireSamples.all(refs).values()) {
            echo.tell(message);
            sent.add(message);
        }
        List<Object> back = new ArrayList<>();
        while (back.size() < sent.size()) {
            Object next = heard.poll(PATIENCE_SECONDS, TimeUnit.SECONDS);
            assertThat(next).as("an echo after %s", back).isNotNull();
            back.add(next);
        }
        assertThat(back).isEqualTo(sent);
    }

    @Test
    void the_largest_message_fits_into_a_frame() throws InterruptedException {
        ActorRef<Object> echo = ActorRefResolver.get(here).resolveActorRef(overThere(there));
        NodeAgent.Dismissed most = new NodeAgent.Dismissed("a".repeat(WireSerializer.MESSAGE_BYTES_MAX - 5));
        echo.tell(most);
        assertThat(heard.poll(PATIENCE_SECONDS, TimeUnit.SECONDS)).isEqualTo(most);
    }
}
