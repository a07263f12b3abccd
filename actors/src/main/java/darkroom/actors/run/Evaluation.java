package darkroom.actors.run;

import darkroom.actors.device.Fault;
import darkroom.actors.device.GroupOutcome;
import darkroom.actors.device.RolloutUnit;
import darkroom.actors.events.EvaluationRequest;
import darkroom.actors.events.RunEvent;
import darkroom.actors.events.RunListener;
import darkroom.actors.workqueue.SwitchBehavior;
import darkroom.config.ErrorReason;
import darkroom.tensors.TensorRef;
import java.io.UncheckedIOException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.function.Consumer;
import org.apache.pekko.actor.typed.ActorRef;
import org.apache.pekko.actor.typed.Behavior;
import org.apache.pekko.actor.typed.javadsl.ActorContext;
import org.apache.pekko.actor.typed.javadsl.Behaviors;
import org.jspecify.annotations.Nullable;

/**
 * Generates and scores all prompts of an {@link EvaluationRequest}, at most {@code limits.groups-in-flight-max} groups at a
 * time, notifies the listener, and ends.
 *
 * <ul>
 *   <li><b>EV-1</b> It answers its parent once, after the listener, with one outcome per prompt, in prompt order. A
 *       listener that fails ends it: all its groups are then lost.
 *   <li><b>EV-2</b> It leaves no tensor behind.
 *   <li><b>EV-3</b> When abandoned, it stops at once, without an answer. When given up, it also stops at once, reports to
 *       its parent that all its groups are lost, and sends the listener nothing.
 * </ul>
 */
final class Evaluation extends SwitchBehavior<Evaluation.Command> {

    sealed interface Command {}

    record Abandon() implements Command {}

    /** Gives the evaluation up, since the process is asked to end (EV-3). */
    record GiveUp() implements Command {}

    private record CoordinatorEnded(GroupOutcome ending) implements Command {}

    private record CoordinatorGone(int group) implements Command {}

    private final ActorContext<Command> context;
    private final EvaluationRequest request;
    private final WorkPorts ports;
    private final Consumer<TensorRef> release;
    private final RunListener listener;
    private final ActorRef<? super RunEvent.Evaluated> parent;
    private final ActorRef<GroupOutcome> endingsHere;
    private final @Nullable GroupOutcome[] endings;
    private final Map<Integer, ActorRef<GroupCoordinator.Command>> coordinators = new HashMap<>();
    private @Nullable Fault lost;
    private @Nullable Fault listenerFailure;
    private int opened;
    private boolean abandoned;
    private boolean givenUp;

    private Evaluation(
            ActorContext<Command> context,
            EvaluationRequest request,
            WorkPorts ports,
            RunListener listener,
            ActorRef<? super RunEvent.Evaluated> parent) {
        this.context = context;
        this.request = request;
        this.ports = ports;
        this.release = ports.release();
        this.listener = listener;
        this.parent = parent;
        this.endingsHere = context.messageAdapter(GroupOutcome.class, CoordinatorEnded::new);
        this.endings = new GroupOutcome[request.prompts().size()];
    }

    static Behavior<Command> create(
            EvaluationRequest request,
            WorkPorts ports,
            RunListener listener,
            ActorRef<? super RunEvent.Evaluated> parent) {
        return Behaviors.setup(context -> {
            Evaluation evaluation = new Evaluation(context, request, ports, listener, parent);
            return evaluation.next();
        });
    }

    @Override
    public Behavior<Command> onMessage(Command command) {
        return switch (command) {
            case CoordinatorEnded(GroupOutcome ending) -> onCoordinatorEnded(ending);
            case CoordinatorGone(int group) -> onCoordinatorGone(group);
            case Abandon() -> onAbandon();
            case GiveUp() -> {
                givenUp = true;
                yield onAbandon();
            }
        };
    }

    private Behavior<Command> next() {
        while (opened < endings.length && coordinators.size() < ports.limits().groupsInFlightMax() && !abandoned) {
            int group = opened++;
            RolloutUnit rollout = request.rollout(group);
            if (lost != null) {
                endings[group] = new GroupOutcome.Lost(rollout, lost);
                continue;
            }
            ActorRef<GroupCoordinator.Command> coordinator =
                    context.spawn(GroupCoordinator.create(rollout, ports, null, endingsHere), "group-" + group);
            context.watchWith(coordinator, new CoordinatorGone(group));
            coordinators.put(group, coordinator);
        }
        return coordinators.isEmpty() ? end() : this;
    }

    private Behavior<Command> onCoordinatorEnded(GroupOutcome ending) {
        if (abandoned) {
            ending.release(release); // EV-2
            return this;
        }
        endings[ending.rollout().group()] = ending;
        tellListener(new RunEvent.GroupFinished(request.name(), ending));
        if (ending instanceof GroupOutcome.Lost stopping && !(stopping.fault() instanceof Fault.DropGroup)) {
            lost = lost == null ? stopping.fault() : lost;
        }
        return this;
    }

    private void tellListener(RunEvent event) {
        if (listenerFailure != null) {
            return;
        }
        try {
            listener.heard(event);
        } catch (RuntimeException failure) {
            context.getLog().error("the listener failed at evaluation {}", request.name(), failure);
            listenerFailure = new Fault.StopRun("the listener failed at evaluation %s: %s"
                    .formatted(
                            request.name(),
                            failure instanceof UncheckedIOException ? ErrorReason.of(failure) : failure.toString()));
            lost = listenerFailure;
        }
    }

    private RunEvent.Evaluated allLost(Fault fault) {
        List<GroupOutcome> all = new ArrayList<>();
        for (int group = 0; group < endings.length; group++) {
            all.add(new GroupOutcome.Lost(request.rollout(group), fault));
        }
        return new RunEvent.Evaluated(request, all);
    }

    private Behavior<Command> onCoordinatorGone(int group) {
        coordinators.remove(group);
        if (endings[group] == null && !abandoned) {
            endings[group] = new GroupOutcome.Lost(
                    request.rollout(group), new Fault.DropGroup("its coordinator died; the log says why"));
        }
        return next();
    }

    private Behavior<Command> onAbandon() {
        abandoned = true; // EV-3
        coordinators.values().forEach(coordinator -> coordinator.tell(new GroupCoordinator.Abandon()));
        return coordinators.isEmpty() ? end() : this;
    }

    private Behavior<Command> end() {
        List<GroupOutcome> all = Arrays.stream(endings).filter(Objects::nonNull).toList();
        if (!abandoned) {
            RunEvent.Evaluated evaluated = new RunEvent.Evaluated(request, all);
            tellListener(evaluated);
            parent.tell(listenerFailure == null ? evaluated : allLost(listenerFailure)); // EV-1
        } else if (givenUp) {
            parent.tell(allLost(new Fault.StopRun(request.name() + " was given up: the process is to end"))); // EV-3
        }
        all.forEach(ending -> ending.release(release)); // EV-2
        return Behaviors.stopped();
    }
}
