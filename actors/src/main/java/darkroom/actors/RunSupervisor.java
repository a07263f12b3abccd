package darkroom.actors;

import darkroom.config.ErrorReason;
import darkroom.config.RunSettings;
import java.io.UncheckedIOException;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Queue;
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
 * Opens steps, has them learned, commits them; lives as long as a run. The way of the groups is in {@link StepLine},
 * which asks this actor at every station.
 *
 * <ul>
 *   <li><b>RS-1</b> Step s is drawn with version max(0, s - {@code rollout.staleness}) and with the prompt ban of that
 *       version, whatever the timing.
 *   <li><b>RS-2</b> Steps are learned and committed in order, each from the state of the one before.
 *   <li><b>RS-3</b> No step is learned before every slot of it has one fate (promise P-2).
 *   <li><b>RS-4</b> A step without a lesson is committed without an optimizer step.
 *   <li><b>RS-5</b> The run ends once, with {@link RunEvent.Ended}, after all its children; of all tensors it was given or
 *       made, those of the ended state are left.
 *   <li><b>RS-6</b> Whatever is asked to stop stops at a commit; a run resumed from there is the same run (promise P-7). It waits
 *       for the commit of the step in work as long as somebody works: where units wait for a kind of worker that is not there, and
 *       nobody else works, it stops at the commit before.
 *   <li><b>RS-7</b> Validation changes no bit of the run.
 *   <li><b>RS-8</b> A step is opened once its ledger is this run's alone, and committed once the commit is written.
 *   <li><b>RS-9</b> What the ledger has of steps after the state that the run begins from is used, not asked for again and not
 *       written again; what is computed again and comes out differently ends the run, with step, and group and slot if there are
 *       such.
 * </ul>
 */
public final class RunSupervisor extends SwitchBehavior<RunSupervisor.Command> {

    /** What the supervisor of a run is told. */
    public sealed interface Command {}

    /** Commit the step that is being worked on, and end. */
    public record FinishStep() implements Command {}

    record OpenStep(int step, ActorRef<StepLine.OpenedStep> replyTo) implements Command {}

    record OpenGroup(StepLine.OpenedGroup group, ActorRef<StepLine.EndedGroup> replyTo) implements Command {}

    record Learn(StepLine.ComparedStep compared, ActorRef<StepLine.LearnedStep> replyTo) implements Command {}

    record Commit(StepLine.LearnedStep learned, ActorRef<StepLine.CommittedStep> replyTo) implements Command {}

    record LineEnded() implements Command {}

    record LineFailed(Throwable failure) implements Command {}

    private record KeeperEnded(GroupKeeper.Ending ending) implements Command {}

    private record TrainerEnded(StepTrainer.Ending ending) implements Command {}

    private record Validated(RunEvent.Evaluated evaluated) implements Command {}

    private record LedgerAnswered(Ledger.Answer answer) implements Command {}

    private record LedgerWritten() implements Command {}

    private record LedgerGone() implements Command {}

    private record LookForWork() implements Command {}

    private record DeskIs(DeskReport report) implements Command {}

    private record ChildGone(ActorRef<?> child, String what, BooleanSupplier owesAnEnding) implements Command {}

    private final ActorContext<Command> context;
    private final RunSettings settings;
    private final RunOrder order;
    private final RunPorts ports;
    private final Desks desks;
    private final ActorRef<? super RunEvent.Ended> parent;
    private final Consumer<TensorRef> release;
    private final ActorRef<Ledger.Command> ledger;
    private final ActorRef<Ledger.Written> writtenHere;
    private final ActorRef<GroupKeeper.Ending> keepersTellHere;
    private final TimerScheduler<Command> timers;
    private final ActorRef<DeskReport> reportsHere;

    private RunState state;
    private LedgerHistory history = LedgerHistory.NONE;
    private final Queue<Runnable> onceWritten = new ArrayDeque<>();
    private @Nullable UniqueKillSwitch line;
    private Instant lastCommit;
    private final Map<Integer, Step> steps = new LinkedHashMap<>();
    private final Map<DrawUnit, OpenGroup> openGroups = new HashMap<>();
    private final Map<ActorRef<?>, Runnable> children = new LinkedHashMap<>();
    private @Nullable OpenStep gated;
    private @Nullable Learn heldLearn;
    private @Nullable Learning learning;
    private @Nullable LearnerState uncommitted;
    private @Nullable Committing committing;
    private boolean finishRequested;
    private final Map<String, DeskReport> desksNow = new LinkedHashMap<>();
    private boolean ledgerGone;
    private RunEvent.@Nullable End end;
    private RunEvent.@Nullable Ended ended;

    /** What is held for a step between its opening and its commit. */
    private static final class Step {
        final StepLine.OpenedStep opened;
        final List<Prompt> prompts;
        final Instant openedAt;
        final List<GroupKeeper.Ending> held = new ArrayList<>();
        Instant scoredAt;

        Step(StepLine.OpenedStep opened, List<Prompt> prompts, Instant openedAt) {
            this.opened = opened;
            this.prompts = prompts;
            this.openedAt = openedAt;
            this.scoredAt = openedAt;
        }
    }

    /** @param verdicts the digest of the run's verdicts with those of this step */
    private record Learning(Learn asked, StepTally tally, LessonPlan plan, String verdicts, Instant began) {}

    private record Committing(Commit asked, RunEvent.StepCommitted event) {}

    private RunSupervisor(
            ActorContext<Command> context,
            TimerScheduler<Command> timers,
            RunSettings settings,
            RunOrder order,
            RunPorts ports,
            Desks desks,
            ActorRef<? super RunEvent.Ended> parent) {
        this.context = context;
        this.timers = timers;
        this.reportsHere = context.messageAdapter(DeskReport.class, DeskIs::new);
        this.settings = settings;
        this.order = order;
        this.ports = ports;
        this.desks = desks;
        this.parent = parent;
        this.release = ports.store()::release;
        this.state = order.from();
        this.lastCommit = ports.clock().instant();
        this.keepersTellHere = context.messageAdapter(GroupKeeper.Ending.class, KeeperEnded::new);
        this.writtenHere = context.messageAdapter(Ledger.Written.class, _ -> new LedgerWritten());
        this.ledger = context.spawn(ports.ledger().writer(order.run()), "ledger");
        context.watchWith(ledger, new LedgerGone());
        ledger.tell(new Ledger.Open(
                state.step(),
                RunDigests.of(ports.store(), state),
                context.messageAdapter(Ledger.Answer.class, LedgerAnswered::new))); // RS-8
    }

    /** @param parent hears the one {@link RunEvent.Ended}, after the listener */
    public static Behavior<Command> create(
            RunSettings settings,
            RunOrder order,
            RunPorts ports,
            Desks desks,
            ActorRef<? super RunEvent.Ended> parent) {
        return Behaviors.setup(context -> Behaviors.withTimers(
                timers -> new RunSupervisor(context, timers, settings, order, ports, desks, parent)));
    }

    @Override
    Behavior<Command> onMessage(Command command) {
        try {
            switch (command) {
                case OpenStep open -> onOpenStep(open);
                case OpenGroup open -> onOpenGroup(open);
                case KeeperEnded(GroupKeeper.Ending ending) -> onKeeperEnded(ending);
                case Learn learn -> onLearn(learn);
                case TrainerEnded(StepTrainer.Ending ending) -> onTrainerEnded(ending);
                case Commit commit -> onCommit(commit);
                case Validated(RunEvent.Evaluated evaluated) -> onValidated(evaluated);
                case FinishStep() -> {
                    finishRequested = true;
                    lookForWork();
                }
                case LookForWork() -> lookForWork();
                case DeskIs(DeskReport report) -> onDeskIs(report);
                case LineEnded() -> onLineEnded();
                case LineFailed(Throwable failure) -> fail("the line of steps failed: " + failure);
                case LedgerAnswered(Ledger.Opened(LedgerHistory recorded)) -> onLedgerOpened(recorded);
                case LedgerAnswered(Ledger.Failed(String message)) -> fail(message);
                case LedgerAnswered(Ledger.Closed()) -> {}
                case LedgerWritten() -> onLedgerWritten();
                case LedgerGone() -> {
                    if (ended != null) {
                        return tellEnd(ended);
                    }
                    fail("the ledger's writer died; the log says why");
                    ledgerGone = true;
                }
                case ChildGone gone -> onChildGone(gone);
            }
        } catch (RuntimeException failure) {
            context.getLog().error("run {} fails at step {}", order.run(), state.step(), failure);
            fail(failure instanceof UncheckedIOException ? ErrorReason.of(failure) : failure.toString());
        }
        return end != null && children.isEmpty() && ended == null ? finish(end) : this;
    }

    private void onLedgerOpened(LedgerHistory recorded) {
        history = recorded;
        if (end == null) {
            line = StepLine.of(context.getSelf(), state.step(), order.steps(), settings.limits(), settings.groups())
                    .run(Materializer.createMaterializer(context));
        }
    }

    private void write(List<LedgerEvent> events) {
        if (!events.isEmpty()) {
            ledger.tell(new Ledger.Write(events, Optional.empty()));
        }
    }

    /** Answers come in the order of the questions (LG-1). */
    private void write(LedgerEvent event, Runnable then) {
        onceWritten.add(then);
        ledger.tell(new Ledger.Write(List.of(event), Optional.of(writtenHere)));
    }

    private void onLedgerWritten() {
        Runnable then = onceWritten.remove();
        if (end == null) {
            then.run();
        }
    }

    private void writeCheckpoints() {
        write(List.copyOf(ports.checkpoints().get()));
    }

    private void onOpenStep(OpenStep open) {
        if (end != null) {
            return;
        }
        PolicyVersion version =
                RunState.versionFor(open.step(), settings.rollout().staleness());
        if (state.newest().version().compareTo(version) < 0) {
            gated = open;
            return;
        }
        Publication publication = state.publications().stream()
                .filter(published -> published.version().equals(version)) // RS-1
                .findFirst()
                .orElseThrow(() -> new IllegalStateException(
                        "step %d is drawn with policy version %d, which the state of step %d does not hold; resume with rollout.staleness=%d from a checkpoint made with it"
                                .formatted(
                                        open.step(),
                                        version.value(),
                                        state.step(),
                                        settings.rollout().staleness())));
        List<Prompt> prompts = ports.prompts().prompts(open.step(), publication.ban());
        if (prompts.isEmpty()) {
            throw new IllegalStateException("there are no prompts left for step " + open.step());
        }
        List<DrawUnit> draws = new ArrayList<>();
        for (Prompt prompt : prompts) {
            draws.add(new DrawUnit(
                    order.run(),
                    settings.seed(),
                    DrawUnit.Purpose.TRAINING,
                    open.step(),
                    draws.size(),
                    settings.rollout().imagesPerGroup(),
                    version,
                    publication.weights(),
                    prompt));
        }
        StepLine.OpenedStep opened = new StepLine.OpenedStep(open.step(), List.copyOf(draws));
        steps.put(open.step(), new Step(opened, prompts, ports.clock().instant()));
        recordOpening(new LedgerEvent.StepOpened(
                open.step(),
                version.value(),
                settings.rollout().imagesPerGroup(),
                prompts.stream().map(Prompt::row).toList()));
        open.replyTo().tell(opened);
    }

    private void recordOpening(LedgerEvent.StepOpened opening) {
        LedgerEvent.StepOpened recorded = history.opened(opening.step()).orElse(null);
        if (recorded == null) {
            write(List.of(opening));
        } else if (!recorded.equals(opening)) {
            throw new IllegalStateException("step %d is opened as %s, and the ledger has %s: the data are not the same"
                    .formatted(opening.step(), opening, recorded)); // RS-9
        }
    }

    private void onOpenGroup(OpenGroup open) {
        if (end != null) {
            return;
        }
        DrawUnit draw = open.group().draw();
        Optional<LedgerEvent.GroupLost> lost = history.lost(draw.step(), draw.group());
        if (lost.isPresent()) {
            tellLine(
                    open,
                    new GroupKeeper.GroupLost(
                            draw, new Fault.DropGroup(lost.get().reason()))); // RS-9
            return;
        }
        openGroups.put(draw, open);
        ActorRef<GroupKeeper.Command> keeper = context.spawn(
                GroupKeeper.create(
                        draw,
                        desks,
                        settings.limits(),
                        ports.plane(),
                        ports.clock(),
                        new GroupLedger(
                                history.drawn(draw.step(), draw.group()),
                                history.outcomes(draw.step(), draw.group()),
                                ledger),
                        keepersTellHere),
                "step-%d-group-%d".formatted(draw.step(), draw.group()));
        adopt(keeper, new GroupKeeper.Abandon(), "the keeper of " + draw.name(), () -> openGroups.containsKey(draw));
    }

    private void onKeeperEnded(GroupKeeper.Ending ending) {
        OpenGroup asked = openGroups.remove(ending.draw());
        Step step = steps.get(ending.draw().step());
        if (end != null || asked == null || step == null) {
            Endings.release(ending, release);
            return;
        }
        step.held.add(ending);
        step.scoredAt = ports.clock().instant();
        switch (ending) {
            case GroupKeeper.GroupEnded _ -> tellLine(asked, ending);
            case GroupKeeper.GroupLost(DrawUnit draw, Fault.DropGroup(String reason)) ->
                write(
                        new LedgerEvent.GroupLost(draw.step(), draw.group(), reason),
                        () -> tellLine(asked, ending)); // RS-8
            case GroupKeeper.GroupLost(DrawUnit _, Fault fault) -> fail(fault.message());
        }
    }

    private void tellLine(OpenGroup asked, GroupKeeper.Ending ending) {
        ports.listener().heard(new RunEvent.GroupFinished(order.run(), ending));
        asked.replyTo().tell(new StepLine.EndedGroup(asked.group(), ending));
    }

    private void onLearn(Learn learn) {
        StepLine.ComparedStep compared = learn.compared();
        if (end != null) {
            return;
        }
        if (compared.step() != state.step()) {
            heldLearn = learn; // RS-2
            return;
        }
        Step step = step(compared.step());
        StepTally tally = StepTally.of(step.opened.draws(), compared.endings(), compared.statistics()); // RS-3
        recordVerdicts(compared);
        List<Lesson> lessons = lessonsOf(compared);
        if (lessons.size() != tally.counted()) {
            throw new IllegalStateException("promise P-2 is broken: step %d counts %d images and has %d lessons"
                    .formatted(compared.step(), tally.counted(), lessons.size()));
        }
        LessonPlan plan =
                LessonPlan.of(settings.seed(), compared.step(), lessons, settings.rollout(), settings.training());
        Instant began = ports.clock().instant();
        if (!plan.passes().isEmpty()) {
            train(compared.step(), plan);
        }
        hearCompared(compared, step); // while the trainers work
        String verdicts = RunDigests.verdictsAfter(
                state.verdictDigest(), compared.step(), compared.statistics(), compared.rewards());
        learning = new Learning(learn, tally, plan, verdicts, began);
        if (plan.passes().isEmpty()) {
            learn.replyTo().tell(new StepLine.LearnedStep(compared, state.learner(), List.of())); // RS-4
        }
    }

    private void train(int step, LessonPlan plan) {
        ActorRef<StepTrainer.Ending> trainersTellHere =
                context.messageAdapter(StepTrainer.Ending.class, TrainerEnded::new);
        ActorRef<StepTrainer.Command> trainer = context.spawn(
                StepTrainer.create(
                        order.run(),
                        settings.seed(),
                        step,
                        state.learner(),
                        plan,
                        desks.train(),
                        ports.plane(),
                        settings.workers().gradientUnitsPerLease(),
                        settings.limits().workAttemptsMax(),
                        trainersTellHere),
                "training-" + step);
        adopt(trainer, new StepTrainer.Abandon(), "the trainer of step " + step, () -> owesLearning(step));
    }

    private boolean owesLearning(int step) {
        return learning != null && learning.asked().compared().step() == step && uncommitted == null;
    }

    /** Images of groups that teach nothing are released once they were heard of; those of lessons at the commit. */
    private void hearCompared(StepLine.ComparedStep compared, Step step) {
        for (int i = 0; i < compared.endings().size(); i++) {
            GroupKeeper.Ending ending = compared.endings().get(i);
            GroupStatistics statistics = compared.statistics().groups().get(i);
            ports.listener().heard(new RunEvent.GroupCompared(compared.step(), ending, statistics));
            if (ending instanceof GroupKeeper.GroupLost || !(statistics.verdict() instanceof Verdict.Kept)) {
                Endings.release(ending, release);
                step.held.remove(ending);
            }
        }
    }

    private void recordVerdicts(StepLine.ComparedStep compared) {
        List<LedgerEvent> verdicts = new ArrayList<>();
        for (GroupStatistics group : compared.statistics().groups()) {
            LedgerEvent.GroupJudged now = new LedgerEvent.GroupJudged(
                    compared.step(),
                    group.group(),
                    LedgerEvent.Fate.of(group.verdict()),
                    group.verdict().reason());
            Optional<LedgerEvent.GroupJudged> before = history.judged(compared.step(), group.group());
            if (before.isEmpty()) {
                verdicts.add(now);
            } else if (before.get().fate() != now.fate()) {
                throw new IllegalStateException("step %d group %d is %s, and the ledger has %s"
                        .formatted(now.step(), now.group(), now, before.get())); // RS-9
            }
        }
        write(verdicts);
    }

    private static List<Lesson> lessonsOf(StepLine.ComparedStep compared) {
        List<Lesson> lessons = new ArrayList<>();
        for (int i = 0; i < compared.endings().size(); i++) {
            GroupStatistics statistics = compared.statistics().groups().get(i);
            if (compared.endings().get(i) instanceof GroupKeeper.GroupEnded ended
                    && statistics.verdict() instanceof Verdict.Kept) {
                addLessons(ended, statistics, lessons);
            }
        }
        return lessons;
    }

    private static void addLessons(GroupKeeper.GroupEnded ended, GroupStatistics statistics, List<Lesson> lessons) {
        DrawUnit draw = ended.draw();
        for (int slot = 0; slot < draw.slots(); slot++) {
            Optional<GroupStatistics.Standing> standing = statistics.standings().get(slot);
            if (standing.isPresent()) {
                lessons.add(new Lesson(
                        draw.group(),
                        slot,
                        draw.prompt(),
                        ended.drawn().images().get(slot),
                        standing.get().optimality(),
                        standing.get().advantage()));
            }
        }
    }

    private void onTrainerEnded(StepTrainer.Ending ending) {
        switch (ending) {
            case StepTrainer.StepFailed failed -> fail(failed.fault().message());
            case StepTrainer.StepLearned(int step, LearnerState learner, List<PassStatistics> passes) -> {
                if (end != null || learning == null) {
                    learner.tensors().forEach(release);
                    return;
                }
                uncommitted = learner;
                Learn asked = learning.asked();
                asked.replyTo().tell(new StepLine.LearnedStep(asked.compared(), learner, passes));
            }
        }
    }

    private void onCommit(Commit commit) {
        Learning done = learning;
        if (end != null || done == null) {
            return;
        }
        StepLine.ComparedStep compared = commit.learned().compared();
        if (compared.step() != state.step()) {
            throw new IllegalStateException(
                    "step %d was learned, step %d is next".formatted(compared.step(), state.step())); // RS-2
        }
        PromptBan ban = state.newest().ban().after(compared.statistics(), settings.groups());
        RunState after = state.committed(
                commit.learned().learner(), ban, settings.rollout().staleness(), done.verdicts());
        LedgerEvent.StepCommitted now =
                new LedgerEvent.StepCommitted(compared.step(), RunDigests.of(ports.store(), after), done.tally());
        LedgerEvent.StepCommitted recorded = history.committed(compared.step()).orElse(null);
        if (recorded == null) {
            write(now, () -> onCommitted(commit, done, after)); // RS-8
        } else if (recorded.equals(now)) {
            onCommitted(commit, done, after);
        } else {
            throw new IllegalStateException(
                    "step %d is computed as %s, and the ledger has %s".formatted(now.step(), now, recorded)); // RS-9
        }
    }

    private void onCommitted(Commit commit, Learning done, RunState after) {
        StepLine.ComparedStep compared = commit.learned().compared();
        RunState before = state;
        state = after;
        uncommitted = null;
        learning = null;
        Step step = step(compared.step());
        RunEvent.StepCommitted event = new RunEvent.StepCommitted(
                compared.step(),
                compared.statistics(),
                done.tally(),
                done.plan().samples(),
                commit.learned().passes(),
                timings(step, compared, done),
                state);
        try {
            ports.listener().heard(event);
        } finally {
            Set<TensorRef> replaced = before.tensors();
            replaced.removeAll(state.tensors());
            replaced.forEach(release); // RS-5
        }
        writeCheckpoints();
        leave(step);
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

    private StepTimings timings(Step step, StepLine.ComparedStep compared, Learning done) {
        Instant now = ports.clock().instant();
        Instant drawn = step.openedAt;
        for (GroupKeeper.Ending ending : compared.endings()) {
            if (ending instanceof GroupKeeper.GroupEnded ended
                    && ended.drawnAt().isAfter(drawn)) {
                drawn = ended.drawnAt();
            }
        }
        StepTimings timings = new StepTimings(
                Duration.between(step.openedAt, drawn),
                Duration.between(drawn, step.scoredAt),
                Duration.between(step.scoredAt, done.began()),
                Duration.between(done.began(), now),
                Duration.between(lastCommit, now));
        lastCommit = now;
        return timings;
    }

    /** The commit is answered after it, so that the average it draws with stays, and a rule may look at it. */
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
                Evaluation.create(
                        request, desks, settings.limits(), ports.plane(), ports.clock(), ports.listener(), here),
                "validation-" + state.step());
        Committing now = committing;
        adopt(
                evaluation,
                new Evaluation.Abandon(),
                "the validation after step " + (state.step() - 1),
                () -> Objects.equals(now, committing));
    }

    private void onValidated(RunEvent.Evaluated evaluated) {
        writeCheckpoints();
        for (GroupKeeper.Ending ending : evaluated.endings()) {
            if (ending instanceof GroupKeeper.GroupLost(DrawUnit _, Fault.StopRun(String message))) {
                fail(message);
                return;
            }
        }
        answerCommit(Optional.of(evaluated));
    }

    private void answerCommit(Optional<RunEvent.Evaluated> validation) {
        Committing now = committing;
        if (end != null || now == null) {
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

    /** RS-6: asks the desks, until the run has ended. */
    private void lookForWork() {
        if (end != null) {
            return;
        }
        desksNow.clear();
        desks.draw().tell(new WorkDesk.Report<>(reportsHere));
        desks.score().tell(new WorkDesk.Report<>(reportsHere));
        desks.train().tell(new WorkDesk.Report<>(reportsHere));
        timers.startSingleTimer(new LookForWork(), settings.limits().heartbeatEvery());
    }

    private void onDeskIs(DeskReport report) {
        desksNow.put(report.role(), report);
        boolean all = desksNow.size() == 3;
        if (end == null
                && all
                && nobodyWorks(desksNow.values(), settings.limits().leaseTime())) {
            context.getLog()
                    .info(
                            "run {} ends at step {}: nobody works on what is open, {}",
                            order.run(),
                            state.step(),
                            desksNow.values());
            stop(new RunEvent.End.ByRequest());
        }
    }

    /** Whether units wait for workers of a kind that is not there, and no worker of any kind has one. */
    static boolean nobodyWorks(Collection<DeskReport> desks, Duration silentAfter) {
        return desks.stream().allMatch(desk -> desk.open() == desk.waiting())
                && desks.stream()
                        .anyMatch(desk -> desk.waiting() > 0
                                && desk.stations().stream()
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
        if (end == null) {
            end = why;
            UniqueKillSwitch running = line;
            if (running != null) {
                running.shutdown();
            }
            children.values().forEach(Runnable::run);
        }
    }

    /** The only way out, with {@link #tellEnd}: RS-5. */
    private Behavior<Command> finish(RunEvent.End why) {
        for (Step step : List.copyOf(steps.values())) {
            try {
                leave(step);
            } catch (RuntimeException failure) {
                context.getLog().error("the prompts of step {} were not released", step.opened.step(), failure);
            }
        }
        LearnerState lost = uncommitted;
        if (lost != null) {
            lost.tensors().forEach(release);
        }
        RunEvent.Ended all = new RunEvent.Ended(state, why);
        ended = all;
        try {
            ports.listener().heard(all);
            writeCheckpoints();
        } catch (RuntimeException failure) {
            context.getLog().error("the listener of run {} failed at its end", order.run(), failure);
        }
        if (ledgerGone) {
            return tellEnd(all);
        }
        ledger.tell(new Ledger.Close());
        return this;
    }

    private Behavior<Command> tellEnd(RunEvent.Ended all) {
        parent.tell(all);
        return Behaviors.stopped();
    }

    private void leave(Step step) {
        step.held.forEach(ending -> Endings.release(ending, release));
        ports.prompts().release(step.prompts);
        steps.remove(step.opened.step());
    }

    private Step step(int number) {
        Step step = steps.get(number);
        if (step == null) {
            throw new IllegalStateException("step " + number + " was never opened");
        }
        return step;
    }
}
