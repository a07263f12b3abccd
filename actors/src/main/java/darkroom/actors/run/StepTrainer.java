package darkroom.actors.run;

import darkroom.actors.device.Fault;
import darkroom.actors.device.LearnerState;
import darkroom.actors.device.TrainUnit;
import darkroom.actors.device.Trained;
import darkroom.actors.device.TrainingPlan;
import darkroom.actors.events.PassStatistics;
import darkroom.actors.numeric.SumTree;
import darkroom.actors.workqueue.SwitchBehavior;
import darkroom.actors.workqueue.WorkQueue;
import darkroom.tensors.TensorPlane;
import darkroom.tensors.TensorRef;
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
 * Runs the optimizer steps of one training step, and ends.
 *
 * <ul>
 *   <li><b>ST-1</b> It ends once, with {@link StepLearned} or with {@link StepFailed}.
 *   <li><b>ST-2</b> A pass is cut into blocks of {@code workers.gradient-units-per-lease} units. An update gets the
 *       gradients of the blocks in their order, whatever the order they arrived in; the size of the blocks changes no bit
 *       of state or statistics (TR-2).
 *   <li><b>ST-3</b> Pass p + 1 begins with the state that pass p produced.
 *   <li><b>ST-4</b> Gradients are released once they are applied, and states between passes once they are replaced. The
 *       first state stays with its owner; the last one belongs to the parent.
 *   <li><b>ST-5</b> An abandoned step sends no answer and leaves no tensor behind.
 *   <li><b>ST-6</b> The last state is owned by this node before it is sent to the parent: the node that produced it may
 *       die.
 *   <li><b>ST-7</b> Tensors lost with a trainer are produced again: a gradient by its block, a state between passes by
 *       restarting from the first pass; with the same bits, at most {@code limits.work-attempts-max} times per lease on
 *       average.
 * </ul>
 */
public final class StepTrainer extends SwitchBehavior<StepTrainer.Command> {

    /** Messages to the trainer of a step. */
    public sealed interface Command {}

    /** Abandons the step, which is no longer needed. */
    public record Abandon() implements Command {}

    private record Taken(
            StepLearned learned,
            @Nullable List<TensorRef> tensors,
            @Nullable Throwable failure) implements Command {}

    private record Answered(WorkQueue.Reply<TrainUnit, Trained> answer) implements Command {}

    /** The answer of a step trainer. */
    public sealed interface Ending {}

    /**
     * The step is trained.
     *
     * @param passes one entry per optimizer step
     */
    public record StepLearned(int step, LearnerState state, List<PassStatistics> passes) implements Ending {
        public StepLearned {
            passes = List.copyOf(passes);
        }
    }

    /** The step cannot be trained; nothing of it is committed. */
    public record StepFailed(int step, Fault fault) implements Ending {}

    private final StepAssignment assignment;
    private final TrainingPlan plan;
    private final ActorRef<WorkQueue.Command<TrainUnit, Trained>> queue;
    private final TensorPlane plane;
    private final int unitsPerLease;
    private final Consumer<TensorRef> release;
    private final int repairsMax;
    private final ActorRef<Command> self;
    private final ActorRef<? super Ending> parent;
    private final ActorRef<WorkQueue.Reply<TrainUnit, Trained>> answers;
    private final List<PassStatistics> statistics = new ArrayList<>();

    private final LearnerState first;
    private LearnerState state;
    private int pass;
    private Trained.@Nullable Gradient[] gradients = new Trained.Gradient[0];
    private int repairs;
    private Phase phase = new Phase.Computing();

    /** The phase of a step trainer: the answers that it waits for. */
    private sealed interface Phase {
        /** Gradients of the current pass, or its update. */
        record Computing() implements Phase {}

        /** The last state, which this node takes over (ST-6). */
        record TakingOver() implements Phase {}

        /** The confirmation that all units are withdrawn; the first pass follows (ST-7). */
        record Restarting() implements Phase {}

        /**
         * The last messages to an abandoned step (ST-5).
         *
         * @param outstanding number of messages that follow
         */
        record Abandoned(int outstanding) implements Phase {}
    }

    private StepTrainer(
            ActorContext<Command> context,
            StepAssignment assignment,
            int unitsPerLease,
            WorkPorts ports,
            ActorRef<? super Ending> parent) {
        this.assignment = assignment;
        this.first = assignment.state();
        this.state = first;
        this.plan = assignment.plan();
        this.queue = ports.queues().train();
        this.plane = ports.plane();
        this.unitsPerLease = unitsPerLease;
        this.release = ports.release();
        this.repairsMax = ports.limits().workAttemptsMax()
                * plan.passes().stream().mapToInt(each -> blocks(each) + 1).sum();
        this.self = context.getSelf();
        this.parent = parent;
        this.answers = heardAs(context, Answered::new);
        submitPass();
    }

    /**
     * Creates a step trainer.
     *
     * @param unitsPerLease {@code workers.gradient-units-per-lease}, a power of two
     * @param ports its train queue processes the units; its plane takes the last state over
     * @param parent receives the one answer
     */
    public static Behavior<Command> create(
            StepAssignment assignment, int unitsPerLease, WorkPorts ports, ActorRef<? super Ending> parent) {
        return Behaviors.setup(context -> new StepTrainer(context, assignment, unitsPerLease, ports, parent));
    }

    @Override
    public Behavior<Command> onMessage(Command command) {
        return switch (command) {
            case Answered(WorkQueue.Done<TrainUnit, Trained>(TrainUnit unit, Trained trained)) -> onDone(unit, trained);
            case Answered(WorkQueue.Refused<TrainUnit, Trained>(TrainUnit asked, Fault.InputLost lost)) ->
                onInputLost(asked, lost);
            case Answered(WorkQueue.Refused<TrainUnit, Trained>(TrainUnit asked, Fault fault)) -> onRefused(fault);
            case Answered(WorkQueue.Withdrawn<TrainUnit, Trained>()) -> onWithdrawn();
            case Taken(StepLearned learned, List<TensorRef> tensors, Throwable failure) ->
                onTaken(learned, tensors, failure);
            case Abandon() -> onAbandon();
        };
    }

    private void submitPass() {
        gradients = new Trained.Gradient[blocks(plan.passes().get(pass))];
        for (int block = 0; block < gradients.length; block++) {
            submitBlock(block);
        }
    }

    private int blocks(TrainingPlan.Pass pass) {
        return Math.ceilDiv(pass.units().size(), unitsPerLease);
    }

    private void submitBlock(int block) {
        TrainingPlan.Pass now = plan.passes().get(pass);
        int first = block * unitsPerLease;
        List<List<TrainUnit.Sample>> units = now.units()
                .subList(first, Math.min(first + unitsPerLease, now.units().size()));
        submit(new TrainUnit.GradientBlock(
                assignment.run(), assignment.seed(), assignment.step(), pass, first, state, units, now.samples()));
    }

    private void submit(TrainUnit unit) {
        queue.tell(new WorkQueue.Submit<>(unit, answers));
    }

    private Behavior<Command> onDone(TrainUnit unit, Trained trained) {
        if (phase instanceof Phase.Abandoned) {
            trained.tensors().forEach(release); // ST-5
            return this;
        }
        return switch (unit) {
            case TrainUnit.GradientBlock wanted ->
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

    private Behavior<Command> onGradient(TrainUnit.GradientBlock unit, Trained.Gradient gradient) {
        if (!isComputing() || unit.pass() != pass || gradients[block(unit)] != null) {
            release.accept(gradient.gradient());
            return this;
        }
        gradients[block(unit)] = gradient; // ST-2
        if (Arrays.stream(gradients).allMatch(Objects::nonNull)) {
            List<TensorRef> inOrder =
                    gathered().stream().map(Trained.Gradient::gradient).toList();
            boolean last = pass == plan.passes().size() - 1;
            submit(new TrainUnit.UpdateUnit(assignment.run(), assignment.step(), pass, state, inOrder, last));
        }
        return this;
    }

    private Behavior<Command> onUpdated(TrainUnit.UpdateUnit unit, Trained.Updated updated) {
        if (!isComputing() || unit.pass() != pass || !unit.state().equals(state)) {
            updated.tensors().forEach(release);
            return this;
        }
        List<Trained.Gradient> applied = gathered();
        SumTree<Double> policyLoss = new SumTree<>(Double::sum);
        SumTree<Double> klLoss = new SumTree<>(Double::sum);
        for (Trained.Gradient gradient : applied) {
            policyLoss.add(gradient.policyLoss());
            klLoss.add(gradient.klLoss());
        }
        TrainingPlan.Pass now = plan.passes().get(pass);
        statistics.add(new PassStatistics(
                now.samples(), now.units().size(), policyLoss.sum(), klLoss.sum(), updated.gradientNorm()));
        leaveWorkings();
        state = updated.state(); // ST-3
        pass++;
        if (pass == plan.passes().size()) {
            StepLearned learned = new StepLearned(assignment.step(), state, statistics);
            phase = new Phase.TakingOver(); // ST-6
            plane.adopt(state.tensors())
                    .whenComplete((tensors, failure) -> self.tell(new Taken(learned, tensors, failure)));
            return this;
        }
        submitPass();
        return this;
    }

    private Behavior<Command> onTaken(
            StepLearned learned, @Nullable List<TensorRef> tensors, @Nullable Throwable failure) {
        if (phase instanceof Phase.Abandoned last) {
            (tensors == null ? learned.state().tensors() : tensors).forEach(release); // ST-5
            return oneMessageLess(last);
        }
        if (tensors == null) {
            phase = new Phase.Computing();
            return beginAgain("the state could not be taken over: " + failure);
        }
        parent.tell(new StepLearned(assignment.step(), learned.state().with(tensors), learned.passes())); // ST-1
        return Behaviors.stopped();
    }

    /** Produces a lost tensor again (ST-7). */
    private Behavior<Command> onInputLost(TrainUnit unit, Fault.InputLost lost) {
        if (!isComputing() || !isWanted(unit)) {
            return this;
        }
        for (int index = 0; index < gradients.length; index++) {
            Trained.Gradient gradient = gradients[index];
            if (gradient != null && gradient.gradient().equals(lost.tensor())) {
                release.accept(lost.tensor());
                gradients[index] = null;
            }
        }
        if (!state.equals(first) && state.tensors().contains(lost.tensor())) {
            return beginAgain(lost.message());
        }
        if (++repairs > repairsMax) {
            return onRefused(new Fault.StopRun(lost.message()));
        }
        switch (unit) {
            case TrainUnit.GradientBlock gradient -> submitBlock(block(gradient));
            case TrainUnit.UpdateUnit update -> makeMissing(update);
        }
        return this;
    }

    private boolean isComputing() {
        return phase instanceof Phase.Computing;
    }

    private boolean isWanted(TrainUnit unit) {
        return switch (unit) {
            case TrainUnit.GradientBlock gradient ->
                gradient.pass() == pass && gradient.state().equals(state) && gradients[block(gradient)] == null;
            case TrainUnit.UpdateUnit update ->
                update.pass() == pass && update.state().equals(state);
        };
    }

    private void makeMissing(TrainUnit.UpdateUnit update) {
        boolean all = true;
        for (int block = 0; block < gradients.length; block++) {
            if (gradients[block] == null) {
                all = false;
                submitBlock(block);
            }
        }
        if (all) {
            submit(update);
        }
    }

    private Behavior<Command> beginAgain(String why) {
        if (++repairs > repairsMax) {
            return onRefused(new Fault.StopRun("step %d of training: %s".formatted(assignment.step(), why)));
        }
        leaveWorkings();
        state = first;
        pass = 0;
        statistics.clear();
        phase = new Phase.Restarting();
        queue.tell(new WorkQueue.Withdraw<>(answers));
        return this;
    }

    private Behavior<Command> onWithdrawn() {
        if (phase instanceof Phase.Abandoned last) {
            return oneMessageLess(last);
        }
        phase = new Phase.Computing();
        submitPass();
        return this;
    }

    private int block(TrainUnit.GradientBlock unit) {
        return unit.first() / unitsPerLease;
    }

    private List<Trained.Gradient> gathered() {
        return Arrays.stream(gradients).filter(Objects::nonNull).toList();
    }

    /** Releases intermediate tensors (ST-4). */
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
        if (!(phase instanceof Phase.Abandoned)) {
            parent.tell(new StepFailed(assignment.step(), fault)); // ST-1
        }
        return onAbandon();
    }

    private Behavior<Command> onAbandon() {
        switch (phase) {
            case Phase.Computing() -> {
                leaveWorkings();
                withdrawAwaiting(1);
            }
            case Phase.TakingOver() -> withdrawAwaiting(2);
            case Phase.Restarting() -> {
                leaveWorkings();
                withdrawAwaiting(2);
            }
            case Phase.Abandoned _ -> {}
        }
        return this;
    }

    private void withdrawAwaiting(int messages) {
        phase = new Phase.Abandoned(messages);
        queue.tell(new WorkQueue.Withdraw<>(answers));
    }

    private Behavior<Command> oneMessageLess(Phase.Abandoned last) {
        phase = new Phase.Abandoned(last.outstanding() - 1);
        return last.outstanding() > 1 ? this : Behaviors.stopped();
    }
}
