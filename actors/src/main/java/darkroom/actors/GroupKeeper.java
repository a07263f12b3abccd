package darkroom.actors;

import darkroom.config.LimitSettings;
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
 * Has the images of one group drawn, has each of them scored, and ends.
 *
 * <ul>
 *   <li><b>GK-1</b> A group ends once: with {@link GroupEnded} or with {@link GroupLost}, never both.
 *   <li><b>GK-2</b> A second drawing or a second score changes nothing; the tensors of a second drawing are released.
 *   <li><b>GK-3</b> A group that ended has exactly one image and one outcome a slot; its parent owns the images' tensors.
 *   <li><b>GK-4</b> A slot that nobody can score is unscored, with the reason, never a number.
 *   <li><b>GK-5</b> Images that are lost before they are scored are drawn again, at most {@code limits.work-attempts-max}
 *       times; no slot that has a score is scored again. So are images that cannot be taken over from where they were drawn, and
 *       those whose inputs could not be had there: the inputs are this node's, and alive.
 *   <li><b>GK-6</b> An abandoned group says nothing, and leaves no tensor behind.
 *   <li><b>GK-7</b> Images are scored, shown and learned from once this node owns them: the death of whoever drew them costs
 *       nothing after that.
 *   <li><b>GK-8</b> With a ledger, a slot's outcome counts once it is written, and a slot whose outcome was written before is
 *       not asked about. Images that are drawn again are those that were drawn before, or the run ends with the name of the slot.
 * </ul>
 */
public final class GroupKeeper extends SwitchBehavior<GroupKeeper.Command> {

    /** What a keeper is told. */
    public sealed interface Command {}

    /** Nobody wants this group any more. */
    public record Abandon() implements Command {}

    private record Taken(
            Drawn drawn,
            @Nullable List<TensorRef> tensors,
            @Nullable Throwable failure) implements Command {}

    private record OutcomesWritten(Ledger.Written written) implements Command {}

    private record DrawAnswered(WorkDesk.Answer<DrawUnit, Drawn> answer) implements Command {}

    private record ScoreAnswered(WorkDesk.Answer<ScoreUnit, ScoreOutcome> answer) implements Command {}

    /** How a group ends. */
    public sealed interface Ending {
        DrawUnit draw();
    }

    /**
     * All images are drawn, and each is scored or known to be unscored.
     *
     * @param outcomes in slot order
     * @param drawnAt when the images were there
     */
    public record GroupEnded(DrawUnit draw, Drawn drawn, List<ScoreOutcome> outcomes, Instant drawnAt)
            implements Ending {
        public GroupEnded {
            outcomes = List.copyOf(outcomes);
        }
    }

    /** The group could not be drawn. */
    public record GroupLost(DrawUnit draw, Fault fault) implements Ending {}

    private final DrawUnit draw;
    private final Desks desks;
    private final LimitSettings limits;
    private final TensorPlane plane;
    private final Consumer<TensorRef> release;
    private final ActorRef<Command> self;
    private final InstantSource clock;
    private final ActorRef<? super Ending> parent;
    private final @Nullable GroupLedger ledger;
    private final ActorRef<Ledger.Written> writtenHere;
    private final ActorRef<WorkDesk.Answer<DrawUnit, Drawn>> drawAnswers;
    private final ActorRef<WorkDesk.Answer<ScoreUnit, ScoreOutcome>> scoreAnswers;

    private final @Nullable ScoreOutcome[] outcomes;
    private final Set<Integer> beingScored = new HashSet<>();
    private final Set<Integer> beingWritten = new HashSet<>();
    private LedgerEvent.@Nullable GroupDrawn recorded;
    private @Nullable Drawn drawn;
    private Instant drawnAt = Instant.MIN;
    private int drawings = 1;
    private boolean taking;
    private boolean abandoned;
    private int wordsAwaited;

    private GroupKeeper(
            ActorContext<Command> context,
            DrawUnit draw,
            Desks desks,
            LimitSettings limits,
            TensorPlane plane,
            InstantSource clock,
            @Nullable GroupLedger ledger,
            ActorRef<? super Ending> parent) {
        this.draw = draw;
        this.desks = desks;
        this.limits = limits;
        this.plane = plane;
        this.release = plane.store()::release;
        this.self = context.getSelf();
        this.clock = clock;
        this.parent = parent;
        this.ledger = ledger;
        this.outcomes = new ScoreOutcome[draw.slots()];
        if (ledger != null) {
            ledger.outcomes().forEach((slot, outcome) -> outcomes[slot] = outcome); // GK-8
            recorded = ledger.drawn().orElse(null);
        }
        this.writtenHere = context.messageAdapter(Ledger.Written.class, OutcomesWritten::new);
        this.drawAnswers = heardAs(context, DrawAnswered::new);
        this.scoreAnswers = heardAs(context, ScoreAnswered::new);
        desks.draw().tell(new WorkDesk.Submit<>(draw, drawAnswers));
    }

    /**
     * @param draw the group
     * @param plane takes the images over
     * @param clock for reports only
     * @param ledger what is recorded of the group, and where more is; null for a group that nobody will ask about again
     * @param parent hears the one ending
     */
    public static Behavior<Command> create(
            DrawUnit draw,
            Desks desks,
            LimitSettings limits,
            TensorPlane plane,
            InstantSource clock,
            @Nullable GroupLedger ledger,
            ActorRef<? super Ending> parent) {
        return Behaviors.setup(context -> new GroupKeeper(context, draw, desks, limits, plane, clock, ledger, parent));
    }

    @Override
    Behavior<Command> onMessage(Command command) {
        return switch (command) {
            case DrawAnswered(WorkDesk.Done<DrawUnit, Drawn>(DrawUnit asked, Drawn result)) -> onDrawn(result);
            case DrawAnswered(WorkDesk.Refused<DrawUnit, Drawn>(DrawUnit asked, Fault.InputLost lost)) ->
                onInputNotHad(lost);
            case DrawAnswered(WorkDesk.Refused<DrawUnit, Drawn>(DrawUnit asked, Fault fault)) -> onNotDrawn(fault);
            case DrawAnswered(WorkDesk.Withdrawn<DrawUnit, Drawn>()) -> oneWordLess();
            case ScoreAnswered(WorkDesk.Done<ScoreUnit, ScoreOutcome>(ScoreUnit unit, ScoreOutcome outcome)) ->
                onScored(unit.address().slot(), outcome);
            case ScoreAnswered(WorkDesk.Refused<ScoreUnit, ScoreOutcome>(ScoreUnit unit, Fault fault)) ->
                onNotScored(unit, fault);
            case ScoreAnswered(WorkDesk.Withdrawn<ScoreUnit, ScoreOutcome>()) -> oneWordLess();
            case OutcomesWritten(Ledger.Written(List<LedgerEvent> events)) -> onWritten(events);
            case Taken(Drawn from, List<TensorRef> tensors, Throwable failure) -> onTaken(from, tensors, failure);
            case Abandon() -> onAbandon();
        };
    }

    private Behavior<Command> onDrawn(Drawn result) {
        if (abandoned || taking || drawn != null) {
            result.tensors().forEach(release); // GK-2, GK-6
            return this;
        }
        if (result.images().size() != draw.slots()) {
            result.tensors().forEach(release);
            return end(new GroupLost(
                    draw,
                    new Fault.StopRun("%s has %d images, not %d: the device broke its contract"
                            .formatted(draw.name(), result.images().size(), draw.slots()))));
        }
        taking = true; // GK-7
        plane.adopt(result.tensors())
                .whenComplete((tensors, failure) -> self.tell(new Taken(result, tensors, failure)));
        return this;
    }

    private Behavior<Command> onTaken(Drawn from, @Nullable List<TensorRef> tensors, @Nullable Throwable failure) {
        taking = false;
        Drawn result = tensors == null ? from : from.with(tensors);
        if (abandoned) {
            result.tensors().forEach(release); // GK-6
            return oneWordLess();
        }
        if (tensors == null) {
            from.tensors().forEach(release);
            return drawAgain("its images could not be taken over: " + failure);
        }
        drawn = result;
        drawnAt = clock.instant();
        String difference = ledger == null ? "" : recordImages(ledger, result);
        if (!difference.isEmpty()) {
            return abandonAfter(new GroupLost(draw, new Fault.StopRun(difference)));
        }
        for (int slot = 0; slot < draw.slots(); slot++) {
            if (!isSettled(slot) && !beingScored.contains(slot)) {
                score(slot, result);
            }
        }
        return endIfScored();
    }

    /** GK-8: empty, or how the images differ from those that are recorded. */
    private String recordImages(GroupLedger into, Drawn images) {
        LedgerEvent.GroupDrawn now = GroupLedger.digest(draw, images, plane.store());
        LedgerEvent.GroupDrawn before = recorded;
        if (before == null) {
            recorded = now;
            into.ledger().tell(Ledger.Write.of(now));
            return "";
        }
        return GroupLedger.difference(before, now);
    }

    /** Whether the outcome of a slot is known, be it that it is only being written. */
    private boolean isSettled(int slot) {
        return outcomes[slot] != null || beingWritten.contains(slot);
    }

    private void score(int slot, Drawn images) {
        beingScored.add(slot);
        ImageAddress address = new ImageAddress(draw.run(), draw.step(), draw.group(), slot);
        TensorRef pixels = images.images().get(slot).pixels();
        desks.score().tell(new WorkDesk.Submit<>(new ScoreUnit(address, draw.prompt(), pixels), scoreAnswers));
    }

    private Behavior<Command> onNotDrawn(Fault fault) {
        if (abandoned || taking || drawn != null) {
            return this;
        }
        GroupLost ending = new GroupLost(draw, fault);
        return beingScored.isEmpty() ? end(ending) : abandonAfter(ending);
    }

    private Behavior<Command> onInputNotHad(Fault.InputLost lost) {
        return abandoned || taking || drawn != null ? this : drawAgain(lost.message()); // GK-5
    }

    private Behavior<Command> onScored(int slot, ScoreOutcome outcome) {
        beingScored.remove(slot);
        if (abandoned || isSettled(slot)) {
            return this; // GK-2
        }
        GroupLedger into = ledger;
        if (into == null) {
            outcomes[slot] = outcome;
            return endIfScored();
        }
        beingWritten.add(slot);
        ImageAddress address = new ImageAddress(draw.run(), draw.step(), draw.group(), slot);
        into.ledger()
                .tell(new Ledger.Write(
                        List.of(LedgerEvent.SlotFate.of(address, outcome)),
                        Optional.of(writtenHere), // GK-8
                        IntStream.range(0, draw.slots()).allMatch(this::isSettled)));
        return this;
    }

    private Behavior<Command> onWritten(List<LedgerEvent> events) {
        for (LedgerEvent event : events) {
            if (event instanceof LedgerEvent.SlotFate fate && beingWritten.remove(fate.slot())) {
                outcomes[fate.slot()] = fate.outcome();
            }
        }
        return abandoned ? this : endIfScored();
    }

    private Behavior<Command> onNotScored(ScoreUnit unit, Fault fault) {
        int slot = unit.address().slot();
        if (abandoned || isSettled(slot)) {
            return this;
        }
        return switch (fault) {
            case Fault.InputLost lost -> onImageLost(unit, lost);
            case Fault.StopRun stop -> abandonAfter(new GroupLost(draw, stop));
            case Fault.Retry(String message) -> onScored(slot, new ScoreOutcome.Unscored(message, 0)); // GK-4
            case Fault.Exhausted(String message) -> onScored(slot, new ScoreOutcome.Unscored(message, 0)); // GK-4
            case Fault.DropGroup(String message) -> onScored(slot, new ScoreOutcome.Unscored(message, 0)); // GK-4
        };
    }

    /** GK-5. */
    private Behavior<Command> onImageLost(ScoreUnit unit, Fault.InputLost fault) {
        int slot = unit.address().slot();
        beingScored.remove(slot);
        Drawn current = drawn;
        if (current == null) {
            return this;
        }
        if (!current.images().get(slot).pixels().equals(unit.pixels())) {
            score(slot, current);
            return this;
        }
        if (drawings >= limits.workAttemptsMax()) {
            return onScored(slot, new ScoreOutcome.Unscored(fault.message(), 0));
        }
        current.tensors().forEach(release);
        drawn = null;
        return drawAgain(fault.message());
    }

    private Behavior<Command> drawAgain(String why) {
        if (drawings >= limits.workAttemptsMax()) {
            return onNotDrawn(new Fault.StopRun("%s was drawn %d times, limits.work-attempts-max=%d; the last time %s"
                    .formatted(draw.name(), drawings, limits.workAttemptsMax(), why)));
        }
        drawings++;
        desks.draw().tell(new WorkDesk.Submit<>(draw, drawAnswers));
        return this;
    }

    private Behavior<Command> endIfScored() {
        Drawn images = drawn;
        if (images == null || Arrays.stream(outcomes).anyMatch(Objects::isNull)) {
            return this;
        }
        List<ScoreOutcome> all =
                Arrays.stream(outcomes).map(Objects::requireNonNull).toList();
        return end(new GroupEnded(draw, images, all, drawnAt)); // GK-3
    }

    private Behavior<Command> onAbandon() {
        if (!abandoned) {
            withdraw();
        }
        return this;
    }

    private Behavior<Command> abandonAfter(GroupLost ending) {
        parent.tell(ending);
        withdraw();
        return this;
    }

    private void withdraw() {
        abandoned = true;
        Drawn images = drawn;
        if (images != null) {
            images.tensors().forEach(release); // GK-6
            drawn = null;
        }
        wordsAwaited = taking ? 3 : 2;
        desks.draw().tell(new WorkDesk.Withdraw<>(drawAnswers));
        desks.score().tell(new WorkDesk.Withdraw<>(scoreAnswers));
    }

    private Behavior<Command> oneWordLess() {
        wordsAwaited--;
        return wordsAwaited > 0 ? this : Behaviors.stopped();
    }

    /** The only way out with an ending while units are not outstanding: GK-1. */
    private Behavior<Command> end(Ending ending) {
        parent.tell(ending);
        return Behaviors.stopped();
    }
}
