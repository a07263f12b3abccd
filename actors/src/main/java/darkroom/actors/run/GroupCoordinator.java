package darkroom.actors.run;

import darkroom.actors.device.Fault;
import darkroom.actors.device.GroupOutcome;
import darkroom.actors.device.ImageAddress;
import darkroom.actors.device.RolloutResult;
import darkroom.actors.device.RolloutUnit;
import darkroom.actors.device.ScoreOutcome;
import darkroom.actors.device.ScoreUnit;
import darkroom.actors.ledger.GroupLedger;
import darkroom.actors.ledger.Ledger;
import darkroom.actors.ledger.LedgerEvent;
import darkroom.actors.workqueue.SwitchBehavior;
import darkroom.actors.workqueue.WorkQueue;
import darkroom.actors.workqueue.WorkQueues;
import darkroom.config.LimitSettings;
import darkroom.tensors.TensorPlane;
import darkroom.tensors.TensorRef;
import java.time.Instant;
import java.time.InstantSource;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.function.Consumer;
import java.util.stream.IntStream;
import org.apache.pekko.actor.typed.ActorRef;
import org.apache.pekko.actor.typed.Behavior;
import org.apache.pekko.actor.typed.javadsl.ActorContext;
import org.apache.pekko.actor.typed.javadsl.Behaviors;
import org.jspecify.annotations.Nullable;

/**
 * Coordinates one image group: has its images generated and each of them scored, and ends.
 *
 * <ul>
 *   <li><b>GC-1</b> A group ends once: with {@link GroupOutcome.Finished} or with {@link GroupOutcome.Lost}, never both.
 *   <li><b>GC-2</b> A second rollout or a second score changes nothing; the tensors of a second rollout are released.
 *   <li><b>GC-3</b> A group that ended has exactly one image and one outcome per slot; its parent owns the images' tensors.
 *   <li><b>GC-4</b> A slot that cannot be scored is unscored, with the reason, never a number.
 *   <li><b>GC-5</b> Images that are lost before they are scored are generated again, at most
 *       {@code limits.work-attempts-max} times; no slot that has a score is scored again. The same applies to images that
 *       cannot be taken over from the node that generated them, and to those whose inputs were not available there: the
 *       inputs are tensors of this node, and alive.
 *   <li><b>GC-6</b> An abandoned group sends no outcome, and leaves no tensor behind.
 *   <li><b>GC-7</b> Images are scored, shown and trained on once this node owns them: the death of the node that generated
 *       them costs nothing after that.
 *   <li><b>GC-8</b> With a ledger, a slot's outcome counts once it is written, and a slot with a recorded outcome is not
 *       scored again. Images that are generated again equal the recorded ones, or the run ends with the name of the slot.
 * </ul>
 */
public final class GroupCoordinator extends SwitchBehavior<GroupCoordinator.Command> {

    /** Messages to a group coordinator. */
    public sealed interface Command {}

    /** Abandons the group, which is no longer needed. */
    public record Abandon() implements Command {}

    private record Taken(
            RolloutResult generated,
            @Nullable List<TensorRef> tensors,
            @Nullable Throwable failure) implements Command {}

    private record OutcomesWritten(Ledger.Written written) implements Command {}

    private record RolloutAnswered(WorkQueue.Reply<RolloutUnit, RolloutResult> answer) implements Command {}

    private record ScoreAnswered(WorkQueue.Reply<ScoreUnit, ScoreOutcome> answer) implements Command {}

    private final RolloutUnit rollout;
    private final WorkQueues queues;
    private final LimitSettings limits;
    private final TensorPlane plane;
    private final Consumer<TensorRef> release;
    private final ActorRef<Command> self;
    private final InstantSource clock;
    private final ActorRef<? super GroupOutcome> parent;
    private final @Nullable GroupLedger ledger;
    private final ActorRef<Ledger.Written> writtenHere;
    private final ActorRef<WorkQueue.Reply<RolloutUnit, RolloutResult>> rolloutAnswers;
    private final ActorRef<WorkQueue.Reply<ScoreUnit, ScoreOutcome>> scoreAnswers;

    private final @Nullable ScoreOutcome[] outcomes;
    private final Set<Integer> beingScored = new HashSet<>();
    private final Set<Integer> beingWritten = new HashSet<>();
    private LedgerEvent.@Nullable GroupGenerated recorded;
    private int generations = 1;
    private Phase phase = new Phase.Generating();

    /** The phase of a group. */
    private sealed interface Phase {
        /** A worker generates them. */
        record Generating() implements Phase {}

        /** This node takes them over (GC-7). */
        record TakingOver() implements Phase {}

        /** This node has them. */
        record Generated(RolloutResult images, Instant at) implements Phase {}

        /**
         * The group is abandoned and has none (GC-6).
         *
         * @param outstanding number of messages that follow
         */
        record Abandoned(int outstanding) implements Phase {}
    }

    private GroupCoordinator(
            ActorContext<Command> context,
            RolloutUnit rollout,
            WorkPorts ports,
            @Nullable GroupLedger ledger,
            ActorRef<? super GroupOutcome> parent) {
        this.rollout = rollout;
        this.queues = ports.queues();
        this.limits = ports.limits();
        this.plane = ports.plane();
        this.release = ports.release();
        this.self = context.getSelf();
        this.clock = ports.clock();
        this.parent = parent;
        this.ledger = ledger;
        this.outcomes = new ScoreOutcome[rollout.slots()];
        if (ledger != null) {
            ledger.outcomes().forEach((slot, outcome) -> outcomes[slot] = outcome); // GC-8
            recorded = ledger.generated().orElse(null);
        }
        this.writtenHere = context.messageAdapter(Ledger.Written.class, OutcomesWritten::new);
        this.rolloutAnswers = heardAs(context, RolloutAnswered::new);
        this.scoreAnswers = heardAs(context, ScoreAnswered::new);
        queues.rollout().tell(new WorkQueue.Submit<>(rollout, rolloutAnswers));
    }

    /**
     * Creates a group coordinator.
     *
     * @param rollout the group
     * @param ports its queues process the units; its plane takes the images over
     * @param ledger recorded events of the group, and the recipient of further ones; null for a group that is never resumed
     * @param parent receives the one outcome
     */
    public static Behavior<Command> create(
            RolloutUnit rollout, WorkPorts ports, @Nullable GroupLedger ledger, ActorRef<? super GroupOutcome> parent) {
        return Behaviors.setup(context -> new GroupCoordinator(context, rollout, ports, ledger, parent));
    }

    @Override
    public Behavior<Command> onMessage(Command command) {
        return switch (command) {
            case RolloutAnswered(WorkQueue.Done<RolloutUnit, RolloutResult>(RolloutUnit asked, RolloutResult result)) ->
                onGenerated(result);
            case RolloutAnswered(
                    WorkQueue.Refused<RolloutUnit, RolloutResult>(RolloutUnit asked, Fault.InputLost lost)) ->
                onInputNotHad(lost);
            case RolloutAnswered(WorkQueue.Refused<RolloutUnit, RolloutResult>(RolloutUnit asked, Fault fault)) ->
                onNotGenerated(fault);
            case RolloutAnswered(WorkQueue.Withdrawn<RolloutUnit, RolloutResult>()) -> oneMessageLess();
            case ScoreAnswered(WorkQueue.Done<ScoreUnit, ScoreOutcome>(ScoreUnit unit, ScoreOutcome outcome)) ->
                onScored(unit.address().slot(), outcome);
            case ScoreAnswered(WorkQueue.Refused<ScoreUnit, ScoreOutcome>(ScoreUnit unit, Fault fault)) ->
                onNotScored(unit, fault);
            case ScoreAnswered(WorkQueue.Withdrawn<ScoreUnit, ScoreOutcome>()) -> oneMessageLess();
            case OutcomesWritten(Ledger.Written(List<LedgerEvent> events)) -> onWritten(events);
            case Taken(RolloutResult from, List<TensorRef> tensors, Throwable failure) ->
                onTaken(from, tensors, failure);
            case Abandon() -> onAbandon();
        };
    }

    private Behavior<Command> onGenerated(RolloutResult result) {
        if (!isGenerating()) {
            result.tensors().forEach(release); // GC-2, GC-6
            return this;
        }
        if (result.images().size() != rollout.slots()) {
            result.tensors().forEach(release);
            return end(new GroupOutcome.Lost(
                    rollout,
                    new Fault.StopRun("%s has %d images, not %d: the device broke its contract"
                            .formatted(rollout.name(), result.images().size(), rollout.slots()))));
        }
        phase = new Phase.TakingOver(); // GC-7
        plane.adopt(result.tensors())
                .whenComplete((tensors, failure) -> self.tell(new Taken(result, tensors, failure)));
        return this;
    }

    private Behavior<Command> onTaken(
            RolloutResult from, @Nullable List<TensorRef> tensors, @Nullable Throwable failure) {
        RolloutResult result = tensors == null ? from : from.with(tensors);
        if (phase instanceof Phase.Abandoned) {
            result.tensors().forEach(release); // GC-6
            return oneMessageLess();
        }
        if (tensors == null) {
            from.tensors().forEach(release);
            phase = new Phase.Generating();
            return rolloutAgain("its images could not be taken over: " + failure);
        }
        phase = new Phase.Generated(result, clock.instant());
        String difference = ledger == null ? "" : recordImages(ledger, result);
        if (!difference.isEmpty()) {
            return abandonAfter(new GroupOutcome.Lost(rollout, new Fault.StopRun(difference)));
        }
        for (int slot = 0; slot < rollout.slots(); slot++) {
            if (!isSettled(slot) && !beingScored.contains(slot)) {
                score(slot, result);
            }
        }
        return endIfScored();
    }

    /** Records the images (GC-8); returns empty, or how they differ from the recorded ones. */
    private String recordImages(GroupLedger into, RolloutResult images) {
        LedgerEvent.GroupGenerated now = GroupLedger.digest(rollout, images, plane.store());
        LedgerEvent.GroupGenerated before = recorded;
        if (before == null) {
            recorded = now;
            into.ledger().tell(Ledger.Write.of(now));
            return "";
        }
        return GroupLedger.difference(before, now);
    }

    /** Whether the outcome of a slot is known, including one that is still being written. */
    private boolean isSettled(int slot) {
        return outcomes[slot] != null || beingWritten.contains(slot);
    }

    private void score(int slot, RolloutResult images) {
        beingScored.add(slot);
        ImageAddress address = new ImageAddress(rollout.run(), rollout.step(), rollout.group(), slot);
        TensorRef pixels = images.images().get(slot).pixels();
        queues.score().tell(new WorkQueue.Submit<>(new ScoreUnit(address, rollout.prompt(), pixels), scoreAnswers));
    }

    private Behavior<Command> onNotGenerated(Fault fault) {
        if (!isGenerating()) {
            return this;
        }
        GroupOutcome.Lost ending = new GroupOutcome.Lost(rollout, fault);
        return beingScored.isEmpty() ? end(ending) : abandonAfter(ending);
    }

    private Behavior<Command> onInputNotHad(Fault.InputLost lost) {
        return isGenerating() ? rolloutAgain(lost.message()) : this; // GC-5
    }

    private Behavior<Command> onScored(int slot, ScoreOutcome outcome) {
        beingScored.remove(slot);
        if (isAbandoned() || isSettled(slot)) {
            return this; // GC-2
        }
        GroupLedger into = ledger;
        if (into == null) {
            outcomes[slot] = outcome;
            return endIfScored();
        }
        beingWritten.add(slot);
        ImageAddress address = new ImageAddress(rollout.run(), rollout.step(), rollout.group(), slot);
        into.ledger()
                .tell(new Ledger.Write(
                        List.of(LedgerEvent.SampleOutcome.of(address, outcome)),
                        Optional.of(writtenHere), // GC-8
                        IntStream.range(0, rollout.slots()).allMatch(this::isSettled)));
        return this;
    }

    private Behavior<Command> onWritten(List<LedgerEvent> events) {
        for (LedgerEvent event : events) {
            if (event instanceof LedgerEvent.SampleOutcome fate && beingWritten.remove(fate.slot())) {
                outcomes[fate.slot()] = fate.outcome();
            }
        }
        return isAbandoned() ? this : endIfScored();
    }

    private Behavior<Command> onNotScored(ScoreUnit unit, Fault fault) {
        int slot = unit.address().slot();
        if (isAbandoned() || isSettled(slot)) {
            return this;
        }
        return switch (fault) {
            case Fault.InputLost lost -> onImageLost(unit, lost);
            case Fault.StopRun stop -> abandonAfter(new GroupOutcome.Lost(rollout, stop));
            case Fault.Retry(String message) -> onScored(slot, new ScoreOutcome.Unscored(message, 0)); // GC-4
            case Fault.Exhausted(String message) -> onScored(slot, new ScoreOutcome.Unscored(message, 0)); // GC-4
            case Fault.DropGroup(String message) -> onScored(slot, new ScoreOutcome.Unscored(message, 0)); // GC-4
        };
    }

    /** Generates lost images again (GC-5). */
    private Behavior<Command> onImageLost(ScoreUnit unit, Fault.InputLost fault) {
        int slot = unit.address().slot();
        beingScored.remove(slot);
        if (!(phase instanceof Phase.Generated(RolloutResult current, Instant _))) {
            return this;
        }
        if (!current.images().get(slot).pixels().equals(unit.pixels())) {
            score(slot, current);
            return this;
        }
        if (generations >= limits.workAttemptsMax()) {
            return onScored(slot, new ScoreOutcome.Unscored(fault.message(), 0));
        }
        current.tensors().forEach(release);
        phase = new Phase.Generating();
        return rolloutAgain(fault.message());
    }

    private Behavior<Command> rolloutAgain(String why) {
        if (generations >= limits.workAttemptsMax()) {
            return onNotGenerated(
                    new Fault.StopRun("%s was generated %d times, limits.work-attempts-max=%d; the last time %s"
                            .formatted(rollout.name(), generations, limits.workAttemptsMax(), why)));
        }
        generations++;
        queues.rollout().tell(new WorkQueue.Submit<>(rollout, rolloutAnswers));
        return this;
    }

    private Behavior<Command> endIfScored() {
        if (!(phase instanceof Phase.Generated(RolloutResult images, Instant generatedAt))
                || Arrays.stream(outcomes).anyMatch(Objects::isNull)) {
            return this;
        }
        List<ScoreOutcome> all =
                Arrays.stream(outcomes).map(Objects::requireNonNull).toList();
        return end(new GroupOutcome.Finished(rollout, images, all, generatedAt)); // GC-3
    }

    private boolean isGenerating() {
        return phase instanceof Phase.Generating;
    }

    private boolean isAbandoned() {
        return phase instanceof Phase.Abandoned;
    }

    private Behavior<Command> onAbandon() {
        withdraw();
        return this;
    }

    private Behavior<Command> abandonAfter(GroupOutcome.Lost ending) {
        parent.tell(ending);
        withdraw();
        return this;
    }

    private void withdraw() {
        switch (phase) {
            case Phase.Generating() -> withdrawAwaiting(2);
            case Phase.TakingOver() -> withdrawAwaiting(3);
            case Phase.Generated(RolloutResult images, Instant _) -> {
                images.tensors().forEach(release); // GC-6
                withdrawAwaiting(2);
            }
            case Phase.Abandoned _ -> {}
        }
    }

    private void withdrawAwaiting(int messages) {
        phase = new Phase.Abandoned(messages);
        queues.rollout().tell(new WorkQueue.Withdraw<>(rolloutAnswers));
        queues.score().tell(new WorkQueue.Withdraw<>(scoreAnswers));
    }

    private Behavior<Command> oneMessageLess() {
        if (!(phase instanceof Phase.Abandoned(int outstanding))) {
            return this;
        }
        phase = new Phase.Abandoned(outstanding - 1);
        return outstanding > 1 ? this : Behaviors.stopped();
    }

    /** Ends with an outcome; the only such exit while units are not outstanding (GC-1). */
    private Behavior<Command> end(GroupOutcome ending) {
        parent.tell(ending);
        return Behaviors.stopped();
    }
}
