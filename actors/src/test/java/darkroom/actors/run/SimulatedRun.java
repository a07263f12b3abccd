package darkroom.actors.run;

import darkroom.actors.events.RunEvent;
import darkroom.actors.events.RunState;
import darkroom.actors.events.StopWhen;
import darkroom.actors.workqueue.DevicePool;
import darkroom.config.RunSettings;
import java.time.Duration;
import java.time.InstantSource;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import org.apache.pekko.actor.testkit.typed.javadsl.ActorTestKit;
import org.apache.pekko.actor.testkit.typed.javadsl.TestProbe;
import org.apache.pekko.actor.typed.ActorRef;

/** A whole run with simulated devices, on real threads and in real time. */
public final class SimulatedRun extends RunFixture implements AutoCloseable {
    private final ExecutorService threads;
    private final ActorTestKit kit;
    final ActorRef<RunGuardian.Command> guardian;
    final TestProbe<RunEvent.Ended> ended;

    public SimulatedRun(ActorTestKit kit, RunSettings settings, StopWhen stopWhen) {
        this(kit, settings, stopWhen, Executors.newFixedThreadPool(3));
    }

    private SimulatedRun(ActorTestKit kit, RunSettings settings, StopWhen stopWhen, ExecutorService threads) {
        super(settings, stopWhen, threads, InstantSource.system());
        this.threads = threads;
        this.kit = kit;
        this.ended = kit.createTestProbe();
        this.guardian = kit.spawn(RunGuardian.create(settings, ports));
    }

    SimulatedRun with(DevicePool devicePool) {
        guardian.tell(new RunGuardian.Offer("here", devicePool));
        return this;
    }

    SimulatedRun with(int rolloutDevices, int trainerDevices) {
        return with(devicePool(rolloutDevices, trainerDevices));
    }

    SimulatedRun start(RunState from, int steps) {
        guardian.tell(new RunGuardian.Start(order(from, steps, null), ended.getRef()));
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
        kit.stop(guardian);
        threads.shutdownNow();
    }
}
