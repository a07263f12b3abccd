package darkroom.runtime.cluster;

import darkroom.actors.cluster.NodeAgent;
import darkroom.actors.cluster.Roster;
import darkroom.actors.device.ScoreOutcome;
import darkroom.actors.device.ScoreUnit;
import darkroom.actors.events.WorkQueueEvent;
import darkroom.actors.run.OrphanCollector;
import darkroom.actors.workqueue.DevicePool;
import darkroom.actors.workqueue.DeviceSlot;
import darkroom.config.Recipes;
import darkroom.config.RunSettings;
import darkroom.config.WorkerSettings;
import darkroom.edittasks.pictures.FileFault;
import darkroom.gpuworkers.models.PolicyModel;
import darkroom.rewardactors.client.ScorerNoise;
import darkroom.runtime.base.Precisions;
import darkroom.runtime.base.Replaceable;
import darkroom.runtime.faults.FaultMoment;
import darkroom.runtime.run.DevicePools;
import darkroom.runtime.run.PolicyModels;
import darkroom.runtime.run.RunInputs;
import darkroom.runtime.run.Scorers;
import darkroom.tensors.AeronTensorPlane;
import darkroom.tensors.OffHeapTensorStore;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.List;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.Consumer;
import org.apache.pekko.actor.typed.ActorRef;
import org.apache.pekko.actor.typed.ActorSystem;
import org.apache.pekko.cluster.typed.Cluster;
import org.apache.pekko.cluster.typed.Down;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The node as its {@link NodeAgent} uses it: the devices of one incarnation, its tensor plane, and the orphans in its
 * store. Called on the agent's thread.
 */
final class NodeAgentHost implements NodeAgent.Host, AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(NodeAgentHost.class);

    private final WorkerNode.Contribution contribution;
    private final String name;
    private final OffHeapTensorStore store;
    private final AeronTensorPlane plane;
    private final ActorSystem<Void> system;
    private final Consumer<Incarnation.End> ended;
    private final Replaceable<Scorers> scorers = new Replaceable<>();
    private final Replaceable<OrphanCollector> sweep = new Replaceable<>();
    private final AtomicBoolean letIn = new AtomicBoolean();

    /**
     * Creates a host without devices.
     *
     * @param name of the incarnation
     * @param store of the incarnation, which closes it
     * @param plane of the incarnation, which closes it
     * @param system of the incarnation; leaves its cluster when the node registry is silent
     * @param ended receives the end of the agent
     */
    NodeAgentHost(
            WorkerNode.Contribution contribution,
            String name,
            OffHeapTensorStore store,
            AeronTensorPlane plane,
            ActorSystem<Void> system,
            Consumer<Incarnation.End> ended) {
        this.contribution = contribution;
        this.name = name;
        this.store = store;
        this.plane = plane;
        this.system = system;
        this.ended = ended;
    }

    /** Returns whether a node registry has admitted the node, and it had devices for the run. */
    boolean wasLetIn() {
        return letIn.get();
    }

    @Override
    public DevicePool devicePool(String text, ActorRef<WorkQueueEvent> events) {
        RunSettings settings = Recipes.parse(text);
        DevicePool devicePool = settings.workers().device() == WorkerSettings.Kind.VIRTUAL
                ? DevicePools.virtual(
                        settings.workers().virtual(),
                        contribution.devicesOf("rollout"),
                        contribution.devicesOf("trainer"),
                        contribution.roles().contains("reward") ? 1 : 0,
                        plane)
                : computing(settings, events);
        if (settings.workers().device() == WorkerSettings.Kind.TORCH) {
            Thread.ofPlatform()
                    .daemon()
                    .name("precision")
                    .start(() -> Precisions.tellIfSlow(settings, line -> {
                        LOG.warn("{}", line);
                        contribution.say(line);
                    }));
        }
        letIn.set(true);
        contribution.say("let in as " + name);
        contribution.faults().reached(FaultMoment.JOIN);
        OrphanCollector of = new OrphanCollector(plane.store()::release);
        sweep.replace(of);
        return DevicePools.swept(contribution.faults().devicePool(devicePool), of);
    }

    private DevicePool computing(RunSettings settings, ActorRef<WorkQueueEvent> events) {
        try {
            RunInputs.requireBase(settings);
            PolicyModel policy = PolicyModels.open(settings);
            return DevicePools.of(
                    settings,
                    policy,
                    contribution.devicesOf("rollout"),
                    contribution.devicesOf("trainer"),
                    scorers(settings, events),
                    plane);
        } catch (IOException e) {
            throw new UncheckedIOException("the model cannot be read here: " + FileFault.reason(e), e);
        }
    }

    private List<DeviceSlot<ScoreUnit, ScoreOutcome>> scorers(RunSettings settings, ActorRef<WorkQueueEvent> events)
            throws IOException {
        if (!contribution.roles().contains("reward")) {
            return List.of();
        }
        RunInputs.requireJudge(settings);
        Scorers open = Scorers.open(settings.scoring(), contribution.faults(), noise -> tell(noise, events));
        scorers.replace(open); // the scorers of the previous control node are no longer used
        return open.deviceSlots(plane.store());
    }

    private static void tell(ScorerNoise noise, ActorRef<WorkQueueEvent> events) {
        Scorers.tell(noise);
        events.tell(new WorkQueueEvent.NoiseMeasured(
                "score", noise.scorer(), noise.count(), noise.mean(), noise.std(), noise.range()));
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
        ended.accept(
                switch (ending) {
                    case NodeAgent.Ending.Left(String why) -> new Incarnation.End.Left(why);
                    case NodeAgent.Ending.Refused(String reason) -> new Incarnation.End.Refused(reason);
                    case NodeAgent.Ending.RegistrySilent(String why) -> {
                        stayInNoCluster();
                        yield new Incarnation.End.GivenUp(why);
                    }
                });
    }

    /** Leaves at once: leaving gracefully would wait for nodes that do not answer. */
    private void stayInNoCluster() {
        Cluster cluster = Cluster.get(system);
        cluster.manager().tell(new Down(cluster.selfMember().address()));
    }

    /** Closes the scorers. */
    @Override
    public void close() {
        scorers.close();
    }
}
