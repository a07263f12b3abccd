package darkroom.actors;

import static org.assertj.core.api.Assertions.assertThat;

import darkroom.config.RunSettings;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.SplittableRandom;
import java.util.function.Supplier;
import org.apache.pekko.actor.testkit.typed.javadsl.TestInbox;
import org.apache.pekko.actor.typed.ActorRef;
import org.apache.pekko.actor.typed.Behavior;
import org.apache.pekko.actor.typed.javadsl.Behaviors;

/**
 * A whole run on a cluster in a {@link SimulatedWorld}: the node {@code here} supervises and has no devices; others join,
 * work, leave, die, fall silent and come back. Between any two of them messages and tensors are lost, repeated and late.
 */
final class ClusterRun extends RunFixture implements AutoCloseable {
    static final Duration SILENT_AFTER = Duration.ofMillis(300);
    static final Duration DRAIN_TIME = Duration.ofMillis(600);
    private static final Duration LATE = Duration.ofMillis(10);
    private static final Duration WORK = Duration.ofMillis(30);
    private static final int NODES_MAX = 5;

    final SimulatedWorld world;
    final SimulatedNetwork network;
    final ActorRef<Studio.Command> studio;
    final ActorRef<Gate.Command> gate;
    final TestInbox<RunEvent.Ended> ended = TestInbox.create();
    final TestInbox<RunEvent> events = TestInbox.create();
    final List<String> trace = new ArrayList<>();

    /** Nodes that live, by name. */
    final Map<String, Node> nodes = new LinkedHashMap<>();

    private final Desks desks;
    private final SplittableRandom chance;
    private int nodesMade;
    private boolean over;

    ClusterRun(long worldSeed, RunSettings settings) {
        this(new SimulatedWorld(worldSeed), settings);
    }

    private ClusterRun(SimulatedWorld world, RunSettings settings) {
        this(world, settings, new SimulatedNetwork(world, weather(world, 0.02)));
    }

    private ClusterRun(SimulatedWorld world, RunSettings settings, SimulatedNetwork network) {
        super(settings, StopWhen.NEVER, Runnable::run, world.clock(), store -> network.join("here", store));
        this.world = world;
        this.network = network;
        this.chance = world.chance();
        this.studio = world.spawn(Studio.create(settings, ports), "studio");
        TestInbox<Desks> introduced = TestInbox.create();
        studio.tell(new Studio.Introduce(introduced.getRef()));
        world.settle();
        this.desks = introduced.receiveMessage();
        SimulatedTensorPlane plane = (SimulatedTensorPlane) ports.plane();
        this.gate = world.spawn(
                Gate.create(
                        card("here"),
                        "settings",
                        desks,
                        settings.limits(),
                        SILENT_AFTER,
                        plane::peers,
                        events.getRef()),
                "gate");
        this.listener = this::hear;
    }

    private static UnreliableDesk.Weather weather(SimulatedWorld world, double lost) {
        return new UnreliableDesk.Weather(world.chance(), lost, 0.05, LATE);
    }

    private static NodeCard card(String node) {
        return new NodeCard(node, List.of(), "processor", "build", SimulatedNetwork.peer(node), "");
    }

    /** What is committed is over everywhere, and so is everything once the run has ended. */
    private void hear(RunEvent event) {
        traced(event);
        switch (event) {
            case RunEvent.StepCommitted committed ->
                gate.tell(new Gate.StepOver("run", committed.state().step()));
            case RunEvent.Ended _ -> {
                over = true;
                gate.tell(new Gate.StepOver("run", Integer.MAX_VALUE));
            }
            default -> {}
        }
    }

    void traced(Object what) {
        trace.add(world.now() + " " + what);
    }

    /** A process of its own, with a store of its own. */
    final class Node implements NodeAgent.Host {
        final String name;
        final SimulatedTensorPlane plane;
        private final int rollout;
        private final int reward;
        private final int trainer;
        private final SimulatedDevices devices;
        private final ActorRef<Optional<NodeAgent.Command>> process;
        private ResultSweep sweep;
        private int crews;

        Node(String name, int rollout, int reward, int trainer) {
            this.name = name;
            this.rollout = rollout;
            this.reward = reward;
            this.trainer = trainer;
            this.plane = network.join(name, new OffHeapTensorStore(name, 1 << 24));
            this.sweep = new ResultSweep(plane.own()::release);
            this.devices = new SimulatedDevices(plane.store(), PARAMETERS, world.late(WORK));
            UnreliableDesk.Weather weather =
                    new UnreliableDesk.Weather(chance, 0.03, 0.05, LATE, () -> network.silent(name));
            Desks far = new Desks(
                    world.spawn(UnreliableDesk.create(desks.draw(), weather, _ -> {}), name + "-draw"),
                    world.spawn(UnreliableDesk.create(desks.score(), weather, _ -> {}), name + "-score"),
                    world.spawn(UnreliableDesk.create(desks.train(), weather, _ -> {}), name + "-train"));
            ActorRef<Gate.Command> farGate = world.spawn(UnreliableGate.create(gate, far, weather), name + "-gate");
            this.process = world.spawn(
                    process(NodeAgent.create(
                            card(name), settings.limits(), DRAIN_TIME, Optional.empty(), this, plane.store()::release)),
                    name);
            process.tell(Optional.of(new NodeAgent.GateAt(Optional.of(farGate))));
        }

        void leave() {
            traced(name + " leaves");
            process.tell(Optional.of(new NodeAgent.Leave("told to")));
        }

        void die() {
            traced(name + " dies");
            process.tell(Optional.empty());
            gone();
        }

        void silentFor(Duration time) {
            traced(name + " is silent for " + time);
            network.silence(name);
            world.after(time, () -> network.mend(name));
        }

        private void gone() {
            network.die(name);
            nodes.remove(name);
        }

        /** How many times it was given work. */
        int crews() {
            return crews;
        }

        @Override
        public Crew crew(String settings) {
            crews++;
            sweep.close();
            sweep = new ResultSweep(plane.own()::release);
            return new Crew(
                    seats("rollout", rollout, devices::rollout),
                    seats("reward", reward, () -> devices.reward(9)),
                    seats("trainer", trainer, devices::trainer));
        }

        private <U extends Unit, R extends Result> List<DeviceSeat<U, R>> seats(
                String role, int count, Supplier<Device<U, R>> device) {
            ResultSweep now = sweep;
            List<DeviceSeat<U, R>> seats = new ArrayList<>();
            for (int i = 0; i < count; i++) {
                seats.add(new DeviceSeat<>(
                        role + "-" + i,
                        () -> now.over(new FetchingDevice<>(
                                plane, new FaultyDevice<>(device.get(), plane.store(), this::happening)))));
            }
            return seats;
        }

        private FaultyDevice.Happening happening(Unit unit) {
            traced(name + " " + unit.name());
            double dice = chance.nextDouble();
            return dice < 0.01
                    ? FaultyDevice.Happening.THROWS
                    : dice < 0.02
                            ? FaultyDevice.Happening.FAILS
                            : dice < 0.023 ? FaultyDevice.Happening.HANGS : FaultyDevice.Happening.WELL;
        }

        @Override
        public void peers(Roster roster) {
            plane.peers(roster.peers());
        }

        @Override
        public void stepOver(String run, int step) {
            sweep.stepOver(run, step);
        }

        @Override
        public long bytesHeld() {
            return plane.own().bytesHeld();
        }

        @Override
        public void ended(NodeAgent.Ending ending) {
            traced(name + " ended: " + ending);
            gone();
        }
    }

    /** What runs in a process ends with it, at once and without a word. */
    private static <T> Behavior<Optional<T>> process(Behavior<T> inside) {
        return Behaviors.setup(context -> {
            ActorRef<T> child = context.spawn(inside, "agent");
            return Behaviors.receiveMessage(word -> {
                word.ifPresent(child::tell);
                return word.isPresent() ? Behaviors.same() : Behaviors.stopped();
            });
        });
    }

    Node join(int rollout, int reward, int trainer) {
        Node node = new Node("node-" + ++nodesMade, rollout, reward, trainer);
        traced("%s comes with %d, %d, %d devices".formatted(node.name, rollout, reward, trainer));
        nodes.put(node.name, node);
        return node;
    }

    /** About that often something happens to a node, until the run has ended. */
    ClusterRun churning(Duration about) {
        world.after(Duration.ofNanos(chance.nextLong(2 * about.toNanos())), () -> {
            if (!over) {
                churn();
                churning(about);
            }
        });
        return this;
    }

    private void churn() {
        int dice = chance.nextInt(10);
        if (nodes.size() < 2 || (dice < 4 && nodes.size() < NODES_MAX)) {
            join(chance.nextInt(3), chance.nextInt(2), chance.nextInt(3));
            return;
        }
        Node node = List.copyOf(nodes.values()).get(chance.nextInt(nodes.size()));
        if (dice < 6) {
            node.leave();
        } else if (dice < 8) {
            node.die();
        } else {
            node.silentFor(Duration.ofMillis(chance.nextLong(1000)));
        }
    }

    ClusterRun start(int steps) {
        studio.tell(new Studio.Start(order(fresh(), steps, null), ended.getRef()));
        return this;
    }

    /** Lets time pass until the run has ended, at most five minutes, and then until whoever was silent has heard of it. */
    RunEvent.Ended toTheEnd() {
        if (!world.runUntil(ended::hasMessages, Duration.ofMinutes(5))) {
            throw new AssertionError("the run hangs at " + world.now() + "; last of the trace:\n"
                    + String.join("\n", trace.subList(Math.max(0, trace.size() - 40), trace.size())));
        }
        RunEvent.Ended end = ended.receiveMessage();
        world.pass(Duration.ofSeconds(3));
        return end;
    }

    /** Nothing is left on any node that lives but the ended state, which is this node's. */
    void assertNothingLeft(RunEvent.Ended end) {
        assertThat(promptsAlive).hasValue(0);
        for (Node node : nodes.values()) {
            assertThat(node.bytesHeld()).as("bytes left on %s", node.name).isZero();
        }
        assertThat(store.tensorsHeld()).isEqualTo(end.state().tensors().size());
        end.state().tensors().forEach(store::release);
        assertThat(store.bytesHeld()).isZero();
    }

    @Override
    public void close() {
        over = true;
        world.close();
    }
}
