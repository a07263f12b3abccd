package darkroom.runtime.cluster;

import com.typesafe.config.Config;
import darkroom.actors.cluster.NodeRegistry;
import darkroom.actors.events.NodeCard;
import darkroom.actors.events.RunEvent;
import darkroom.actors.run.RunGuardian;
import darkroom.config.ErrorReason;
import darkroom.config.HostPort;
import darkroom.config.Recipes;
import darkroom.config.RunSettings;
import darkroom.runtime.base.CommandFailedException;
import darkroom.runtime.base.ExitCode;
import darkroom.runtime.base.NodeCards;
import darkroom.runtime.base.OwnAddress;
import darkroom.runtime.base.Precisions;
import darkroom.runtime.faults.NodeFaults;
import darkroom.runtime.report.Logging;
import darkroom.runtime.report.Summary;
import darkroom.runtime.report.TerminalAppender;
import darkroom.runtime.run.LocalRun;
import darkroom.runtime.run.PekkoConfig;
import darkroom.runtime.run.RunEnvironment;
import darkroom.runtime.tls.PlainNode;
import darkroom.runtime.tls.TlsFiles;
import darkroom.tensors.AeronTensorPlane;
import darkroom.tensors.OffHeapTensorStore;
import darkroom.tensors.PlaneUnavailableException;
import darkroom.tensors.TensorPlane;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.UnknownHostException;
import java.nio.file.Path;
import java.time.Instant;
import java.util.List;
import java.util.function.Consumer;
import java.util.function.Supplier;
import org.apache.pekko.actor.Address;
import org.apache.pekko.actor.typed.ActorRef;
import org.apache.pekko.actor.typed.ActorSystem;
import org.apache.pekko.actor.typed.Props;
import org.apache.pekko.cluster.typed.Cluster;
import org.apache.pekko.cluster.typed.Down;
import org.apache.pekko.cluster.typed.Join;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** The node that supervises a run and admits other nodes. It may have devices of its own. */
public final class ControlNode implements RunEnvironment {
    private static final Logger LOG = LoggerFactory.getLogger(ControlNode.class);
    public static final String ROLE = "control";

    private final RunSettings settings;
    private final List<String> roles;
    private final boolean succession;
    private final Consumer<Open> opened;
    private final Runnable dismissed;
    private final String name;
    private final OffHeapTensorStore store;
    private final AeronTensorPlane plane;
    private final NodeFaults faults;
    private volatile @Nullable Admitting admitting;
    private @Nullable Path directory;
    private @Nullable HeartbeatWriter heartbeat;
    private boolean leavesToStandby;
    private volatile boolean progressed;
    private volatile boolean ending;
    private volatile NodeRegistry.Doing doing = new NodeRegistry.Doing("", "preparing", 0, 0);

    /**
     * The addresses that other nodes need to join.
     *
     * @param address for messages
     * @param driver directory of the media driver that processes of this machine may share
     * @param status URL of the status page
     * @param system the control node itself, for its watchers
     */
    public record Open(HostPort address, String driver, String status, ActorSystem<RunGuardian.Command> system) {
        /** Prints how to add a node. */
        public void say(PrintWriter terminal) {
            TerminalAppender to = Logging.terminal();
            to.say("To add a node: ./darkroom node --roles rollout --join " + address, terminal);
            if (isLoopback()) {
                to.say(
                        "  Only this machine reaches that: cluster.host=%s. For others set it to an address of this machine."
                                .formatted(address.host()),
                        terminal);
            }
        }

        private boolean isLoopback() {
            try {
                return InetAddress.getByName(address.host()).isLoopbackAddress();
            } catch (UnknownHostException e) {
                return false;
            }
        }
    }

    /**
     * The parts that exist once other nodes may join; assembled in {@link #open}.
     *
     * @param registry resolves the node registry
     */
    private record Admitting(
            ActorSystem<RunGuardian.Command> system,
            Supplier<ActorRef<NodeRegistry.Command>> registry,
            StatusPage page) {}

    private ControlNode(
            RunSettings settings, List<String> roles, boolean succession, Consumer<Open> opened, Runnable dismissed) {
        TlsFiles.require(settings.cluster().tls(), Instant.now());
        this.settings = Precisions.decided(settings); // sent to every node
        this.roles = List.copyOf(roles);
        this.succession = succession;
        this.opened = opened;
        this.dismissed = dismissed;
        OwnAddress.require(settings.cluster(), LOG::warn);
        this.name = NodeCards.name(ROLE);
        this.store = new OffHeapTensorStore(name, settings.limits().tensorBytesMax());
        this.plane = plane(name, store, settings);
        this.faults = NodeFaults.of(settings.faults());
        plane.networkFaults(faults.networkFaults());
    }

    private static AeronTensorPlane plane(String name, OffHeapTensorStore store, RunSettings settings) {
        try {
            return TensorPlanes.open(name, store, settings.cluster());
        } catch (PlaneUnavailableException e) {
            store.close();
            throw new CommandFailedException(ErrorReason.of(e), e);
        }
    }

    /**
     * Returns an opener of a control node.
     *
     * @param roles roles of this process in addition to supervising
     * @param opened called once others may join
     * @param dismissed called when all nodes were notified that they may leave; returns when the nodes that share this
     *     node's media driver have left
     */
    public static RunEnvironment.Opener with(List<String> roles, Consumer<Open> opened, Runnable dismissed) {
        return settings -> new ControlNode(settings, roles, false, opened, dismissed);
    }

    /**
     * Returns an opener of a control node that leaves the run to a standby, if there is one, when it is asked to end.
     */
    public static RunEnvironment.Opener inSuccession(List<String> roles, Consumer<Open> opened) {
        return settings -> new ControlNode(settings, roles, true, opened, () -> {});
    }

    @Override
    public TensorPlane plane() {
        return plane;
    }

    @Override
    public NodeFaults faults() {
        return faults;
    }

    @Override
    public Config pekko() {
        return PekkoConfig.node(settings.cluster(), roles, faults.enabled());
    }

    @Override
    public int rolloutDevices() {
        return roles.contains("rollout") ? settings.workers().rolloutDevices() : 0;
    }

    @Override
    public int trainerDevices() {
        return roles.contains("trainer") ? settings.workers().trainerDevices() : 0;
    }

    @Override
    public boolean scores() {
        return roles.contains("reward");
    }

    @Override
    public void directory(Path run) {
        directory = run;
        faults.directory(run);
    }

    @Override
    public boolean isFollowed() {
        HeartbeatWriter coordinator = heartbeat;
        return coordinator != null && coordinator.isFollowed();
    }

    /**
     * Decides how the run ends. If another node is standing by, a request to this one alone does not end the run; nor
     * does a failure, for instance of its disk, after it has committed a step. A run that failed without committing one
     * would fail there, too.
     */
    @Override
    public boolean ended(RunEvent.End end) {
        String how =
                switch (end) {
                    case RunEvent.End.Completed() -> "all steps are committed";
                    case RunEvent.End.ByRule(String reason) -> reason;
                    case RunEvent.End.Failed(String message) ->
                        progressed && Standby.isThere(directory) ? "" : "it failed: " + message;
                    case RunEvent.End.ByRequest() ->
                        succession && Standby.isThere(directory) ? "" : "it was asked to end";
                };
        leavesToStandby = how.isEmpty();
        if (heartbeat != null) {
            if (!how.isEmpty()) {
                heartbeat.ended(Summary.End.of(end).kind(), how);
            }
        }
        return leavesToStandby;
    }

    /** Ends this process: it was stopped for long and declared gone, and another node has the run. */
    private void followed() {
        LOG.error("{} was declared gone, another control node has the run: this process ends", name);
        System.err.println("darkroom: another control node has taken over the run; this one ends");
        Runtime.getRuntime().halt(ExitCode.FAILED.code());
    }

    /**
     * Ends this process: the media driver or the plane's client is gone, and with it every tensor of this node that
     * other nodes still had to read. Committed steps are on disk: a standby, or a restart of this run, resumes from
     * there.
     */
    private void blind(String why) {
        LOG.error("the tensor plane of {} is gone: {}: this process ends", name, why);
        System.err.println("darkroom: the tensor plane is gone: " + why);
        System.err.println("  This control node ends. A standby resumes the run; without one, start it again: --resume "
                + (directory == null ? "<its directory>" : directory));
        Runtime.getRuntime().halt(ExitCode.FAILED.code());
    }

    @Override
    public void open(ActorSystem<RunGuardian.Command> guardian) {
        plane.onLost(this::blind);
        faults.system(guardian);
        if (!settings.cluster().tls().enabled()) {
            PlainNode.watch(guardian);
        }
        Cluster cluster = Cluster.get(guardian);
        Address address = cluster.selfMember().address();
        cluster.manager().tell(Join.create(address));
        Supplier<ActorRef<NodeRegistry.Command>> registry = () -> NodeRegistries.at(guardian, address);
        StatusPage page;
        try {
            page = StatusPage.open(settings.cluster().statusPort(), () -> guardian, registry, faults);
        } catch (IOException e) {
            throw new UncheckedIOException(
                    "no status page on cluster.status-port=%d: %s"
                            .formatted(settings.cluster().statusPort(), ErrorReason.of(e)),
                    e);
        }
        admitting = new Admitting(guardian, registry, page);
        NodeCard card = NodeCards.card(name, roles, plane.peer(), page.url());
        guardian.systemActorOf(Membership.create(_ -> {}, _ -> {}), "membership", Props.empty());
        guardian.tell(new RunGuardian.OpenRegistry(new NodeRegistry.Admission(
                card, Recipes.render(settings), settings.cluster().nodeSilentAfter(), plane::peers)));
        HostPort where = PekkoConfig.address(address);
        LOG.info("{} lets nodes in at {}", name, where);
        if (directory != null) {
            try {
                heartbeat = HeartbeatWriter.start(
                        directory, ControlHeartbeat.first(name, where.toString()), this::followed);
            } catch (IOException e) {
                throw new UncheckedIOException(
                        "no heartbeat can be written into %s: %s".formatted(directory, ErrorReason.of(e)), e);
            }
        }
        opened.accept(
                new Open(where, plane.driverDirectory().map(Path::toString).orElse(""), page.url(), guardian));
    }

    @Override
    public void heard(RunEvent event) {
        switch (event) {
            case RunEvent.StepCommitted committed -> {
                progressed = true;
                tell(new NodeRegistry.StepOver(LocalRun.RUN, committed.step() + 1));
                stage("training", committed.step() + 1);
            }
            case RunEvent.Evaluated evaluated ->
                tell(new NodeRegistry.StepOver(evaluated.request().name(), Integer.MAX_VALUE));
            default -> {}
        }
    }

    @Override
    public void stage(String stage, int step) {
        doing = new NodeRegistry.Doing(LocalRun.RUN, stage, step, settings.steps());
        tellDoing();
    }

    @Override
    public void ending() {
        ending = true;
        tellDoing();
    }

    private void tellDoing() {
        NodeRegistry.Doing now = doing;
        tell(
                ending
                        ? new NodeRegistry.Doing(
                                now.run(),
                                "ending as asked (%s), limits.shutdown-grace=%d ms"
                                        .formatted(
                                                now.stage(),
                                                settings.limits()
                                                        .shutdownGrace()
                                                        .toMillis()),
                                now.step(),
                                now.steps())
                        : now);
    }

    @Override
    public void dismiss() {
        if (leavesToStandby) {
            LOG.info("{} leaves the run to a standby", name);
            return; // the other nodes stay, and join the standby
        }
        tell(new NodeRegistry.Close("the run has ended"));
        Admitting now = admitting;
        if (now != null) {
            // No node can leave a cluster that waits for unreachable ones.
            Cluster cluster = Cluster.get(now.system());
            cluster.state().getUnreachable().forEach(member -> cluster.manager().tell(new Down(member.address())));
        }
        dismissed.run();
    }

    private void tell(NodeRegistry.Command word) {
        Admitting now = admitting;
        if (now != null) {
            now.registry().get().tell(word);
        }
    }

    @Override
    public void close() {
        if (heartbeat != null) {
            heartbeat.close();
        }
        Admitting now = admitting;
        if (now != null) {
            now.page().close();
        }
        faults.close();
        plane.close();
        store.close();
    }
}
