package darkroom.actors;

import darkroom.config.RunSettings;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.apache.pekko.actor.testkit.typed.javadsl.TestInbox;
import org.apache.pekko.actor.typed.ActorRef;

/** A whole run with simulated devices in a {@link SimulatedWorld}. */
final class WorldRun extends RunFixture implements AutoCloseable {
    private static final Duration LATE = Duration.ofMillis(40);

    final SimulatedWorld world;
    final ActorRef<Studio.Command> studio;
    final TestInbox<RunEvent.Ended> ended = TestInbox.create();
    final List<String> trace = new ArrayList<>();
    private final List<ActorRef<NodeWarden.Command>> wardens = new ArrayList<>();

    WorldRun(long worldSeed, RunSettings settings, StopWhen stopWhen) {
        this(new SimulatedWorld(worldSeed), settings, stopWhen);
    }

    private WorldRun(SimulatedWorld world, RunSettings settings, StopWhen stopWhen) {
        super(settings, stopWhen, world.late(LATE), world.clock());
        this.world = world;
        this.listener = this::traced;
        this.studio = world.spawn(Studio.create(settings, ports), "studio");
    }

    void traced(Object what) {
        trace.add(world.now() + " " + what);
    }

    WorldRun with(int rolloutDevices, int trainerDevices) {
        studio.tell(new Studio.Offer("here", crew(rolloutDevices, trainerDevices)));
        return this;
    }

    /** Devices on a node of their own, behind a network. */
    WorldRun with(Crew crew, UnreliableDesk.Weather weather) {
        TestInbox<Desks> introduced = TestInbox.create();
        studio.tell(new Studio.Introduce(introduced.getRef()));
        world.settle();
        Desks near = introduced.receiveMessage();
        Desks far = new Desks(
                world.spawn(UnreliableDesk.create(near.draw(), weather, store::release), "far-draw-desk"),
                world.spawn(UnreliableDesk.create(near.score(), weather, store::release), "far-score-desk"),
                world.spawn(UnreliableDesk.create(near.train(), weather, store::release), "far-train-desk"));
        TestInbox<DeskEvent> events = TestInbox.create();
        wardens.add(world.spawn(
                NodeWarden.create(crew.posts(far), settings.limits(), store::release, events.getRef()), "far-warden"));
        return this;
    }

    /** Faults of devices by chance, each attempt at a unit in the trace. */
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

    /** Crashes a worker about that often, until the run has ended. */
    WorldRun crashing(Duration about, List<String> seats) {
        Duration next = Duration.ofNanos(world.chance().nextLong(2 * about.toNanos()));
        world.after(next, () -> {
            if (!ended.hasMessages()) {
                String seat = seats.get(world.chance().nextInt(seats.size()));
                traced("crash " + seat);
                studio.tell(new Studio.Crash(seat));
                wardens.forEach(warden -> warden.tell(new NodeWarden.Crash(seat)));
                crashing(about, seats);
            }
        });
        return this;
    }

    WorldRun start(RunOrder order) {
        studio.tell(new Studio.Start(order, ended.getRef()));
        return this;
    }

    WorldRun start(int steps) {
        return start(order(fresh(), steps, null));
    }

    /** Lets time pass until the run has ended, at most a day, and then what is on its way arrive. */
    RunEvent.Ended toTheEnd() {
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
