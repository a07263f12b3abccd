package darkroom.actors.run;

import darkroom.actors.device.Fault;
import darkroom.actors.device.GroupOutcome;
import darkroom.actors.device.LearnerState;
import darkroom.actors.device.PolicyVersion;
import darkroom.actors.device.Prompt;
import darkroom.actors.device.RolloutUnit;
import darkroom.actors.device.TrainingPlan;
import darkroom.actors.device.TrainingSample;
import darkroom.actors.device.ValidationPlan;
import darkroom.actors.events.EvaluationRequest;
import darkroom.actors.events.PassStatistics;
import darkroom.actors.events.PolicyRelease;
import darkroom.actors.events.RunEvent;
import darkroom.actors.events.RunState;
import darkroom.actors.events.StepTally;
import darkroom.actors.events.StepTimings;
import darkroom.actors.ledger.Ledger;
import darkroom.actors.ledger.LedgerEvent;
import darkroom.actors.ledger.LedgerHistory;
import darkroom.actors.ledger.RunDigests;
import darkroom.actors.statistics.GroupStatistics;
import darkroom.actors.statistics.PromptBan;
import darkroom.actors.workqueue.SwitchBehavior;
import darkroom.actors.workqueue.WorkQueue;
import darkroom.actors.workqueue.WorkQueueReport;
import darkroom.actors.workqueue.WorkQueues;
import darkroom.config.ErrorReason;
import darkroom.config.RunSettings;
import darkroom.tensors.TensorRef;
import java.io.UncheckedIOException;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.function.BooleanSupplier;
import java.util.function.Consumer;
import org.apache.pekko.actor.typed.ActorRef;
import org.apache.pekko.actor.typed.Behavior;
import org.apache.pekko.actor.typed.javadsl.ActorContext;
import org.apache.pekko.actor.typed.javadsl.Behaviors;
import org.apache.pekko.actor.typed.javadsl.TimerScheduler;
import org.apache.pekko.stream.Materializer;
import org.apache.pekko.stream.UniqueKillSwitch;
import org.jspecify.annotations.Nullable;

/**
 * Supervises a run: opens steps, has them trained, and commits them; lives as long as the run. The flow of the groups is in
 * {@link StepLine}, which asks this actor at every stage.
 *
 * <ul>
 *   <li><b>RS-1</b> Step s is generated with version max(0, s - {@code rollout.staleness}) and with the prompt ban of that
 *       version, whatever the timing.
 *   <li><b>RS-2</b> Steps are trained and committed in order, each from the state of the one before.
 *   <li><b>RS-3</b> No step is trained before every slot of it has one fate (promise P-2).
 *   <li><b>RS-4</b> A step without a training sample is committed without an optimizer step.
 *   <li><b>RS-5</b> The run ends once, with {@link RunEvent.Ended}, after all its children; of all tensors it received or
 *       created, only those of the ended state are left.
 *   <li><b>RS-6</b> A run that is asked to stop stops at a commit; a run resumed from there is the same run (promise P-7).
 *       It waits for the commit of the current step as long as a worker is busy: if units wait for a kind of worker that
 *       does not exist, and no other worker is busy, it stops at the commit before.
 *   <li><b>RS-7</b> Validation changes no bit of the run.
 * </ul>
 *
 * <p>What is recorded, and compared with the record (RS-8, RS-9), is in {@link LedgerGate}; the images and prompts of steps
 * that are not committed yet are in {@link OpenSteps}.
 */
public final class RunSupervisor extends SwitchBehavior<RunSupervisor.Command> {

    /** Messages to the supervisor of a run. */
    public sealed interface Command {}

    /** Commits the current step, and ends the run. */
    public record FinishStep() implements Command {}

    record OpenStep(int step, ActorRef<StepLine.OpenedStep> replyTo) implements Command {}

    record OpenGroup(StepLine.OpenedGroup group, ActorRef<StepLine.EndedGroup> replyTo) implements Command {}

    record Learn(StepLine.ComparedStep compared, ActorRef<StepLine.LearnedStep> replyTo) implements Command {}

    record Commit(StepLine.LearnedStep learned, ActorRef<StepLine.CommittedStep> replyTo) implements Command {}

    record LineEnded() implements Command {}

    record LineFailed(Throwable failure) implements Command {}

    private record CoordinatorEnded(GroupOutcome ending) implements Command {}

    private record TrainerEnded(StepTrainer.Ending ending) implements Command {}

    private record Validated(RunEvent.Evaluated evaluated) implements Command {}

    private record LedgerAnswered(Ledger.Answer answer) implements Command {}

    private record LedgerWritten() implements Command {}

    private record LedgerGone() implements Command {}

    private record LookForWork() implements Command {}

    private record QueueIs(WorkQueueReport report) implements Command {}

    private record ChildGone(ActorRef<?> child, String what, BooleanSupplier owesAnEnding) implements Command {}

    private final ActorContext<Command> context;
    private final RunSettings settings;
    private final RunOrder order;
    private final RunPorts ports;
    private final WorkQueues queues;
    private final ActorRef<? super RunEvent.Ended> parent;
    private final Consumer<TensorRef> release;
    private final WorkPorts workPorts;
    private final LedgerGate ledger;
    private final OpenSteps steps;
    private final ActorRef<GroupOutcome> coordinatorsTellHere;
    private final TimerScheduler<Command> timers;
    private final ActorRef<WorkQueueReport> reportsHere;

    private Phase phase = new Phase.Opening();
    private RunState state;
    private StepTraining training = new StepTraining.None();
    private Instant lastCommit;
    private final Map<RolloutUnit, OpenGroup> openGroups = new HashMap<>();
    private final Map<ActorRef<?>, Runnable> children = new LinkedHashMap<>();
    private @Nullable OpenStep gated;
    private @Nullable Learn heldLearn;
    private @Nullable Committing committing;
    private boolean finishRequested;
    private final Map<String, WorkQueueReport> queuesNow = new LinkedHashMap<>();

    /** The life of a run, in order; {@link Opening} and {@link Running} are left once (RS-5). */
    private sealed interface Phase {
        /** Waits for the ledger. */
        record Opening() implements Phase {}

        /** Steps are opened, trained and committed. */
        record Running(UniqueKillSwitch line) implements Phase {}

        /** Waits for the children to end. */
        record Ending(RunEvent.End why, LedgerWriter ledger) implements Phase {}

        /** The listener is notified; waits for the ledger to close, then notifies the parent. */
        record Ended(RunEvent.Ended all) implements Phase {}
    }

    private enum LedgerWriter {
        ALIVE,
        DEAD
    }

    /** The training of the step that is committed next. */
    private sealed interface StepTraining {
        /** The step is not compared yet. */
        record None() implements StepTraining {}

        /** A step trainer works. */
        record Running(Learning learning) implements StepTraining {}

        /**
         * The step is trained, and not committed.
         *
         * @param created the state that the trainer created; empty for a step without a training sample (RS-4)
         */
        record Trained(Learning learning, Optional<LearnerState> created) implements StepTraining {}
    }

    /** @param decisions the digest of the run's decisions with those of this step */
    private record Learning(Learn asked, StepTally tally, TrainingPlan plan, String decisions, Instant began) {}

    private record Committing(Commit asked, RunEvent.StepCommitted event) {}

    private RunSupervisor(
            ActorContext<Command> context,
            TimerScheduler<Command> timers,
            RunSettings settings,
            RunOrder order,
            RunPorts ports,
            WorkQueues queues,
            ActorRef<? super RunEvent.Ended> parent) {
        this.context = context;
        this.timers = timers;
        this.reportsHere = context.messageAdapter(WorkQueueReport.class, QueueIs::new);
        this.settings = settings;
        this.order = order;
        this.ports = ports;
        this.queues = queues;
        this.parent = parent;
        this.release = ports.store()::release;
        this.state = order.from();
        this.lastCommit = ports.clock().instant();
        this.coordinatorsTellHere = context.messageAdapter(GroupOutcome.class, CoordinatorEnded::new);
        this.workPorts = new WorkPorts(queues, ports.plane(), ports.clock(), settings.limits());
        this.steps = new OpenSteps(ports.prompts(), release);
        ActorRef<Ledger.Command> writer = context.spawn(ports.ledger().writer(order.run()), "ledger");
        context.watchWith(writer, new LedgerGone());
        this.ledger = new LedgerGate(writer, context.messageAdapter(Ledger.Written.class, _ -> new LedgerWritten()));
        ledger.open(ports.store(), state, context.messageAdapter(Ledger.Answer.class, LedgerAnswered::new)); // RS-8
    }

    /**
     * Creates a run supervisor.
     *
     * @param parent receives the one {@link RunEvent.Ended}, after the listener
     */
    public static Behavior<Command> create(
            RunSettings settings,
            RunOrder order,
            RunPorts ports,
            WorkQueues queues,
            ActorRef<? super RunEvent.Ended> parent) {
        return Behaviors.setup(context -> Behaviors.withTimers(
                timers -> new RunSupervisor(context, timers, settings, order, ports, queues, parent)));
    }

    @Override
    public Behavior<Command> onMessage(Command command) {
        try {
            switch (command) {
                case OpenStep open -> onOpenStep(open);
                case OpenGroup open -> onOpenGroup(open);
                case CoordinatorEnded(GroupOutcome ending) -> onCoordinatorEnded(ending);
                case Learn learn -> onLearn(learn);
                case TrainerEnded(StepTrainer.Ending ending) -> onTrainerEnded(ending);
                case Commit commit -> onCommit(commit);
                case Validated(RunEvent.Evaluated evaluated) -> onValidated(evaluated);
                case FinishStep() -> {
                    finishRequested = true;
                    lookForWork();
                }
                case LookForWork() -> lookForWork();
                case QueueIs(WorkQueueReport report) -> onQueueIs(report);
                case LineEnded() -> onLineEnded();
                case LineFailed(Throwable failure) -> fail("the line of steps failed: " + failure);
                case LedgerAnswered(Ledger.Opened(LedgerHistory recorded)) -> onLedgerOpened(recorded);
                case LedgerAnswered(Ledger.Failed(String message)) -> fail(message);
                case LedgerAnswered(Ledger.Closed()) -> {}
                case LedgerWritten() -> onLedgerWritten();
                case LedgerGone() -> {
                    if (phase instanceof Phase.Ended(RunEvent.Ended all)) {
                        return tellEnd(all);
                    }
                    onLedgerGone();
                }
                case ChildGone gone -> onChildGone(gone);
            }
        } catch (RuntimeException failure) {
            context.getLog().error("run {} fails at step {}", order.run(), state.step(), failure);
            fail(failure instanceof UncheckedIOException ? ErrorReason.of(failure) : failure.toString());
        }
        return phase instanceof Phase.Ending ending && children.isEmpty() ? finish(ending) : this;
    }

    /** Whether the run has not begun to end: what arrives later changes nothing. */
    private boolean isLive() {
        return switch (phase) {
            case Phase.Opening _, Phase.Running _ -> true;
            case Phase.Ending _, Phase.Ended _ -> false;
        };
    }

    private void onLedgerOpened(LedgerHistory recorded) {
        ledger.onOpened(recorded);
        if (isLive()) {
            phase = new Phase.Running(
                    StepLine.of(context.getSelf(), state.step(), order.steps(), settings.limits(), settings.groups())
                            .run(Materializer.createMaterializer(context)));
        }
    }

    private void onLedgerWritten() {
        Runnable then = ledger.onWritten();
        if (isLive()) {
            then.run();
        }
    }

    private void onLedgerGone() {
        fail("the ledger's writer died; the log says why");
        if (phase instanceof Phase.Ending(RunEvent.End why, LedgerWriter _)) {
            phase = new Phase.Ending(why, LedgerWriter.DEAD);
        }
    }

    private void writeCheckpoints() {
        ledger.checkpoints(ports.checkpoints().get());
    }

    private void onOpenStep(OpenStep open) {
        if (!isLive()) {
            return;
        }
        PolicyVersion version =
                RunState.versionFor(open.step(), settings.rollout().staleness());
        if (state.newest().version().compareTo(version) < 0) {
            gated = open;
            return;
        }
        PolicyRelease policyRelease = state.policyReleases().stream()
                .filter(published -> published.version().equals(version)) // RS-1
                .findFirst()
                .orElseThrow(() -> new IllegalStateException(
                        "step %d is generated with policy version %d, which the state of step %d does not hold; resume with rollout.staleness=%d from a checkpoint made with it"
                                .formatted(
                                        open.step(),
                                        version.value(),
                                        state.step(),
                                        settings.rollout().staleness())));
        List<Prompt> prompts = ports.prompts().prompts(open.step(), policyRelease.ban());
        if (prompts.isEmpty()) {
            throw new IllegalStateException("there are no prompts left for step " + open.step());
        }
        List<RolloutUnit> rollouts = new ArrayList<>();
        for (Prompt prompt : prompts) {
            rollouts.add(new RolloutUnit(
                    order.run(),
                    settings.seed(),
                    RolloutUnit.Purpose.TRAINING,
                    open.step(),
                    rollouts.size(),
                    settings.rollout().imagesPerGroup(),
                    version,
                    policyRelease.weights(),
                    prompt));
        }
        StepLine.OpenedStep opened = new StepLine.OpenedStep(open.step(), List.copyOf(rollouts));
        steps.open(opened, prompts, ports.clock().instant());
        ledger.stepOpened(new LedgerEvent.StepOpened(
                open.step(),
                version.value(),
                settings.rollout().imagesPerGroup(),
                prompts.stream().map(Prompt::row).toList()));
        open.replyTo().tell(opened);
    }

    private void onOpenGroup(OpenGroup open) {
        if (!isLive()) {
            return;
        }
        RolloutUnit rollout = open.group().rollout();
        Optional<String> lost = ledger.lost(rollout);
        if (lost.isPresent()) {
            tellLine(open, new GroupOutcome.Lost(rollout, new Fault.DropGroup(lost.get()))); // RS-9
            return;
        }
        openGroups.put(rollout, open);
        ActorRef<GroupCoordinator.Command> coordinator = context.spawn(
                GroupCoordinator.create(rollout, workPorts, ledger.of(rollout), coordinatorsTellHere),
                "step-%d-group-%d".formatted(rollout.step(), rollout.group()));
        adopt(
                coordinator,
                new GroupCoordinator.Abandon(),
                "the coordinator of " + rollout.name(),
                () -> openGroups.containsKey(rollout));
    }

    private void onCoordinatorEnded(GroupOutcome ending) {
        OpenGroup asked = openGroups.remove(ending.rollout());
        if (!isLive() || asked == null || !steps.isOpen(ending.rollout().step())) {
            ending.release(release);
            return;
        }
        steps.hold(ending, ports.clock().instant());
        switch (ending) {
            case GroupOutcome.Finished _ -> tellLine(asked, ending);
            case GroupOutcome.Lost(RolloutUnit rollout, Fault.DropGroup(String reason)) ->
                ledger.groupLost(rollout, reason, () -> tellLine(asked, ending)); // RS-8
            case GroupOutcome.Lost(RolloutUnit _, Fault fault) -> fail(fault.message());
        }
    }

    private void tellLine(OpenGroup asked, GroupOutcome ending) {
        ports.listener().heard(new RunEvent.GroupFinished(order.run(), ending));
        asked.replyTo().tell(new StepLine.EndedGroup(asked.group(), ending));
    }

    private void onLearn(Learn learn) {
        StepLine.ComparedStep compared = learn.compared();
        if (!isLive()) {
            return;
        }
        if (compared.step() != state.step()) {
            heldLearn = learn; // RS-2
            return;
        }
        StepTally tally = StepTally.of(
                steps.step(compared.step()).opened().rollouts(), compared.endings(), compared.statistics()); // RS-3
        ledger.groupsJudged(compared.step(), compared.statistics());
        List<TrainingSample> trainingSamples = compared.trainingSamples();
        if (trainingSamples.size() != tally.counted()) {
            throw new IllegalStateException(
                    "promise P-2 is broken: step %d counts %d images and has %d training samples"
                            .formatted(compared.step(), tally.counted(), trainingSamples.size()));
        }
        TrainingPlan plan = TrainingPlan.of(
                settings.seed(), compared.step(), trainingSamples, settings.rollout(), settings.training());
        Instant began = ports.clock().instant();
        if (!plan.passes().isEmpty()) {
            train(compared.step(), plan);
        }
        hearCompared(compared); // while the trainers work
        String decisions = RunDigests.decisionsAfter(
                state.decisionDigest(), compared.step(), compared.statistics(), compared.rewards());
        Learning learning = new Learning(learn, tally, plan, decisions, began);
        if (plan.passes().isEmpty()) {
            training = new StepTraining.Trained(learning, Optional.empty());
            learn.replyTo().tell(new StepLine.LearnedStep(compared, state.learner(), List.of())); // RS-4
        } else {
            training = new StepTraining.Running(learning);
        }
    }

    private void train(int step, TrainingPlan plan) {
        ActorRef<StepTrainer.Ending> trainersTellHere =
                context.messageAdapter(StepTrainer.Ending.class, TrainerEnded::new);
        ActorRef<StepTrainer.Command> trainer = context.spawn(
                StepTrainer.create(
                        new StepAssignment(order.run(), settings.seed(), step, state.learner(), plan),
                        settings.workers().gradientUnitsPerLease(),
                        workPorts,
                        trainersTellHere),
                "training-" + step);
        adopt(trainer, new StepTrainer.Abandon(), "the trainer of step " + step, () -> owesLearning(step));
    }

    private boolean owesLearning(int step) {
        return training instanceof StepTraining.Running(Learning learning)
                && learning.asked().compared().step() == step;
    }

    /**
     * Sends the compared groups to the listener. Images of groups without a training signal are released afterwards; those
     * of training samples at the commit.
     */
    private void hearCompared(StepLine.ComparedStep compared) {
        for (int i = 0; i < compared.endings().size(); i++) {
            GroupOutcome ending = compared.endings().get(i);
            GroupStatistics statistics = compared.statistics().groups().get(i);
            ports.listener().heard(new RunEvent.GroupCompared(compared.step(), ending, statistics));
            steps.releaseUnlessKept(ending, statistics);
        }
    }

    private void onTrainerEnded(StepTrainer.Ending ending) {
        switch (ending) {
            case StepTrainer.StepFailed failed -> fail(failed.fault().message());
            case StepTrainer.StepLearned(int step, LearnerState learner, List<PassStatistics> passes) -> {
                if (!isLive() || !(training instanceof StepTraining.Running(Learning learning))) {
                    learner.tensors().forEach(release);
                    return;
                }
                training = new StepTraining.Trained(learning, Optional.of(learner));
                Learn asked = learning.asked();
                asked.replyTo().tell(new StepLine.LearnedStep(asked.compared(), learner, passes));
            }
        }
    }

    private void onCommit(Commit commit) {
        if (!isLive() || !(training instanceof StepTraining.Trained(Learning done, Optional<LearnerState> _))) {
            return;
        }
        StepLine.ComparedStep compared = commit.learned().compared();
        if (compared.step() != state.step()) {
            throw new IllegalStateException(
                    "step %d was learned, step %d is next".formatted(compared.step(), state.step())); // RS-2
        }
        PromptBan ban = state.newest().ban().after(compared.statistics(), settings.groups());
        RunState after = state.committed(
                commit.learned().learner(), ban, settings.rollout().staleness(), done.decisions());
        ledger.stepCommitted(
                new LedgerEvent.StepCommitted(compared.step(), RunDigests.of(ports.store(), after), done.tally()),
                () -> onCommitted(commit, done, after)); // RS-8
    }

    private void onCommitted(Commit commit, Learning done, RunState after) {
        StepLine.ComparedStep compared = commit.learned().compared();
        RunState before = state;
        state = after;
        training = new StepTraining.None();
        RunEvent.StepCommitted event = new RunEvent.StepCommitted(
                compared.step(),
                compared.statistics(),
                done.tally(),
                done.plan().samples(),
                commit.learned().passes(),
                timings(compared, done),
                state);
        try {
            ports.listener().heard(event);
        } finally {
            Set<TensorRef> replaced = before.tensors();
            replaced.removeAll(state.tensors());
            replaced.forEach(release); // RS-5
        }
        writeCheckpoints();
        steps.leave(compared.step());
        OpenStep waiting = gated;
        if (waiting != null) {
            gated = null;
            onOpenStep(waiting);
        }
        committing = new Committing(commit, event);
        if (order.validation().isPresent() && order.validation().get().dueAfter(state.step())) {
            validate(order.validation().get());
        } else {
            answerCommit(Optional.empty());
        }
        Learn held = heldLearn;
        if (held != null) {
            heldLearn = null;
            onLearn(held);
        }
    }

    private StepTimings timings(StepLine.ComparedStep compared, Learning done) {
        Instant now = ports.clock().instant();
        StepTimings timings = steps.step(compared.step()).timings(compared.endings(), done.began(), lastCommit, now);
        lastCommit = now;
        return timings;
    }

    /**
     * Runs a validation. The commit is answered after it, so that the average it generates with stays, and a rule may read
     * its result.
     */
    private void validate(ValidationPlan plan) {
        EvaluationRequest request = new EvaluationRequest(
                "%s-validation-%d".formatted(order.run(), state.step()),
                settings.seed(),
                plan.key(),
                state.newest().version(),
                state.learner().average(),
                plan.prompts(),
                plan.imagesPerPrompt()); // RS-7
        ActorRef<RunEvent.Evaluated> here = context.messageAdapter(RunEvent.Evaluated.class, Validated::new);
        ActorRef<Evaluation.Command> evaluation = context.spawn(
                Evaluation.create(request, workPorts, ports.listener(), here), "validation-" + state.step());
        Committing now = committing;
        adopt(
                evaluation,
                new Evaluation.Abandon(),
                "the validation after step " + (state.step() - 1),
                () -> Objects.equals(now, committing));
    }

    private void onValidated(RunEvent.Evaluated evaluated) {
        writeCheckpoints();
        for (GroupOutcome ending : evaluated.endings()) {
            if (ending instanceof GroupOutcome.Lost(RolloutUnit _, Fault.StopRun(String message))) {
                fail(message);
                return;
            }
        }
        answerCommit(Optional.of(evaluated));
    }

    private void answerCommit(Optional<RunEvent.Evaluated> validation) {
        Committing now = committing;
        if (!isLive() || now == null) {
            return;
        }
        committing = null;
        Optional<String> reason = ports.stopWhen().reason(now.event(), validation);
        if (state.step() < order.steps() && reason.isPresent()) {
            stop(new RunEvent.End.ByRule(reason.get())); // RS-6
        } else if (state.step() < order.steps() && finishRequested) {
            stop(new RunEvent.End.ByRequest()); // RS-6
        } else {
            now.asked().replyTo().tell(new StepLine.CommittedStep(now.event().step()));
        }
    }

    /** Asks the queues for their work, until the run has ended (RS-6). */
    private void lookForWork() {
        if (!isLive()) {
            return;
        }
        queuesNow.clear();
        queues.rollout().tell(new WorkQueue.Report<>(reportsHere));
        queues.score().tell(new WorkQueue.Report<>(reportsHere));
        queues.train().tell(new WorkQueue.Report<>(reportsHere));
        timers.startSingleTimer(new LookForWork(), settings.limits().heartbeatEvery());
    }

    private void onQueueIs(WorkQueueReport report) {
        queuesNow.put(report.role(), report);
        boolean all = queuesNow.size() == 3;
        if (isLive() && all && nobodyWorks(queuesNow.values(), settings.limits().leaseTime())) {
            context.getLog()
                    .info(
                            "run {} ends at step {}: no worker processes the open units, {}",
                            order.run(),
                            state.step(),
                            queuesNow.values());
            stop(new RunEvent.End.ByRequest());
        }
    }

    /** Whether units wait for workers of a kind that does not exist, and no worker of any kind has a unit. */
    static boolean nobodyWorks(Collection<WorkQueueReport> queues, Duration silentAfter) {
        return queues.stream().allMatch(queue -> queue.open() == queue.waiting())
                && queues.stream()
                        .anyMatch(queue -> queue.waiting() > 0
                                && queue.stations().stream()
                                        .allMatch(station -> station.silentFor() >= silentAfter.toMillis()));
    }

    private void onLineEnded() {
        if (state.step() >= order.steps()) {
            stop(new RunEvent.End.Completed());
        } else {
            fail("the line of steps ended after %d of %d".formatted(state.step(), order.steps()));
        }
    }

    private <T> void adopt(ActorRef<T> child, T abandon, String what, BooleanSupplier owesAnEnding) {
        children.put(child, () -> child.tell(abandon));
        context.watchWith(child, new ChildGone(child, what, owesAnEnding));
    }

    private void onChildGone(ChildGone gone) {
        children.remove(gone.child());
        if (gone.owesAnEnding().getAsBoolean()) {
            fail(gone.what() + " died; the log says why");
        }
    }

    private void fail(String message) {
        stop(new RunEvent.End.Failed(message));
    }

    private void stop(RunEvent.End why) {
        if (!isLive()) {
            return;
        }
        Phase before = phase;
        phase = new Phase.Ending(why, LedgerWriter.ALIVE);
        if (before instanceof Phase.Running(UniqueKillSwitch line)) {
            line.shutdown();
        }
        children.values().forEach(Runnable::run);
    }

    /** Ends the run; the only exit, with {@link #tellEnd} (RS-5). */
    private Behavior<Command> finish(Phase.Ending ending) {
        steps.leaveAll(
                (step, failure) -> context.getLog().error("the prompts of step {} were not released", step, failure));
        if (training instanceof StepTraining.Trained(Learning _, Optional<LearnerState> created)) {
            created.ifPresent(lost -> lost.tensors().forEach(release));
        }
        RunEvent.Ended all = new RunEvent.Ended(state, ending.why());
        phase = new Phase.Ended(all);
        try {
            ports.listener().heard(all);
            writeCheckpoints();
        } catch (RuntimeException failure) {
            context.getLog().error("the listener of run {} failed at its end", order.run(), failure);
        }
        return switch (ending.ledger()) {
            case DEAD -> tellEnd(all);
            case ALIVE -> {
                ledger.close();
                yield this;
            }
        };
    }

    private Behavior<Command> tellEnd(RunEvent.Ended all) {
        parent.tell(all);
        return Behaviors.stopped();
    }
}
