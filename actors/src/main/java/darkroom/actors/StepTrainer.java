package darkroom.actors;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Objects;
import java.util.function.Consumer;
import org.apache.pekko.actor.typed.ActorRef;
import org.apache.pekko.actor.typed.Behavior;
import org.apache.pekko.actor.typed.javadsl.ActorContext;
import org.apache.pekko.actor.typed.javadsl.Behaviors;
import org.jspecify.annotations.Nullable;

/**
 * Has the optimizer steps of one training step taken, and ends.
 *
 * <ul>
 *   <li><b>ST-1</b> It ends once, with {@link StepLearned} or with {@link StepFailed}.
 *   <li><b>ST-2</b> An update gets the gradients of its pass in unit order, whatever the order they came in.
 *   <li><b>ST-3</b> Pass p + 1 begins with the state that pass p made.
 *   <li><b>ST-4</b> Gradients are released once they are applied, and states between passes once they are replaced. The
 *       first state stays with its owner; the last one belongs to the parent.
 *   <li><b>ST-5</b> An abandoned step says nothing and leaves no tensor behind.
 * </ul>
 */
public final class StepTrainer extends SwitchBehavior<StepTrainer.Command> {

    /** What the trainer of a step is told. */
    public sealed interface Command {}

    /** Nobody wants this step any more. */
    public record Abandon() implements Command {}

    private record Answered(WorkDesk.Answer<TrainUnit, Trained> answer) implements Command {}

    /** How it ends. */
    public sealed interface Ending {}

    /** @param passes one entry an optimizer step */
    public record StepLearned(int step, LearnerState state, List<PassStatistics> passes) implements Ending {
        public StepLearned {
            passes = List.copyOf(passes);
        }
    }

    /** The step cannot be taken; nothing of it is committed. */
    public record StepFailed(int step, Fault fault) implements Ending {}

    private final String run;
    private final long seed;
    private final int step;
    private final LessonPlan plan;
    private final ActorRef<WorkDesk.Command<TrainUnit, Trained>> desk;
    private final Consumer<TensorRef> release;
    private final ActorRef<? super Ending> parent;
    private final ActorRef<WorkDesk.Answer<TrainUnit, Trained>> answers;
    private final List<PassStatistics> statistics = new ArrayList<>();

    private final LearnerState first;
    private LearnerState state;
    private int pass;
    private Trained.@Nullable Gradient[] gradients = new Trained.Gradient[0];
    private boolean abandoned;

    private StepTrainer(
            ActorContext<Command> context,
            String run,
            long seed,
            int step,
            LearnerState state,
            LessonPlan plan,
            ActorRef<WorkDesk.Command<TrainUnit, Trained>> desk,
            Consumer<TensorRef> release,
            ActorRef<? super Ending> parent) {
        this.run = run;
        this.seed = seed;
        this.step = step;
        this.first = state;
        this.state = state;
        this.plan = plan;
        this.desk = desk;
        this.release = release;
        this.parent = parent;
        this.answers = heardAs(context, Answered::new);
        submitPass();
    }

    /**
     * @param state what the first pass begins with
     * @param plan at least one pass
     * @param release called for every tensor that nobody will own
     * @param parent hears the one ending
     */
    public static Behavior<Command> create(
            String run,
            long seed,
            int step,
            LearnerState state,
            LessonPlan plan,
            ActorRef<WorkDesk.Command<TrainUnit, Trained>> desk,
            Consumer<TensorRef> release,
            ActorRef<? super Ending> parent) {
        return Behaviors.setup(
                context -> new StepTrainer(context, run, seed, step, state, plan, desk, release, parent));
    }

    @Override
    Behavior<Command> onMessage(Command command) {
        return switch (command) {
            case Answered(WorkDesk.Done<TrainUnit, Trained>(TrainUnit unit, Trained trained)) -> onDone(unit, trained);
            case Answered(WorkDesk.Refused<TrainUnit, Trained>(TrainUnit asked, Fault fault)) -> onRefused(fault);
            case Answered(WorkDesk.Withdrawn<TrainUnit, Trained>()) -> Behaviors.stopped();
            case Abandon() -> onAbandon();
        };
    }

    private void submitPass() {
        LessonPlan.Pass now = plan.passes().get(pass);
        gradients = new Trained.Gradient[now.units().size()];
        for (int index = 0; index < now.units().size(); index++) {
            List<TrainUnit.Sample> samples = now.units().get(index);
            submit(new TrainUnit.GradientUnit(run, seed, step, pass, index, state, samples, now.samples()));
        }
    }

    private void submit(TrainUnit unit) {
        desk.tell(new WorkDesk.Submit<>(unit, answers));
    }

    private Behavior<Command> onDone(TrainUnit unit, Trained trained) {
        if (abandoned) {
            trained.tensors().forEach(release); // ST-5
            return this;
        }
        return switch (unit) {
            case TrainUnit.GradientUnit wanted ->
                switch (trained) {
                    case Trained.Gradient gradient -> onGradient(wanted, gradient);
                    case Trained.Updated other -> onWrongKind(unit, other);
                };
            case TrainUnit.UpdateUnit wanted ->
                switch (trained) {
                    case Trained.Updated updated -> onUpdated(wanted, updated);
                    case Trained.Gradient other -> onWrongKind(unit, other);
                };
        };
    }

    private Behavior<Command> onWrongKind(TrainUnit unit, Trained trained) {
        trained.tensors().forEach(release);
        return onRefused(new Fault.StopRun(unit.name() + " was answered with a "
                + trained.getClass().getSimpleName() + ": the device broke its contract"));
    }

    private Behavior<Command> onGradient(TrainUnit.GradientUnit unit, Trained.Gradient gradient) {
        if (unit.pass() != pass || gradients[unit.index()] != null) {
            release.accept(gradient.gradient());
            return this;
        }
        gradients[unit.index()] = gradient; // ST-2
        if (Arrays.stream(gradients).allMatch(Objects::nonNull)) {
            List<TensorRef> inOrder =
                    gathered().stream().map(Trained.Gradient::gradient).toList();
            boolean last = pass == plan.passes().size() - 1;
            submit(new TrainUnit.UpdateUnit(run, step, pass, state, inOrder, last));
        }
        return this;
    }

    private Behavior<Command> onUpdated(TrainUnit.UpdateUnit unit, Trained.Updated updated) {
        if (unit.pass() != pass) {
            updated.tensors().forEach(release);
            return this;
        }
        List<Trained.Gradient> applied = gathered();
        double policyLoss = 0;
        double klLoss = 0;
        for (Trained.Gradient gradient : applied) {
            policyLoss += gradient.policyLoss();
            klLoss += gradient.klLoss();
        }
        int samples = plan.passes().get(pass).samples();
        statistics.add(new PassStatistics(samples, applied.size(), policyLoss, klLoss, updated.gradientNorm()));
        leaveWorkings();
        state = updated.state(); // ST-3
        pass++;
        if (pass == plan.passes().size()) {
            parent.tell(new StepLearned(step, state, statistics)); // ST-1
            return Behaviors.stopped();
        }
        submitPass();
        return this;
    }

    private List<Trained.Gradient> gathered() {
        return Arrays.stream(gradients).filter(Objects::nonNull).toList();
    }

    /** ST-4. */
    private void leaveWorkings() {
        for (Trained.Gradient gradient : gathered()) {
            release.accept(gradient.gradient());
        }
        gradients = new Trained.Gradient[0];
        if (!state.equals(first)) {
            state.tensors().forEach(release);
        }
    }

    private Behavior<Command> onRefused(Fault fault) {
        if (!abandoned) {
            parent.tell(new StepFailed(step, fault)); // ST-1
        }
        return onAbandon();
    }

    private Behavior<Command> onAbandon() {
        if (!abandoned) {
            abandoned = true;
            leaveWorkings();
            desk.tell(new WorkDesk.Withdraw<>(answers));
        }
        return this;
    }
}
