package darkroom.actors;

import darkroom.config.LimitSettings;
import darkroom.config.RunSettings;
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
 * Everything of one process: the three desks, a warden for each crew, a run, evaluations before, between and after runs.
 * The guardian of an actor system; nothing here knows what a unit is about. It never waits for the listener ({@link ListenerQueue}).
 */
public final class Studio extends SwitchBehavior<Studio.Command> {
    /** A run, its validation, and evaluations besides may have their groups open at the same time. */
    private static final int GROUP_WINDOWS_MAX = 4;

    /** Events of desks and nodes that wait for the listener, which may be writing a checkpoint. */
    static final int EVENTS_WAITING_MAX = 4096;

    /** What a studio is told. */
    public sealed interface Command {}

    /** A node offers its devices. Its workers join the desks. */
    public record Offer(String node, Crew crew) implements Command {}

    /** Runs, one at a time: a second run while one is going on ends at once, as failed. */
    public record Start(RunOrder order, ActorRef<? super RunEvent.Ended> replyTo) implements Command {}

    /** Commits the step in work and ends the run (RS-6). Evaluations besides it, and later ones, are given up (EV-3). */
    public record FinishStep() implements Command {}

    /** Draws and scores without learning; the answer's images are gone, the listener has seen them. */
    public record Evaluate(EvaluationRequest request, ActorRef<? super RunEvent.Evaluated> replyTo)
            implements Command {}

    /** Where units may be submitted, for those who need no run. */
    public record Introduce(ActorRef<Desks> replyTo) implements Command {}

    /**
     * Lets nodes in from here on, once.
     *
     * @param own the control node itself
     * @param settingsText what nodes are told the run's settings are
     * @param silentAfter {@code cluster.node-silent-after}
     * @param peers told who is there whenever that changes
     */
    public record OpenGate(NodeCard own, String settingsText, Duration silentAfter, Consumer<List<PlanePeer>> peers)
            implements Command {}

    /** Stops the worker at a seat, as a crash would. For fault tests. */
    public record Crash(String seat) implements Command {}

    private record Heard(RunEvent event) implements Command {}

    private record Delivered() implements Command {}

    private record EvaluationGone(ActorRef<Evaluation.Command> evaluation) implements Command {}

    private record RunEnded(RunEvent.Ended ended) implements Command {}

    private record RunGone(ActorRef<RunSupervisor.Command> supervisor) implements Command {}

    private final ActorContext<Command> context;
    private final RunSettings settings;
    private final RunPorts ports;
    private final Desks desks;
    private final ActorRef<DeskEvent> events;
    private final ListenerQueue listeners;
    private final List<ActorRef<NodeWarden.Command>> wardens = new ArrayList<>();
    private final ActorRef<RunEvent.Ended> endsHere;
    private final Set<ActorRef<Evaluation.Command>> evaluations = new LinkedHashSet<>();
    private @Nullable Running running;
    private boolean finishing;

    private record Running(Start asked, ActorRef<RunSupervisor.Command> supervisor) {}

    private Studio(ActorContext<Command> context, RunSettings settings, RunPorts ports) {
        this.context = context;
        this.settings = settings;
        this.ports = ports.with(new OneAtATime(ports.listener()));
        this.events = context.messageAdapter(DeskEvent.class, Heard::new);
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
        this.desks = new Desks(
                context.spawn(desk("draw", groups), "draw-desk"),
                context.spawn(desk("score", images), "score-desk"),
                context.spawn(desk("train", trainUnitsMax()), "train-desk"));
    }

    /** @param settings all runs of this process have these */
    public static Behavior<Command> create(RunSettings settings, RunPorts ports) {
        return Behaviors.setup(context -> new Studio(context, settings, ports));
    }

    @Override
    Behavior<Command> onMessage(Command command) {
        switch (command) {
            case Offer(String node, Crew crew) -> onOffer(node, crew);
            case Start start -> onStart(start);
            case FinishStep() -> onFinishStep();
            case Evaluate evaluate -> onEvaluate(evaluate);
            case Introduce(ActorRef<Desks> replyTo) -> replyTo.tell(desks);
            case Crash(String seat) -> wardens.forEach(warden -> warden.tell(new NodeWarden.Crash(seat)));
            case OpenGate open -> onOpenGate(open);
            case Heard(RunEvent event) -> listeners.add(event);
            case Delivered() -> listeners.delivered();
            case EvaluationGone(ActorRef<Evaluation.Command> evaluation) -> evaluations.remove(evaluation);
            case RunEnded(RunEvent.Ended ended) -> onRunEnded(ended);
            case RunGone(ActorRef<RunSupervisor.Command> supervisor) -> onRunGone(supervisor);
        }
        return this;
    }

    private <U extends Unit, R extends Result> Behavior<WorkDesk.Command<U, R>> desk(String role, int unitsMax) {
        return WorkDesk.create(role, settings.limits(), unitsMax, ports.store()::release, events);
    }

    /** The blocks of the largest pass, and its update. */
    private int trainUnitsMax() {
        long samples = (long) settings.rollout().groupsPerStep()
                * settings.rollout().imagesPerGroup()
                * settings.training().timestepsPerImage();
        long units = Math.ceilDiv(samples, settings.training().unitSamples());
        return Math.toIntExact(Math.ceilDiv(units, settings.workers().gradientUnitsPerLease()) + 1);
    }

    private void onOffer(String node, Crew crew) {
        wardens.add(context.spawn(
                NodeWarden.create(crew.posts(desks), settings.limits(), ports.store()::release, events),
                "warden-" + node));
    }

    private void onStart(Start start) {
        if (running != null) {
            String message = "a run is going on; finish it before %s"
                    .formatted(start.order().run());
            start.replyTo().tell(new RunEvent.Ended(start.order().from(), new RunEvent.End.Failed(message)));
            return;
        }
        ActorRef<RunSupervisor.Command> started = context.spawnAnonymous(
                RunSupervisor.create(settings, start.order(), ports, desks, endsHere), DispatcherSelector.blocking());
        context.watchWith(started, new RunGone(started));
        running = new Running(start, started);
    }

    /** Whoever hears of the end may start the next run. */
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
                        desks,
                        settings.limits(),
                        ports.plane(),
                        ports.clock(),
                        ports.listener(),
                        evaluate.replyTo()),
                DispatcherSelector.blocking());
        evaluations.add(evaluation);
        context.watchWith(evaluation, new EvaluationGone(evaluation));
        if (finishing) {
            evaluation.tell(new Evaluation.GiveUp());
        }
    }

    private void onOpenGate(OpenGate open) {
        ActorRef<RunEvent> heardHere = heardAs(context, Heard::new);
        context.spawn(
                Gate.create(
                        open.own(),
                        open.settingsText(),
                        desks,
                        settings.limits(),
                        open.silentAfter(),
                        open.peers(),
                        heardHere),
                Gate.NAME);
    }

    /** Called by the run, by evaluations and by the queue, all on the blocking dispatcher: one waits for the other. */
    private record OneAtATime(RunListener listener) implements RunListener {
        @Override
        public synchronized void heard(RunEvent event) {
            listener.heard(event);
        }
    }
}
