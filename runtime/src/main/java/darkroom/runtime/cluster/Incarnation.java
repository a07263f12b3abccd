package darkroom.runtime.cluster;

import darkroom.actors.cluster.NodeAgent;
import darkroom.actors.cluster.NodeRegistry;
import darkroom.actors.wire.WireVersion;
import darkroom.config.ClusterSettings;
import darkroom.config.HostPort;
import darkroom.runtime.base.NodeCards;
import darkroom.runtime.base.Program;
import darkroom.runtime.run.LocalActorSystem;
import darkroom.runtime.run.PekkoConfig;
import darkroom.runtime.tls.PlainNode;
import darkroom.tensors.AeronTensorPlane;
import darkroom.tensors.OffHeapTensorStore;
import darkroom.tensors.PlaneUnavailableException;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.UnknownHostException;
import java.time.Duration;
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
import java.util.function.BooleanSupplier;
import org.apache.pekko.actor.CoordinatedShutdown;
import org.apache.pekko.actor.typed.ActorRef;
import org.apache.pekko.actor.typed.ActorSystem;
import org.apache.pekko.actor.typed.DispatcherSelector;
import org.apache.pekko.actor.typed.Props;
import org.apache.pekko.actor.typed.javadsl.Behaviors;
import org.apache.pekko.cluster.typed.Cluster;
import org.apache.pekko.cluster.typed.JoinSeedNodes;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** One actor system, one tensor plane and one name of a {@link WorkerNode}: from joining a cluster until it is out of it. */
final class Incarnation implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(Incarnation.class);
    private static final Duration TERMINATION_MAX = Duration.ofSeconds(20);
    private static final Duration HINT_AFTER = Duration.ofSeconds(3);
    private static final Duration HINT_EVERY = Duration.ofSeconds(10);

    private final WorkerNode.Contribution contribution;
    private final String name;
    private final OffHeapTensorStore store;
    private final CompletableFuture<ActorSystem<Void>> starting;
    private final AeronTensorPlane plane;
    private final ActorSystem<Void> system;
    private final StatusPage page;
    private final NodeAgentHost host;
    private final ActorRef<NodeAgent.Command> agent;
    private final AtomicReference<Optional<ActorRef<NodeRegistry.Command>>> registry =
            new AtomicReference<>(Optional.empty());
    private final CompletableFuture<End> end = new CompletableFuture<>();

    /** Reason why an incarnation ended. */
    sealed interface End {
        record Left(String why) implements End {}

        record Refused(String why) implements End {}

        record GivenUp(String why) implements End {}
    }

    /**
     * Starts the parts; joins no cluster yet.
     *
     * @throws PlaneUnavailableException if the media driver has no room or is not running; nothing stays open
     */
    Incarnation(WorkerNode.Contribution contribution) {
        ClusterSettings cluster = contribution.cluster();
        this.contribution = contribution;
        this.name = NodeCards.name(String.join("+", contribution.roles()));
        this.store = new OffHeapTensorStore(name, contribution.own().limits().tensorBytesMax());
        // Each takes some tenths of a second, and they are independent.
        this.starting = CompletableFuture.supplyAsync(
                () -> actors(contribution),
                task -> Thread.ofPlatform().name("start-actors").start(task));
        AeronTensorPlane openPlane = null;
        StatusPage openPage = null;
        try {
            openPlane = TensorPlanes.open(name, store, cluster);
            openPlane.networkFaults(contribution.faults().networkFaults());
            openPlane.onLost(why -> end.complete(new End.GivenUp("the tensor plane is gone: " + why)));
            this.plane = openPlane;
            ActorSystem<Void> started = started(starting);
            this.system = started;
            contribution.faults().system(started);
            if (!cluster.tls().enabled()) {
                PlainNode.watch(started);
            }
            openPage = page(started);
            this.page = openPage;
            this.host = new NodeAgentHost(contribution, name, store, plane, started, end::complete);
            this.agent = started.systemActorOf(
                    NodeAgent.create(
                            NodeCards.card(name, contribution.roles(), plane.peer(), page.url()),
                            new NodeAgent.TimeLimits(
                                    contribution.own().limits(), cluster.drainTime(), registrySilentAfter(cluster)),
                            host,
                            plane.store()::release),
                    "agent",
                    DispatcherSelector.blocking());
        } catch (RuntimeException e) {
            close(starting, openPage, null, openPlane, store); // the next incarnation may want the same port
            throw e;
        }
    }

    private StatusPage page(ActorSystem<Void> asking) {
        int port = contribution.cluster().statusPort();
        try {
            return StatusPage.open(port, () -> asking, () -> registry.get().orElse(null), contribution.faults());
        } catch (IOException e) {
            throw new UncheckedIOException("no status page on cluster.status-port=" + port, e);
        }
    }

    private static ActorSystem<Void> started(CompletableFuture<ActorSystem<Void>> starting) {
        try {
            return starting.join();
        } catch (CompletionException e) {
            throw e.getCause() instanceof RuntimeException cause ? cause : e;
        }
    }

    private static ActorSystem<Void> actors(WorkerNode.Contribution contribution) {
        ClusterSettings cluster = contribution.cluster();
        return ActorSystem.create(
                Behaviors.empty(),
                LocalActorSystem.SYSTEM,
                PekkoConfig.node(
                        cluster.discoveryName().isEmpty() ? cluster : cluster.onAnyPort(),
                        contribution.roles(),
                        contribution.faults().enabled()));
    }

    /** Returns the addresses of control nodes to join at; none while the discovery name resolves to nothing. */
    static List<HostPort> seeds(ClusterSettings cluster) {
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

    /** Returns whether a node registry has admitted this incarnation. */
    boolean wasLetIn() {
        return host.wasLetIn();
    }

    /**
     * Joins the cluster and takes part until the end.
     *
     * @param leaving whether the process was asked to leave
     */
    End live(BooleanSupplier leaving) throws InterruptedException {
        ClusterSettings cluster = contribution.cluster();
        system.getWhenTerminated().whenComplete((_, _) -> end.complete(whyTerminated()));
        system.systemActorOf(
                Membership.create(
                        now -> {
                            registry.set(now);
                            agent.tell(new NodeAgent.RegistryAt(now));
                        },
                        contribution.said()),
                "membership",
                Props.empty());
        List<HostPort> seeds = seeds(cluster);
        if (seeds.isEmpty()) {
            return new End.GivenUp(
                    "cluster.discovery-name=%s resolves to nothing now".formatted(cluster.discoveryName()));
        }
        Cluster.get(system)
                .manager()
                .tell(new JoinSeedNodes(seeds.stream().map(PekkoConfig::address).toList()));
        LOG.info("{} joins at {}", name, seeds);
        return awaitEnd(seeds, leaving);
    }

    private End whyTerminated() {
        if (incompatible(system)) {
            return new End.Refused(
                    "its nodes speak another wire version than %d, that of this build (%s); use the same build on every node"
                            .formatted(WireVersion.CURRENT, Program.version()));
        }
        return new End.GivenUp(
                wasLetIn()
                        ? "the cluster has given this node up"
                        : "no control node at %s has let this node in".formatted(seeds(contribution.cluster())));
    }

    /** Reports repeatedly why the node is not admitted, until it is. */
    private End awaitEnd(List<HostPort> seeds, BooleanSupplier leaving) throws InterruptedException {
        Duration before = HINT_AFTER;
        while (true) {
            try {
                return host.wasLetIn() ? end.get() : end.get(before.toMillis(), TimeUnit.MILLISECONDS);
            } catch (TimeoutException waiting) {
                if (!host.wasLetIn() && !leaving.getAsBoolean()) {
                    contribution.say("not let in yet");
                    SeedProbe.look(seeds, contribution.cluster()).forEach(line -> contribution.say("  " + line));
                }
                before = HINT_EVERY;
            } catch (ExecutionException e) {
                throw new IllegalStateException(e);
            }
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

    /** Leaves gracefully; {@link #live} returns when that is done. */
    void leave(String why) {
        agent.tell(new NodeAgent.Leave(why));
    }

    private static void terminate(CompletableFuture<ActorSystem<Void>> starting) {
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
        close(starting, page, host, plane, store);
    }

    /** Closes the parts that were opened, each before the parts that it uses. */
    private static void close(
            CompletableFuture<ActorSystem<Void>> starting,
            @Nullable StatusPage page,
            @Nullable NodeAgentHost host,
            @Nullable AeronTensorPlane plane,
            OffHeapTensorStore store) {
        terminate(starting);
        if (page != null) {
            page.close();
        }
        if (host != null) {
            host.close();
        }
        if (plane != null) {
            plane.close();
        }
        store.close();
    }
}
