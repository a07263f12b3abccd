package darkroom.actors.run;

import darkroom.actors.cluster.NodeRegistry;
import darkroom.actors.device.Result;
import darkroom.actors.device.Unit;
import darkroom.actors.events.EvaluationRequest;
import darkroom.actors.events.ListenerQueue;
import darkroom.actors.events.NodeCard;
import darkroom.actors.events.RunEvent;
import darkroom.actors.events.RunListener;
import darkroom.actors.events.RunState;
import darkroom.actors.events.WorkQueueEvent;
import darkroom.actors.workqueue.DevicePool;
import darkroom.actors.workqueue.SwitchBehavior;
import darkroom.actors.workqueue.WorkQueue;
import darkroom.actors.workqueue.WorkQueues;
import darkroom.actors.workqueue.WorkerSupervisor;
import darkroom.config.LimitSettings;
import darkroom.config.RunSettings;
import darkroom.tensors.PlanePeer;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.function.Consumer;
import org.apache.pekko.actor.typed.ActorRef;
import org.apache.pekko.actor.typed.Behavior;
import org.apache.pekko.actor.typed.DispatcherSelector;
import org.apache.pekko.actor.typed.javadsl.ActorContext;
import org.apache.pekko.actor.typed.javadsl.Behaviors;
import org.jspecify.annotations.Nullable;

/**
 * The guardian of one process's actor system: the three queues, a worker supervisor for each device pool, a run, and
 * evaluations before, during and after runs. It does not depend on what a unit is about, and never waits for the listener
 * ({@link ListenerQueue}).
 */
public final class RunGuardian extends SwitchBehavior<RunGuardian.Command> {
    /** Windows of groups that may be open at the same time: those of a run, its validation, and concurrent evaluations. */
    private static final int GROUP_WINDOWS_MAX = 4;

    /** Events of queues and nodes that wait for the listener, which may be writing a checkpoint. */
    static final int EVENTS_WAITING_MAX = 4096;

    /** Messages to a guardian. */
    public sealed interface Command {}

    /** Offers the devices of a node. Their workers join the queues. */
    public record Offer(String node, DevicePool devicePool) implements Command {}

    /** Starts a run, one at a time: a second run during another one ends at once, as failed. */
    public record Start(RunOrder order, ActorRef<? super RunEvent.Ended> replyTo) implements Command {}

    /** Commits the current step and ends the run (RS-6). Concurrent and later evaluations are given up (EV-3). */
    public record FinishStep() implements Command {}

    /** Generates and scores without training; the answer's images are released after the listener has received them. */
    public record Evaluate(EvaluationRequest request, ActorRef<? super RunEvent.Evaluated> replyTo)
            implements Command {}

    /** Requests the work queues, for submitting units without a run. */
    public record Introduce(ActorRef<WorkQueues> replyTo) implements Command {}

    /**
     * Opens the node registry, once, to admit nodes.
     *
     * @param own the control node itself
     * @param settingsText the run's settings as sent to nodes
     * @param silentAfter {@code cluster.node-silent-after}
     * @param peers receives the roster whenever it changes
     */
    public record OpenRegistry(NodeCard own, String settingsText, Duration silentAfter, Consumer<List<PlanePeer>> peers)
            implements Command {}

    /** Stops the worker at a device slot, as a crash would. For fault tests. */
    public record Crash(String deviceSlot) implements Command {}

    private record Heard(RunEvent event) implements Command {}

    private record Delivered() implements Command {}

    private record EvaluationGone(ActorRef<Evaluation.Command> evaluation) implements Command {}

    private record RunEnded(RunEvent.Ended ended) implements Command {}

    private record RunGone(ActorRef<RunSupervisor.Command> supervisor) implements Command {}

    private final ActorContext<Command> context;
    private final RunSettings settings;
    private final RunPorts ports;
    private final WorkQueues queues;
    private final ActorRef<WorkQueueEvent> events;
    private final ListenerQueue listeners;
    private final List<ActorRef<WorkerSupervisor.Command>> workerSupervisors = new ArrayList<>();
    private final ActorRef<RunEvent.Ended> endsHere;
    private final Set<ActorRef<Evaluation.Command>> evaluations = new LinkedHashSet<>();
    private @Nullable Running running;
    private boolean finishing;

    private record Running(Start asked, ActorRef<RunSupervisor.Command> supervisor) {}

    private RunGuardian(ActorContext<Command> context, RunSettings settings, RunPorts ports) {
        this.context = context;
        this.settings = settings;
        this.ports = ports.with(new OneAtATime(ports.listener()));
        this.events = context.messageAdapter(WorkQueueEvent.class, Heard::new);
        this.listeners = ListenerQueue.spawn(context, this.ports.listener(), EVENTS_WAITING_MAX, () -> context.getSelf()
                .tell(new Delivered()));
        this.endsHere = context.messageAdapter(RunEvent.Ended.class, RunEnded::new);
        LimitSettings limits = settings.limits();
        int groups = limits.groupsInFlightMax() * GROUP_WINDOWS_MAX;
        int images = Math.multiplyExact(
                groups,
                Math.max(
                        settings.rollout().imagesPerGroup(),
                        settings.evaluation().imagesPerTask()));
        this.queues = new WorkQueues(
                context.spawn(queue("rollout", groups), "rollout-queue"),
                context.spawn(queue("score", images), "score-queue"),
                context.spawn(queue("train", trainUnitsMax()), "train-queue"));
    }

    /**
     * Creates a guardian.
     *
     * @param settings settings of all runs of this process
     */
    public static Behavior<Command> create(RunSettings settings, RunPorts ports) {
        return Behaviors.setup(context -> new RunGuardian(context, settings, ports));
    }

    @Override
    public Behavior<Command> onMessage(Command command) {
        switch (command) {
            case Offer(String node, DevicePool devicePool) -> onOffer(node, devicePool);
            case Start start -> onStart(start);
            case FinishStep() -> onFinishStep();
            case Evaluate evaluate -> onEvaluate(evaluate);
            case Introduce(ActorRef<WorkQueues> replyTo) -> replyTo.tell(queues);
            case Crash(String deviceSlot) ->
                workerSupervisors.forEach(
                        workerSupervisor -> workerSupervisor.tell(new WorkerSupervisor.Crash(deviceSlot)));
            case OpenRegistry open -> onOpenRegistry(open);
            case Heard(RunEvent event) -> listeners.add(event);
            case Delivered() -> listeners.delivered();
            case EvaluationGone(ActorRef<Evaluation.Command> evaluation) -> evaluations.remove(evaluation);
            case RunEnded(RunEvent.Ended ended) -> onRunEnded(ended);
            case RunGone(ActorRef<RunSupervisor.Command> supervisor) -> onRunGone(supervisor);
        }
        return this;
    }

    private <U extends Unit, R extends Result> Behavior<WorkQueue.Command<U, R>> queue(String role, int unitsMax) {
        return WorkQueue.create(role, settings.limits(), unitsMax, ports.store()::release, events);
    }

    /** Returns the number of blocks of the largest pass, and its update. */
    private int trainUnitsMax() {
        long samples = (long) settings.rollout().groupsPerStep()
                * settings.rollout().imagesPerGroup()
                * settings.training().timestepsPerImage();
        long units = Math.ceilDiv(samples, settings.training().unitSamples());
        return Math.toIntExact(Math.ceilDiv(units, settings.workers().gradientUnitsPerLease()) + 1);
    }

    private void onOffer(String node, DevicePool devicePool) {
        workerSupervisors.add(context.spawn(
                WorkerSupervisor.create(devicePool.posts(queues), settings.limits(), ports.store()::release, events),
                "worker-supervisor-" + node));
    }

    private void onStart(Start start) {
        if (running != null) {
            String message = "a run is going on; finish it before %s"
                    .formatted(start.order().run());
            start.replyTo().tell(new RunEvent.Ended(start.order().from(), new RunEvent.End.Failed(message)));
            return;
        }
        ActorRef<RunSupervisor.Command> started = context.spawnAnonymous(
                RunSupervisor.create(settings, start.order(), ports, queues, endsHere), DispatcherSelector.blocking());
        context.watchWith(started, new RunGone(started));
        running = new Running(start, started);
    }

    /** Clears the run before its end is announced: the recipient may start the next run. */
    private void onRunEnded(RunEvent.Ended ended) {
        Running done = running;
        if (done != null) {
            running = null;
            done.asked().replyTo().tell(ended);
        }
    }

    private void onRunGone(ActorRef<RunSupervisor.Command> supervisor) {
        if (running != null && running.supervisor().equals(supervisor)) {
            RunState from = running.asked().order().from();
            onRunEnded(new RunEvent.Ended(
                    from, new RunEvent.End.Failed("the supervisor died; the log says why; resume from a checkpoint")));
        }
    }

    private void tellRun(RunSupervisor.Command command) {
        Optional.ofNullable(running).ifPresent(run -> run.supervisor().tell(command));
    }

    private void onFinishStep() {
        finishing = true;
        tellRun(new RunSupervisor.FinishStep());
        evaluations.forEach(evaluation -> evaluation.tell(new Evaluation.GiveUp()));
    }

    private void onEvaluate(Evaluate evaluate) {
        ActorRef<Evaluation.Command> evaluation = context.spawnAnonymous(
                Evaluation.create(
                        evaluate.request(),
                        new WorkPorts(queues, ports.plane(), ports.clock(), settings.limits()),
                        ports.listener(),
                        evaluate.replyTo()),
                DispatcherSelector.blocking());
        evaluations.add(evaluation);
        context.watchWith(evaluation, new EvaluationGone(evaluation));
        if (finishing) {
            evaluation.tell(new Evaluation.GiveUp());
        }
    }

    private void onOpenRegistry(OpenRegistry open) {
        ActorRef<RunEvent> heardHere = heardAs(context, Heard::new);
        context.spawn(
                NodeRegistry.create(
                        open.own(),
                        open.settingsText(),
                        queues,
                        settings.limits(),
                        open.silentAfter(),
                        open.peers(),
                        heardHere),
                NodeRegistry.NAME);
    }

    /** A listener called by the run, by evaluations and by the queue, all on the blocking dispatcher: calls are serialized. */
    private record OneAtATime(RunListener listener) implements RunListener {
        @Override
        public synchronized void heard(RunEvent event) {
            listener.heard(event);
        }
    }
}
