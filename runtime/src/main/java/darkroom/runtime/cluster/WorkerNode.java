package darkroom.runtime.cluster;

import darkroom.actors.cluster.NodeAgent;
import darkroom.actors.cluster.Roster;
import darkroom.actors.device.ScoreOutcome;
import darkroom.actors.device.ScoreUnit;
import darkroom.actors.events.NodeCard;
import darkroom.actors.events.WorkQueueEvent;
import darkroom.actors.run.OrphanCollector;
import darkroom.actors.wire.WireVersion;
import darkroom.actors.workqueue.DevicePool;
import darkroom.actors.workqueue.DeviceSlot;
import darkroom.config.ClusterSettings;
import darkroom.config.ErrorReason;
import darkroom.config.HostPort;
import darkroom.config.Recipes;
import darkroom.config.RunSettings;
import darkroom.config.WorkerSettings;
import darkroom.edittasks.pictures.FileFault;
import darkroom.gpuworkers.models.PolicyModel;
import darkroom.rewardactors.client.ScorerNoise;
import darkroom.runtime.base.CommandFailedException;
import darkroom.runtime.base.ExitCode;
import darkroom.runtime.base.NodeCards;
import darkroom.runtime.base.Precisions;
import darkroom.runtime.base.Program;
import darkroom.runtime.base.Replaceable;
import darkroom.runtime.faults.FaultMoment;
import darkroom.runtime.faults.NodeFaults;
import darkroom.runtime.run.DevicePools;
import darkroom.runtime.run.PolicyModels;
import darkroom.runtime.run.LocalActorSystem;
import darkroom.runtime.run.PekkoConfig;
import darkroom.runtime.run.RunInputs;
import darkroom.runtime.run.Scorers;
import darkroom.runtime.tls.PlainNode;
import darkroom.runtime.tls.TlsFiles;
import darkroom.tensors.AeronTensorPlane;
import darkroom.tensors.OffHeapTensorStore;
import darkroom.tensors.PlaneUnavailableException;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.UnknownHostException;
import java.time.Duration;
import java.time.Instant;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Consumer;
import org.apache.pekko.actor.CoordinatedShutdown;
import org.apache.pekko.actor.typed.ActorRef;
import org.apache.pekko.actor.typed.ActorSystem;
import org.apache.pekko.actor.typed.DispatcherSelector;
import org.apache.pekko.actor.typed.Props;
import org.apache.pekko.actor.typed.javadsl.Behaviors;
import org.apache.pekko.cluster.typed.Cluster;
import org.apache.pekko.cluster.typed.Down;
import org.apache.pekko.cluster.typed.JoinSeedNodes;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A process that contributes its devices to a run.
 *
 * <p>It runs as a sequence of incarnations, each with its own actor system, tensor plane and name. An incarnation that
 * the cluster has declared gone (a process that was stopped for a minute and resumes) ends, and another one starts and
 * joins; the work of the old one is lost, and repeated by others.
 */
public final class WorkerNode implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(WorkerNode.class);
    private static final Duration BETWEEN_INCARNATIONS = Duration.ofSeconds(1);
    private static final Duration TERMINATION_MAX = Duration.ofSeconds(20);
    private static final Duration HINT_AFTER = Duration.ofSeconds(3);
    private static final Duration HINT_EVERY = Duration.ofSeconds(10);

    /** Maximum number of consecutive incarnations that end without having been admitted. */
    public static final int INCARNATIONS_IN_VAIN_MAX = 60;

    private final RunSettings own;
    private final List<String> roles;
    private final int devices;
    private final int incarnationsInVainMax;
    private final NodeFaults faults;
    private final Consumer<String> said;
    private final CompletableFuture<String> leave = new CompletableFuture<>();
    private final AtomicReference<@Nullable Incarnation> incarnation = new AtomicReference<>();

    /** Reason why an incarnation ended. */
    private sealed interface End {
        record Left(String why) implements End {}

        record Refused(String why) implements End {}

        record GivenUp(String why) implements End {}
    }

    /**
     * Creates a node.
     *
     * @param own where to join and what to bind; all other settings come from the run
     * @param roles among rollout, trainer and reward
     * @param devices devices of each of the roles rollout and trainer
     * @param incarnationsInVainMax consecutive incarnations that may end without having been admitted
     * @param said receives lines for people
     */
    public WorkerNode(
            RunSettings own, List<String> roles, int devices, int incarnationsInVainMax, Consumer<String> said) {
        TlsFiles.require(own.cluster().tls(), Instant.now());
        this.incarnationsInVainMax = incarnationsInVainMax;
        this.own = own;
        this.roles = List.copyOf(roles);
        this.devices = devices;
        this.said = said;
        this.faults = NodeFaults.of(own.faults());
    }

    /** Works until the run has ended or {@link #leave} was called. */
    public ExitCode run() throws InterruptedException {
        int inVain = 0;
        boolean lived = false;
        while (true) {
            try (Incarnation now = new Incarnation()) {
                lived = true;
                incarnation.set(now);
                if (leave.isDone()) {
                    return ExitCode.OK;
                }
                End end = now.live();
                switch (end) {
                    case End.Left(String why) -> {
                        said.accept("left: " + why);
                        return ExitCode.OK;
                    }
                    case End.Refused(String why) ->
                        throw new CommandFailedException("the cluster did not let this node in: " + why);
                    case End.GivenUp(String why) -> {
                        if (leave.isDone()) {
                            said.accept("left: " + why);
                            return ExitCode.OK;
                        }
                        inVain = now.wasLetIn() ? 0 : inVain + 1;
                        if (inVain >= incarnationsInVainMax) {
                            throw new CommandFailedException("%s, %d times:%n  %s"
                                    .formatted(
                                            why,
                                            inVain,
                                            String.join(
                                                    System.lineSeparator() + "  ",
                                                    SeedProbe.look(seeds(own.cluster()), own.cluster()))));
                        }
                        said.accept(why + "; beginning again");
                    }
                }
            } catch (PlaneUnavailableException e) {
                inVain++;
                if (!(lived || sharesDriver()) || inVain >= incarnationsInVainMax) {
                    throw new CommandFailedException(ErrorReason.of(e), e);
                }
                said.accept(ErrorReason.of(e) + "; beginning again");
            } finally {
                incarnation.set(null);
            }
            if (!sleepUnlessLeaving()) {
                return ExitCode.OK;
            }
        }
    }

    /** Whether the media driver belongs to another process, and so may answer again after a silence. */
    private boolean sharesDriver() {
        return !own.cluster().tensorPlane().driver().equals(TensorPlanes.OWN_DRIVER);
    }

    private boolean sleepUnlessLeaving() throws InterruptedException {
        try {
            leave.get(BETWEEN_INCARNATIONS.toMillis(), TimeUnit.MILLISECONDS);
            return false;
        } catch (TimeoutException goesOn) {
            return true;
        } catch (ExecutionException e) {
            throw new IllegalStateException(e);
        }
    }

    /** Finishes the work in progress, hands it over, and leaves. Returns at once. */
    public void leave(String why) {
        leave.complete(why);
        Incarnation now = incarnation.get();
        if (now != null) {
            now.leave(why);
        }
    }

    @Override
    public void close() {
        leave("closed");
    }

    private static List<HostPort> seeds(ClusterSettings cluster) {
        if (cluster.discoveryName().isEmpty()) {
            return cluster.seedNodes().stream().map(HostPort::parse).toList();
        }
        try {
            return Arrays.stream(InetAddress.getAllByName(cluster.discoveryName()))
                    .map(address -> new HostPort(address.getHostAddress(), cluster.port()))
                    .sorted(Comparator.comparing(HostPort::toString))
                    .toList();
        } catch (UnknownHostException e) {
            LOG.warn("cluster.discovery-name={} resolves to nothing now", cluster.discoveryName());
            return List.of();
        }
    }

    private ActorSystem<Void> actors() {
        ClusterSettings cluster = own.cluster();
        return ActorSystem.create(
                Behaviors.empty(),
                LocalActorSystem.SYSTEM,
                PekkoConfig.node(
                        cluster.discoveryName().isEmpty() ? cluster : cluster.onAnyPort(), roles, faults.enabled()));
    }

    /** One actor system, one tensor plane and one name. */
    private final class Incarnation implements AutoCloseable, NodeAgent.Host {
        private final String name = NodeCards.name(String.join("+", roles));
        private final OffHeapTensorStore store =
                new OffHeapTensorStore(name, own.limits().tensorBytesMax());
        private final CompletableFuture<ActorSystem<Void>> starting;
        private final AeronTensorPlane plane;
        private final AtomicReference<Optional<ActorRef<darkroom.actors.cluster.NodeRegistry.Command>>> registry =
                new AtomicReference<>(Optional.empty());
        private final Replaceable<OrphanCollector> sweep = new Replaceable<>();
        private final CompletableFuture<End> end = new CompletableFuture<>();
        private final Replaceable<StatusPage> page = new Replaceable<>();
        private final Replaceable<Scorers> scorers = new Replaceable<>();
        private volatile @Nullable ActorSystem<Void> system;
        private volatile @Nullable ActorRef<NodeAgent.Command> agent;
        private volatile boolean letIn;

        Incarnation() {
            // Each takes some tenths of a second, and they are independent.
            this.starting = CompletableFuture.supplyAsync(
                    WorkerNode.this::actors,
                    task -> Thread.ofPlatform().name("start-actors").start(task));
            try {
                this.plane = TensorPlanes.open(name, store, own.cluster());
            } catch (RuntimeException e) {
                terminate(); // the next incarnation may want the same port
                store.close();
                throw e;
            }
            plane.networkFaults(faults.networkFaults());
            plane.onLost(why -> end.complete(new End.GivenUp("the tensor plane is gone: " + why)));
        }

        boolean wasLetIn() {
            return letIn;
        }

        End live() throws InterruptedException {
            StatusPage status;
            ClusterSettings cluster = own.cluster();
            try {
                status = StatusPage.open(
                        cluster.statusPort(), () -> system, () -> registry.get().orElse(null), faults);
            } catch (IOException e) {
                throw new UncheckedIOException("no status page on cluster.status-port=" + cluster.statusPort(), e);
            }
            page.replace(status);
            NodeCard card = NodeCards.card(name, roles, plane.peer(), status.url());
            ActorSystem<Void> started = started();
            faults.system(started);
            if (!cluster.tls().enabled()) {
                PlainNode.watch(started);
            }
            ActorRef<NodeAgent.Command> brings = started.systemActorOf(
                    NodeAgent.create(
                            card,
                            own.limits(),
                            cluster.drainTime(),
                            registrySilentAfter(cluster),
                            this,
                            plane.store()::release),
                    "agent",
                    DispatcherSelector.blocking());
            agent = brings;
            system = started;
            started.getWhenTerminated()
                    .whenComplete((_, _) -> end.complete(
                            incompatible(started)
                                    ? new End.Refused(
                                            "its nodes speak another wire version than %d, that of this build (%s); use the same build on every node"
                                                    .formatted(WireVersion.CURRENT, Program.version()))
                                    : new End.GivenUp(
                                            letIn
                                                    ? "the cluster has given this node up"
                                                    : "no control node at %s has let this node in"
                                                            .formatted(seeds(cluster)))));
            started.systemActorOf(
                    Membership.create(
                            now -> {
                                registry.set(now);
                                brings.tell(new NodeAgent.RegistryAt(now));
                            },
                            said),
                    "membership",
                    Props.empty());
            List<HostPort> seeds = seeds(cluster);
            if (seeds.isEmpty()) {
                return new End.GivenUp(
                        "cluster.discovery-name=%s resolves to nothing now".formatted(cluster.discoveryName()));
            }
            Cluster.get(started)
                    .manager()
                    .tell(new JoinSeedNodes(
                            seeds.stream().map(PekkoConfig::address).toList()));
            LOG.info("{} joins at {}", name, seeds);
            return awaitEnd(seeds, cluster);
        }

        /** Reports repeatedly why the node is not admitted, until it is. */
        private End awaitEnd(List<HostPort> seeds, ClusterSettings cluster) throws InterruptedException {
            Duration before = HINT_AFTER;
            while (true) {
                try {
                    return letIn ? end.get() : end.get(before.toMillis(), TimeUnit.MILLISECONDS);
                } catch (TimeoutException waiting) {
                    if (!letIn && !leave.isDone()) {
                        said.accept("not let in yet");
                        SeedProbe.look(seeds, cluster).forEach(line -> said.accept("  " + line));
                    }
                    before = HINT_EVERY;
                } catch (ExecutionException e) {
                    throw new IllegalStateException(e);
                }
            }
        }

        private ActorSystem<Void> started() {
            try {
                return starting.join();
            } catch (CompletionException e) {
                throw e.getCause() instanceof RuntimeException cause ? cause : e;
            }
        }

        private static boolean incompatible(ActorSystem<?> system) {
            return CoordinatedShutdown.get(system)
                    .getShutdownReason()
                    .filter(CoordinatedShutdown.incompatibleConfigurationDetectedReason()::equals)
                    .isPresent();
        }

        /**
         * Returns the silence limit of the registry: if there is another control node, a silent one is not waited for.
         */
        private static Optional<Duration> registrySilentAfter(ClusterSettings cluster) {
            return seeds(cluster).size() > 1 ? Optional.of(cluster.nodeSilentAfter()) : Optional.empty();
        }

        /** Leaves at once: leaving gracefully would wait for nodes that do not answer. */
        private void stayInNoCluster() {
            ActorSystem<Void> now = system;
            if (now != null) {
                Cluster cluster = Cluster.get(now);
                cluster.manager().tell(new Down(cluster.selfMember().address()));
            }
        }

        void leave(String why) {
            ActorRef<NodeAgent.Command> now = agent;
            if (now == null) {
                end.complete(new End.Left(why));
            } else {
                now.tell(new NodeAgent.Leave(why));
            }
        }

        @Override
        public DevicePool devicePool(String text) {
            RunSettings settings = Recipes.parse(text);
            DevicePool devicePool = settings.workers().device() == WorkerSettings.Kind.VIRTUAL
                    ? DevicePools.virtual(
                            settings.workers().virtual(),
                            roles.contains("rollout") ? devices : 0,
                            roles.contains("trainer") ? devices : 0,
                            roles.contains("reward") ? 1 : 0,
                            plane)
                    : computing(settings);
            if (settings.workers().device() == WorkerSettings.Kind.TORCH) {
                Thread.ofPlatform()
                        .daemon()
                        .name("precision")
                        .start(() -> Precisions.tellIfSlow(settings, line -> {
                            LOG.warn("{}", line);
                            said.accept(line);
                        }));
            }
            letIn = true;
            said.accept("let in as " + name);
            faults.reached(FaultMoment.JOIN);
            OrphanCollector of = new OrphanCollector(plane.store()::release);
            sweep.replace(of);
            return DevicePools.swept(faults.devicePool(devicePool), of);
        }

        private DevicePool computing(RunSettings settings) {
            try {
                RunInputs.requireBase(settings);
                PolicyModel policy = PolicyModels.open(settings);
                return DevicePools.of(
                        settings,
                        policy,
                        roles.contains("rollout") ? devices : 0,
                        roles.contains("trainer") ? devices : 0,
                        scorers(settings),
                        plane);
            } catch (IOException e) {
                throw new UncheckedIOException(
                        "the model cannot be read here: " + FileFault.reason(e),
                        e);
            }
        }

        private List<DeviceSlot<ScoreUnit, ScoreOutcome>> scorers(RunSettings settings) throws IOException {
            if (!roles.contains("reward")) {
                return List.of();
            }
            RunInputs.requireJudge(settings);
            Scorers open = Scorers.open(settings.scoring(), faults, this::tell);
            scorers.replace(open); // the scorers of the previous control node are no longer used
            return open.deviceSlots(plane.store());
        }

        private void tell(ScorerNoise noise) {
            Scorers.tell(noise);
            ActorRef<NodeAgent.Command> now = agent;
            if (now != null) {
                now.tell(new NodeAgent.Tell(new WorkQueueEvent.NoiseMeasured(
                        "score", noise.scorer(), noise.count(), noise.mean(), noise.std(), noise.range())));
            }
        }

        @Override
        public void peers(Roster roster) {
            plane.peers(roster.peers());
        }

        @Override
        public void stepOver(String run, int step) {
            sweep.now().ifPresent(of -> of.stepOver(run, step));
        }

        @Override
        public long bytesHeld() {
            return store.bytesHeld();
        }

        @Override
        public void ended(NodeAgent.Ending ending) {
            end.complete(
                    switch (ending) {
                        case NodeAgent.Ending.Left(String why) -> new End.Left(why);
                        case NodeAgent.Ending.Refused(String reason) -> new End.Refused(reason);
                        case NodeAgent.Ending.RegistrySilent(String why) -> {
                            stayInNoCluster();
                            yield new End.GivenUp(why);
                        }
                    });
        }

        private void terminate() {
            try {
                starting.thenCompose(now -> {
                            now.terminate();
                            return now.getWhenTerminated();
                        })
                        .get(TERMINATION_MAX.toMillis(), TimeUnit.MILLISECONDS);
            } catch (TimeoutException e) {
                LOG.warn("the actor system has not ended within {}", TERMINATION_MAX);
            } catch (ExecutionException e) {
                LOG.warn("the actor system ended badly", e);
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
            }
        }

        @Override
        public void close() {
            terminate();
            page.close();
            scorers.close();
            plane.close();
            store.close();
        }
    }
}
