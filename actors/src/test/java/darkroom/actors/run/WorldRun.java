package darkroom.actors.run;

import darkroom.actors.device.FaultyDevice;
import darkroom.actors.device.Unit;
import darkroom.actors.events.RunEvent;
import darkroom.actors.events.StopWhen;
import darkroom.actors.events.WorkQueueEvent;
import darkroom.actors.workqueue.DevicePool;
import darkroom.actors.workqueue.UnreliableWorkQueue;
import darkroom.actors.workqueue.WorkQueues;
import darkroom.actors.workqueue.WorkerSupervisor;
import darkroom.config.RunSettings;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.apache.pekko.actor.testkit.typed.javadsl.TestInbox;
import org.apache.pekko.actor.typed.ActorRef;

/** A whole run with simulated devices in a {@link SimulatedWorld}. */
public final class WorldRun extends RunFixture implements AutoCloseable {
    private static final Duration LATE = Duration.ofMillis(40);

    final SimulatedWorld world;
    final ActorRef<RunGuardian.Command> guardian;
    final TestInbox<RunEvent.Ended> ended = TestInbox.create();
    final List<String> trace = new ArrayList<>();
    private final List<ActorRef<WorkerSupervisor.Command>> workerSupervisors = new ArrayList<>();

    public WorldRun(long worldSeed, RunSettings settings, StopWhen stopWhen) {
        this(new SimulatedWorld(worldSeed), settings, stopWhen);
    }

    private WorldRun(SimulatedWorld world, RunSettings settings, StopWhen stopWhen) {
        super(settings, stopWhen, world.late(LATE), world.clock());
        this.world = world;
        this.listener = this::traced;
        this.guardian = world.spawn(RunGuardian.create(settings, ports), "guardian");
    }

    void traced(Object what) {
        trace.add(world.now() + " " + what);
    }

    public WorldRun with(int rolloutDevices, int trainerDevices) {
        guardian.tell(new RunGuardian.Offer("here", devicePool(rolloutDevices, trainerDevices)));
        return this;
    }

    /** Adds devices on a separate node, behind a network. */
    WorldRun with(DevicePool devicePool, UnreliableWorkQueue.NetworkFaults networkFaults) {
        TestInbox<WorkQueues> introduced = TestInbox.create();
        guardian.tell(new RunGuardian.Introduce(introduced.getRef()));
        world.settle();
        WorkQueues near = introduced.receiveMessage();
        WorkQueues far = new WorkQueues(
                world.spawn(
                        UnreliableWorkQueue.create(near.rollout(), networkFaults, store::release), "far-draw-queue"),
                world.spawn(UnreliableWorkQueue.create(near.score(), networkFaults, store::release), "far-score-queue"),
                world.spawn(
                        UnreliableWorkQueue.create(near.train(), networkFaults, store::release), "far-train-queue"));
        TestInbox<WorkQueueEvent> events = TestInbox.create();
        workerSupervisors.add(world.spawn(
                WorkerSupervisor.create(devicePool.posts(far), settings.limits(), store::release, events.getRef()),
                "far-worker-supervisor"));
        return this;
    }

    /** Random faults of devices, with each attempt at a unit in the trace. */
    FaultyDevice.Plan<Unit> faults(double throwing, double failing, double hanging) {
        return unit -> {
            double dice = world.chance().nextDouble();
            FaultyDevice.Happening happening = dice < throwing
                    ? FaultyDevice.Happening.THROWS
                    : dice < throwing + failing
                            ? FaultyDevice.Happening.FAILS
                            : dice < throwing + failing + hanging
                                    ? FaultyDevice.Happening.HANGS
                                    : FaultyDevice.Happening.WELL;
            traced(happening + " " + unit.name());
            return happening;
        };
    }

    /** Crashes a worker at about this interval, until the run has ended. */
    WorldRun crashing(Duration about, List<String> deviceSlots) {
        Duration next = Duration.ofNanos(world.chance().nextLong(2 * about.toNanos()));
        world.after(next, () -> {
            if (!ended.hasMessages()) {
                String deviceSlot = deviceSlots.get(world.chance().nextInt(deviceSlots.size()));
                traced("crash " + deviceSlot);
                guardian.tell(new RunGuardian.Crash(deviceSlot));
                workerSupervisors.forEach(
                        workerSupervisor -> workerSupervisor.tell(new WorkerSupervisor.Crash(deviceSlot)));
                crashing(about, deviceSlots);
            }
        });
        return this;
    }

    WorldRun start(RunOrder order) {
        guardian.tell(new RunGuardian.Start(order, ended.getRef()));
        return this;
    }

    public WorldRun start(int steps) {
        return start(order(fresh(), steps, null));
    }

    /** Lets time pass until the run has ended, at most a day, and then until pending messages have arrived. */
    public RunEvent.Ended toTheEnd() {
        if (!world.runUntil(ended::hasMessages, Duration.ofDays(1))) {
            throw new AssertionError("the run hangs at " + world.now() + "; last of the trace:\n"
                    + String.join("\n", trace.subList(Math.max(0, trace.size() - 30), trace.size())));
        }
        RunEvent.Ended end = ended.receiveMessage();
        world.pass(Duration.ofSeconds(2));
        return end;
    }

    @Override
    public void close() {
        world.close();
    }
}
