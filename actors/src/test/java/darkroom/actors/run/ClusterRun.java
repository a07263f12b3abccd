package darkroom.actors.run;

import static org.assertj.core.api.Assertions.assertThat;

import darkroom.actors.cluster.NodeAgent;
import darkroom.actors.cluster.NodeRegistry;
import darkroom.actors.cluster.Roster;
import darkroom.actors.cluster.UnreliableNodeRegistry;
import darkroom.actors.device.Device;
import darkroom.actors.device.FaultyDevice;
import darkroom.actors.device.FetchingDevice;
import darkroom.actors.device.Result;
import darkroom.actors.device.SimulatedDevices;
import darkroom.actors.device.Unit;
import darkroom.actors.events.NodeCard;
import darkroom.actors.events.RunEvent;
import darkroom.actors.events.StopWhen;
import darkroom.actors.events.WorkQueueEvent;
import darkroom.actors.workqueue.DevicePool;
import darkroom.actors.workqueue.DeviceSlot;
import darkroom.actors.workqueue.UnreliableWorkQueue;
import darkroom.actors.workqueue.WorkQueues;
import darkroom.config.RunSettings;
import darkroom.tensors.OffHeapTensorStore;
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
 * work, leave, die, fall silent and come back. Messages and tensors between any two of them are lost, repeated and delayed.
 */
final class ClusterRun extends RunFixture implements AutoCloseable {
    static final Duration SILENT_AFTER = Duration.ofMillis(300);
    static final Duration DRAIN_TIME = Duration.ofMillis(600);
    private static final Duration LATE = Duration.ofMillis(10);
    private static final Duration WORK = Duration.ofMillis(30);
    private static final int NODES_MAX = 5;

    final SimulatedWorld world;
    final SimulatedNetwork network;
    final ActorRef<RunGuardian.Command> guardian;
    final ActorRef<NodeRegistry.Command> registry;
    final TestInbox<RunEvent.Ended> ended = TestInbox.create();
    final TestInbox<RunEvent> events = TestInbox.create();
    final List<String> trace = new ArrayList<>();

    /** Living nodes, by name. */
    final Map<String, Node> nodes = new LinkedHashMap<>();

    private final WorkQueues queues;
    private final SplittableRandom chance;
    private int nodesMade;
    private boolean over;

    ClusterRun(long worldSeed, RunSettings settings) {
        this(new SimulatedWorld(worldSeed), settings);
    }

    private ClusterRun(SimulatedWorld world, RunSettings settings) {
        this(world, settings, new SimulatedNetwork(world, networkFaults(world, 0.02)));
    }

    private ClusterRun(SimulatedWorld world, RunSettings settings, SimulatedNetwork network) {
        super(settings, StopWhen.NEVER, Runnable::run, world.clock(), store -> network.join("here", store));
        this.world = world;
        this.network = network;
        this.chance = world.chance();
        this.guardian = world.spawn(RunGuardian.create(settings, ports), "guardian");
        TestInbox<WorkQueues> introduced = TestInbox.create();
        guardian.tell(new RunGuardian.Introduce(introduced.getRef()));
        world.settle();
        this.queues = introduced.receiveMessage();
        SimulatedTensorPlane plane = (SimulatedTensorPlane) ports.plane();
        this.registry = world.spawn(
                NodeRegistry.create(
                        new NodeRegistry.Admission(card("here"), "settings", SILENT_AFTER, plane::peers),
                        queues,
                        settings.limits(),
                        events.getRef()),
                "gate");
        this.listener = this::hear;
    }

    private static UnreliableWorkQueue.NetworkFaults networkFaults(SimulatedWorld world, double lost) {
        return new UnreliableWorkQueue.NetworkFaults(world.chance(), lost, 0.05, LATE);
    }

    private static NodeCard card(String node) {
        return new NodeCard(node, List.of(), "processor", "build", SimulatedNetwork.peer(node), "");
    }

    /** Marks committed steps as completed on all nodes, and all steps once the run has ended. */
    private void hear(RunEvent event) {
        traced(event);
        switch (event) {
            case RunEvent.StepCommitted committed ->
                registry.tell(new NodeRegistry.StepOver("run", committed.state().step()));
            case RunEvent.Ended _ -> {
                over = true;
                registry.tell(new NodeRegistry.StepOver("run", Integer.MAX_VALUE));
            }
            default -> {}
        }
    }

    void traced(Object what) {
        trace.add(world.now() + " " + what);
    }

    /** A separate process with its own store. */
    final class Node implements NodeAgent.Host {
        final String name;
        final SimulatedTensorPlane plane;
        private final int rollout;
        private final int reward;
        private final int trainer;
        private final SimulatedDevices devices;
        private final ActorRef<Optional<NodeAgent.Command>> process;
        private OrphanCollector collector;
        private int devicePools;

        Node(String name, int rollout, int reward, int trainer) {
            this.name = name;
            this.rollout = rollout;
            this.reward = reward;
            this.trainer = trainer;
            this.plane = network.join(name, new OffHeapTensorStore(name, 1 << 24));
            this.collector = new OrphanCollector(plane.own()::release);
            this.devices = new SimulatedDevices(plane.store(), PARAMETERS, world.late(WORK));
            UnreliableWorkQueue.NetworkFaults networkFaults =
                    new UnreliableWorkQueue.NetworkFaults(chance, 0.03, 0.05, LATE, () -> network.silent(name));
            WorkQueues far = new WorkQueues(
                    world.spawn(UnreliableWorkQueue.create(queues.rollout(), networkFaults, _ -> {}), name + "-draw"),
                    world.spawn(UnreliableWorkQueue.create(queues.score(), networkFaults, _ -> {}), name + "-score"),
                    world.spawn(UnreliableWorkQueue.create(queues.train(), networkFaults, _ -> {}), name + "-train"));
            ActorRef<NodeRegistry.Command> farRegistry =
                    world.spawn(UnreliableNodeRegistry.create(registry, far, networkFaults), name + "-gate");
            this.process = world.spawn(
                    process(NodeAgent.create(
                            card(name),
                            new NodeAgent.TimeLimits(settings.limits(), DRAIN_TIME, Optional.empty()),
                            this,
                            plane.store()::release)),
                    name);
            process.tell(Optional.of(new NodeAgent.RegistryAt(Optional.of(farRegistry))));
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
            world.after(time, () -> network.restore(name));
        }

        private void gone() {
            network.die(name);
            nodes.remove(name);
        }

        /** Returns how many device pools it created. */
        int devicePools() {
            return devicePools;
        }

        @Override
        public DevicePool devicePool(String settings, ActorRef<WorkQueueEvent> events) {
            devicePools++;
            collector.close();
            collector = new OrphanCollector(plane.own()::release);
            return new DevicePool(
                    deviceSlots("rollout", rollout, devices::rollout),
                    deviceSlots("reward", reward, () -> devices.reward(9)),
                    deviceSlots("trainer", trainer, devices::trainer));
        }

        private <U extends Unit, R extends Result> List<DeviceSlot<U, R>> deviceSlots(
                String role, int count, Supplier<Device<U, R>> device) {
            OrphanCollector now = collector;
            List<DeviceSlot<U, R>> deviceSlots = new ArrayList<>();
            for (int i = 0; i < count; i++) {
                deviceSlots.add(new DeviceSlot<>(
                        role + "-" + i,
                        () -> now.over(new FetchingDevice<>(
                                plane, new FaultyDevice<>(device.get(), plane.store(), this::happening)))));
            }
            return deviceSlots;
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
            collector.stepOver(run, step);
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

    /** Wraps an actor so that it ends with its process, at once and without notice. */
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

    /** Changes a node at about this interval, until the run has ended. */
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
        guardian.tell(new RunGuardian.Start(order(fresh(), steps, null), ended.getRef()));
        return this;
    }

    /** Lets time pass until the run has ended, at most five minutes, and then until silent nodes have been notified. */
    RunEvent.Ended toTheEnd() {
        if (!world.runUntil(ended::hasMessages, Duration.ofMinutes(5))) {
            throw new AssertionError("the run hangs at " + world.now() + "; last of the trace:\n"
                    + String.join("\n", trace.subList(Math.max(0, trace.size() - 40), trace.size())));
        }
        RunEvent.Ended end = ended.receiveMessage();
        world.pass(Duration.ofSeconds(3));
        return end;
    }

    /** Asserts that only the ended state is left on living nodes; it belongs to this node. */
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
