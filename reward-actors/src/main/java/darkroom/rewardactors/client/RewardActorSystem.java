package darkroom.rewardactors.client;

import com.typesafe.config.ConfigFactory;
import java.util.concurrent.atomic.AtomicBoolean;
import org.apache.pekko.actor.typed.ActorRef;
import org.apache.pekko.actor.typed.ActorSystem;
import org.apache.pekko.actor.typed.Behavior;
import org.apache.pekko.actor.typed.Props;
import org.apache.pekko.actor.typed.Scheduler;
import org.apache.pekko.actor.typed.javadsl.Behaviors;
import org.jspecify.annotations.Nullable;

/**
 * A share of the one actor system in which the reward actors of this process live. The first share starts the system, and the
 * last one that is closed ends it. The system is local: nothing outside this process reaches it, with or without a cluster.
 */
final class RewardActorSystem implements AutoCloseable {
    private static final String NAME = "rewards";
    private static @Nullable ActorSystem<Void> running;
    private static int shares;
    private static long spawned;

    private final ActorSystem<Void> system;
    private final AtomicBoolean closed = new AtomicBoolean();

    private RewardActorSystem(ActorSystem<Void> system) {
        this.system = system;
    }

    static RewardActorSystem open() {
        synchronized (RewardActorSystem.class) {
            ActorSystem<Void> system = running;
            if (system == null) {
                system = ActorSystem.create(
                        Behaviors.empty(),
                        NAME,
                        ConfigFactory.parseResources(RewardActorSystem.class, "rewards.conf")
                                .withFallback(ConfigFactory.defaultReference())
                                .resolve());
                running = system;
            }
            shares++;
            return new RewardActorSystem(system);
        }
    }

    <T> ActorRef<T> spawn(Behavior<T> behavior, String name) {
        long number;
        synchronized (RewardActorSystem.class) {
            number = ++spawned;
        }
        return system.systemActorOf(behavior, name + "-" + number, Props.empty());
    }

    Scheduler scheduler() {
        return system.scheduler();
    }

    /** Returns the share; actors that it spawned end at the latest with the system. Further calls have no effect. */
    @Override
    public void close() {
        if (!closed.compareAndSet(false, true)) {
            return;
        }
        synchronized (RewardActorSystem.class) {
            shares--;
            if (shares == 0) {
                system.terminate();
                running = null;
            }
        }
    }
}
