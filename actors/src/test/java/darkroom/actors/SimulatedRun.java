package darkroom.actors;

import darkroom.config.RunSettings;
import java.time.Duration;
import java.time.InstantSource;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import org.apache.pekko.actor.testkit.typed.javadsl.ActorTestKit;
import org.apache.pekko.actor.testkit.typed.javadsl.TestProbe;
import org.apache.pekko.actor.typed.ActorRef;

/** A whole run with simulated devices, on real threads and in real time. */
final class SimulatedRun extends RunFixture implements AutoCloseable {
    private final ExecutorService threads;
    private final ActorTestKit kit;
    final ActorRef<Studio.Command> studio;
    final TestProbe<RunEvent.Ended> ended;

    SimulatedRun(ActorTestKit kit, RunSettings settings, StopWhen stopWhen) {
        this(kit, settings, stopWhen, Executors.newFixedThreadPool(3));
    }

    private SimulatedRun(ActorTestKit kit, RunSettings settings, StopWhen stopWhen, ExecutorService threads) {
        super(settings, stopWhen, threads, InstantSource.system());
        this.threads = threads;
        this.kit = kit;
        this.ended = kit.createTestProbe();
        this.studio = kit.spawn(Studio.create(settings, ports));
    }

    SimulatedRun with(Crew crew) {
        studio.tell(new Studio.Offer("here", crew));
        return this;
    }

    SimulatedRun with(int rolloutDevices, int trainerDevices) {
        return with(crew(rolloutDevices, trainerDevices));
    }

    SimulatedRun start(RunState from, int steps) {
        studio.tell(new Studio.Start(order(from, steps, null), ended.getRef()));
        return this;
    }

    SimulatedRun start(int steps) {
        return start(fresh(), steps);
    }

    RunEvent.Ended awaitEnd() {
        return ended.expectMessageClass(RunEvent.Ended.class, Duration.ofSeconds(30));
    }

    @Override
    public void close() {
        kit.stop(studio);
        threads.shutdownNow();
    }
}
