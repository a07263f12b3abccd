package darkroom.actors;

import darkroom.config.ErrorReason;
import darkroom.config.LimitSettings;
import java.io.UncheckedIOException;
import java.time.InstantSource;
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
 * Has all prompts of an {@link EvaluationRequest} drawn and scored, a window of {@code limits.groups-in-flight-max} groups
 * at a time, tells the listener, and ends.
 *
 * <ul>
 *   <li><b>EV-1</b> It tells its parent once, after the listener, with one ending a prompt, in prompt order. A listener
 *       that fails ends it: all its groups are then lost.
 *   <li><b>EV-2</b> It leaves no tensor behind.
 *   <li><b>EV-3</b> It stops at once when abandoned, and says nothing. One that is given up stops at once, too, tells its parent that
 *       all its groups are lost, and the listener nothing.
 * </ul>
 */
final class Evaluation extends SwitchBehavior<Evaluation.Command> {

    sealed interface Command {}

    record Abandon() implements Command {}

    /** The process is asked to end: EV-3. */
    record GiveUp() implements Command {}

    private record KeeperEnded(GroupKeeper.Ending ending) implements Command {}

    private record KeeperGone(int group) implements Command {}

    private final ActorContext<Command> context;
    private final EvaluationRequest request;
    private final Desks desks;
    private final LimitSettings limits;
    private final TensorPlane plane;
    private final Consumer<TensorRef> release;
    private final InstantSource clock;
    private final RunListener listener;
    private final ActorRef<? super RunEvent.Evaluated> parent;
    private final ActorRef<GroupKeeper.Ending> endingsHere;
    private final GroupKeeper.@Nullable Ending[] endings;
    private final Map<Integer, ActorRef<GroupKeeper.Command>> keepers = new HashMap<>();
    private @Nullable Fault lost;
    private @Nullable Fault listenerFailure;
    private int opened;
    private boolean abandoned;
    private boolean givenUp;

    private Evaluation(
            ActorContext<Command> context,
            EvaluationRequest request,
            Desks desks,
            LimitSettings limits,
            TensorPlane plane,
            InstantSource clock,
            RunListener listener,
            ActorRef<? super RunEvent.Evaluated> parent) {
        this.context = context;
        this.request = request;
        this.desks = desks;
        this.limits = limits;
        this.plane = plane;
        this.release = plane.store()::release;
        this.clock = clock;
        this.listener = listener;
        this.parent = parent;
        this.endingsHere = context.messageAdapter(GroupKeeper.Ending.class, KeeperEnded::new);
        this.endings = new GroupKeeper.Ending[request.prompts().size()];
    }

    static Behavior<Command> create(
            EvaluationRequest request,
            Desks desks,
            LimitSettings limits,
            TensorPlane plane,
            InstantSource clock,
            RunListener listener,
            ActorRef<? super RunEvent.Evaluated> parent) {
        return Behaviors.setup(context -> {
            Evaluation evaluation = new Evaluation(context, request, desks, limits, plane, clock, listener, parent);
            return evaluation.next();
        });
    }

    @Override
    Behavior<Command> onMessage(Command command) {
        return switch (command) {
            case KeeperEnded(GroupKeeper.Ending ending) -> onKeeperEnded(ending);
            case KeeperGone(int group) -> onKeeperGone(group);
            case Abandon() -> onAbandon();
            case GiveUp() -> {
                givenUp = true;
                yield onAbandon();
            }
        };
    }

    private Behavior<Command> next() {
        while (opened < endings.length && keepers.size() < limits.groupsInFlightMax() && !abandoned) {
            int group = opened++;
            DrawUnit draw = request.draw(group);
            if (lost != null) {
                endings[group] = new GroupKeeper.GroupLost(draw, lost);
                continue;
            }
            ActorRef<GroupKeeper.Command> keeper = context.spawn(
                    GroupKeeper.create(draw, desks, limits, plane, clock, null, endingsHere), "group-" + group);
            context.watchWith(keeper, new KeeperGone(group));
            keepers.put(group, keeper);
        }
        return keepers.isEmpty() ? end() : this;
    }

    private Behavior<Command> onKeeperEnded(GroupKeeper.Ending ending) {
        if (abandoned) {
            Endings.release(ending, release); // EV-2
            return this;
        }
        endings[ending.draw().group()] = ending;
        tellListener(new RunEvent.GroupFinished(request.name(), ending));
        if (ending instanceof GroupKeeper.GroupLost stopping && !(stopping.fault() instanceof Fault.DropGroup)) {
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
        List<GroupKeeper.Ending> all = new ArrayList<>();
        for (int group = 0; group < endings.length; group++) {
            all.add(new GroupKeeper.GroupLost(request.draw(group), fault));
        }
        return new RunEvent.Evaluated(request, all);
    }

    private Behavior<Command> onKeeperGone(int group) {
        keepers.remove(group);
        if (endings[group] == null && !abandoned) {
            endings[group] = new GroupKeeper.GroupLost(
                    request.draw(group), new Fault.DropGroup("its keeper died; the log says why"));
        }
        return next();
    }

    private Behavior<Command> onAbandon() {
        abandoned = true; // EV-3
        keepers.values().forEach(keeper -> keeper.tell(new GroupKeeper.Abandon()));
        return keepers.isEmpty() ? end() : this;
    }

    private Behavior<Command> end() {
        List<GroupKeeper.Ending> all =
                Arrays.stream(endings).filter(Objects::nonNull).toList();
        if (!abandoned) {
            RunEvent.Evaluated evaluated = new RunEvent.Evaluated(request, all);
            tellListener(evaluated);
            parent.tell(listenerFailure == null ? evaluated : allLost(listenerFailure)); // EV-1
        } else if (givenUp) {
            parent.tell(allLost(new Fault.StopRun(request.name() + " was given up: the process is to end"))); // EV-3
        }
        all.forEach(ending -> Endings.release(ending, release)); // EV-2
        return Behaviors.stopped();
    }
}
