package darkroom.runtime;

import com.typesafe.config.Config;
import darkroom.actors.AeronTensorPlane;
import darkroom.actors.Gate;
import darkroom.actors.NodeCard;
import darkroom.actors.OffHeapTensorStore;
import darkroom.actors.PlaneUnavailableException;
import darkroom.actors.RunEvent;
import darkroom.actors.Studio;
import darkroom.actors.TensorPlane;
import darkroom.config.ErrorReason;
import darkroom.config.HostPort;
import darkroom.config.Recipes;
import darkroom.config.RunSettings;
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

/** The node that supervises a run, and lets others in. It may have devices of its own. */
final class ControlNode implements Ground {
    private static final Logger LOG = LoggerFactory.getLogger(ControlNode.class);
    static final String ROLE = "control";

    private final RunSettings settings;
    private final List<String> roles;
    private final boolean succession;
    private final Consumer<Open> opened;
    private final Runnable dismissed;
    private final String name;
    private final OffHeapTensorStore store;
    private final AeronTensorPlane plane;
    private final NodeFaults faults;
    private @Nullable Supplier<ActorRef<Gate.Command>> gate;
    private @Nullable StatusPage page;
    private @Nullable ActorSystem<Studio.Command> system;
    private @Nullable Path directory;
    private @Nullable BeatKeeper beat;
    private boolean leavesToStandby;
    private volatile boolean progressed;
    private volatile boolean ending;
    private volatile Gate.Doing doing = new Gate.Doing("", "preparing", 0, 0);

    /**
     * What others need to come in.
     *
     * @param address for messages
     * @param driver directory of the media driver that processes of this machine may share
     * @param status URL of the status page
     * @param system the control node itself, for those who watch it
     */
    record Open(HostPort address, String driver, String status, ActorSystem<Studio.Command> system) {
        /** Tells people how to add a node. */
        void say(PrintWriter terminal) {
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

    private ControlNode(
            RunSettings settings, List<String> roles, boolean succession, Consumer<Open> opened, Runnable dismissed) {
        TlsFiles.require(settings.cluster().tls(), Instant.now());
        this.settings = Precisions.decided(settings); // every node is given these
        this.roles = List.copyOf(roles);
        this.succession = succession;
        this.opened = opened;
        this.dismissed = dismissed;
        OwnAddress.require(settings.cluster(), LOG::warn);
        this.name = NodeCards.name(ROLE);
        this.store = new OffHeapTensorStore(name, settings.limits().tensorBytesMax());
        this.plane = plane(name, store, settings);
        this.faults = NodeFaults.of(settings.faults());
        plane.weather(faults.weather());
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
     * @param roles what this process does besides supervising
     * @param opened told once others may come
     * @param dismissed called when all were told that they may go; returns when those have gone that share this node's
     *     media driver
     */
    static Ground.Opener with(List<String> roles, Consumer<Open> opened, Runnable dismissed) {
        return settings -> new ControlNode(settings, roles, false, opened, dismissed);
    }

    /** One that leaves the run to a standby, if there is one, when it is asked to end. */
    static Ground.Opener inSuccession(List<String> roles, Consumer<Open> opened) {
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
        BeatKeeper keeper = beat;
        return keeper != null && keeper.isFollowed();
    }

    /**
     * Where another node waits, a request to this one alone is no end of the run; nor is a failure, for instance of its disk,
     * after it has committed a step. What has failed without one would fail there, too.
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
        if (beat != null) {
            if (!how.isEmpty()) {
                beat.ended(Summary.End.of(end).kind(), how);
            }
        }
        return leavesToStandby;
    }

    /** Stopped for long, given up, and awake again: another node has the run. */
    private void followed() {
        LOG.error("{} was given up, another control node goes on with the run: this process ends", name);
        System.err.println("darkroom: another control node has taken over the run; this one ends");
        Runtime.getRuntime().halt(ExitCode.FAILED.code());
    }

    /**
     * The media driver or the plane's client is gone, and with it every tensor of this node that another one was to read. What
     * is committed is on disk: a standby goes on from there, or whoever starts this run again.
     */
    private void blind(String why) {
        LOG.error("the tensor plane of {} is gone: {}: this process ends", name, why);
        System.err.println("darkroom: the tensor plane is gone: " + why);
        System.err.println(
                "  This control node ends. A standby goes on with the run; without one, start it again: --resume "
                        + (directory == null ? "<its directory>" : directory));
        Runtime.getRuntime().halt(ExitCode.FAILED.code());
    }

    @Override
    public void open(ActorSystem<Studio.Command> studio) {
        system = studio;
        plane.onLost(this::blind);
        faults.system(studio);
        if (!settings.cluster().tls().enabled()) {
            PlainNode.watch(studio);
        }
        Cluster cluster = Cluster.get(studio);
        Address address = cluster.selfMember().address();
        cluster.manager().tell(Join.create(address));
        Supplier<ActorRef<Gate.Command>> door = () -> Gates.at(studio, address);
        gate = door;
        try {
            page = StatusPage.open(settings.cluster().statusPort(), () -> studio, door, faults);
        } catch (IOException e) {
            throw new UncheckedIOException(
                    "no status page on cluster.status-port="
                            + settings.cluster().statusPort(),
                    e);
        }
        NodeCard card = NodeCards.card(name, roles, plane.peer(), page.url());
        studio.systemActorOf(Membership.create(_ -> {}, _ -> {}), "membership", Props.empty());
        studio.tell(new Studio.OpenGate(
                card, Recipes.render(settings), settings.cluster().nodeSilentAfter(), plane::peers));
        HostPort where = PekkoConfig.address(address);
        LOG.info("{} lets nodes in at {}", name, where);
        if (directory != null) {
            try {
                beat = BeatKeeper.start(directory, ControlBeat.first(name, where.toString()), this::followed);
            } catch (IOException e) {
                throw new UncheckedIOException("no sign of life can be written into " + directory, e);
            }
        }
        opened.accept(
                new Open(where, plane.driverDirectory().map(Path::toString).orElse(""), page.url(), studio));
    }

    @Override
    public void heard(RunEvent event) {
        switch (event) {
            case RunEvent.StepCommitted committed -> {
                progressed = true;
                tell(new Gate.StepOver(LocalRun.RUN, committed.step() + 1));
                stage("training", committed.step() + 1);
            }
            case RunEvent.Evaluated evaluated ->
                tell(new Gate.StepOver(evaluated.request().name(), Integer.MAX_VALUE));
            default -> {}
        }
    }

    @Override
    public void stage(String stage, int step) {
        doing = new Gate.Doing(LocalRun.RUN, stage, step, settings.steps());
        tellDoing();
    }

    @Override
    public void ending() {
        ending = true;
        tellDoing();
    }

    private void tellDoing() {
        Gate.Doing now = doing;
        tell(
                ending
                        ? new Gate.Doing(
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
            return; // the other nodes stay, and join it
        }
        tell(new Gate.Close("the run has ended"));
        ActorSystem<Studio.Command> now = system;
        if (now != null) {
            // Nobody leaves a cluster that waits for those who are gone.
            Cluster cluster = Cluster.get(now);
            cluster.state().getUnreachable().forEach(member -> cluster.manager().tell(new Down(member.address())));
        }
        dismissed.run();
    }

    private void tell(Gate.Command word) {
        Supplier<ActorRef<Gate.Command>> door = gate;
        if (door != null) {
            door.get().tell(word);
        }
    }

    @Override
    public void close() {
        if (beat != null) {
            beat.close();
        }
        if (page != null) {
            page.close();
        }
        faults.close();
        plane.close();
        store.close();
    }
}
