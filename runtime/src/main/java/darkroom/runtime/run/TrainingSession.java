package darkroom.runtime.run;

import darkroom.actors.device.Prompt;
import darkroom.actors.device.ValidationPlan;
import darkroom.actors.events.RunEvent;
import darkroom.actors.events.RunListener;
import darkroom.actors.events.RunState;
import darkroom.actors.ledger.RunDigests;
import darkroom.actors.run.RunOrder;
import darkroom.actors.run.RunPorts;
import darkroom.config.ErrorReason;
import darkroom.config.RunSettings;
import darkroom.gpuworkers.checkpoints.Checkpoints;
import darkroom.runtime.base.CommandFailedException;
import darkroom.runtime.base.Evaluations;
import darkroom.runtime.base.Evaluator;
import darkroom.runtime.base.ExitCode;
import darkroom.runtime.base.FollowedException;
import darkroom.runtime.base.RunJournal;
import darkroom.runtime.report.FinalSummaryPrinter;
import darkroom.runtime.report.IncidentRecorder;
import darkroom.runtime.report.LiveView;
import darkroom.runtime.report.Report;
import darkroom.runtime.report.RunRecorder;
import darkroom.runtime.report.ScorerRecord;
import darkroom.runtime.report.Summary;
import darkroom.runtime.report.TensorBoardRecorder;
import darkroom.tensors.TensorRef;
import darkroom.tensors.TensorStore;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.InstantSource;
import java.util.List;
import java.util.Optional;
import java.util.TreeMap;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** A run while the resources that it uses are open: evaluation, training, evaluation, and the files of its end. */
final class TrainingSession {
    private static final Logger LOGGER = LoggerFactory.getLogger(TrainingSession.class);
    private static final int VALIDATION_KEY = 1;

    private final PreparedRun run;
    private final RunSettings settings;
    private final Path directory;
    private final SessionResources resources;
    private final LiveView view;
    private final RunEnvironment environment;
    private final RunJournal journal;
    private final TensorStore store;
    private final RunState from;
    private final OpenPrompts open;
    private final Evaluator evaluator;
    private final Validations validations;
    private final CheckpointWriter checkpoints;
    private final Optional<ValidationPlan> plan;
    private final HeldOutEvaluations evaluations;
    private volatile String doing = "";

    TrainingSession(PreparedRun run, SessionResources resources) {
        this.run = run;
        this.settings = run.settings();
        this.directory = run.directory();
        this.resources = resources;
        this.view = resources.view();
        this.environment = resources.environment();
        this.journal = resources.journal();
        this.store = environment.plane().store();
        DataSplits data = run.data();
        Optional<Checkpoints.Loaded> loaded = resources.loaded();
        this.from = loaded.map(Checkpoints.Loaded::state)
                .orElseGet(() ->
                        RunState.fresh(LearnerTensors.fresh(resources.policy().initial(settings.seed()), store)));
        this.open = new OpenPrompts(store);
        this.evaluator = new Evaluator(open::row, store);
        this.validations = new Validations(
                evaluator, loaded.map(found -> found.manifest().validations()).orElseGet(TreeMap::new));
        List<Prompt> validated = settings.evaluation().everySteps() == 0
                ? List.of()
                : open.open(data.validation().first(data.validation().size()));
        this.plan = validated.isEmpty()
                ? Optional.empty()
                : Optional.of(new ValidationPlan(
                        settings.evaluation().everySteps(),
                        VALIDATION_KEY,
                        validated,
                        settings.evaluation().imagesPerTask()));
        this.evaluations = new HeldOutEvaluations(
                run, resources, open.open(data.heldOut().first(data.heldOut().size())));
        this.checkpoints = new CheckpointWriter(
                settings,
                store,
                new CheckpointWriter.Target(
                        environment.faults().checkpoints(CheckpointWriter.placeIn(directory)),
                        run.copies(),
                        environment.faults()::diskRefused),
                loaded.map(found -> CheckpointWriter.Start.of(found.manifest())).orElse(CheckpointWriter.Start.NEW),
                new CheckpointWriter.Measured(
                        validations::measures,
                        step -> plan.isPresent() && step % plan.get().everySteps() == 0));
    }

    ExitCode run(Interrupt interrupt) throws IOException, InterruptedException {
        try (RunRecorder recorder = new RunRecorder(directory, settings, open::row, evaluator, from.step());
                ScorerRecord scoredBy = new ScorerRecord(directory, from.step());
                IncidentRecorder incidents = IncidentRecorder.in(directory, InstantSource.system());
                TensorBoardRecorder tensorBoard =
                        TensorBoardRecorder.in(directory, InstantSource.system(), from.step(), evaluator::measure)) {
            RunListener listeners = RunListeners.of(
                    environment.faults()::heard,
                    validations,
                    scoredBy,
                    recorder,
                    incidents,
                    tensorBoard,
                    this::committed,
                    checkpoints,
                    run.noise(),
                    this::figures,
                    view,
                    environment);
            RunPorts ports = new RunPorts(
                            new RowPrompts(
                                    run.data().train(),
                                    settings.seed(),
                                    settings.rollout().groupsPerStep(),
                                    open),
                            StopRules.of(
                                    run,
                                    () -> "%s, %s".formatted(resources.scorers().describe(), scoredBy.describe()),
                                    validations::measures),
                            environment.plane(),
                            listeners,
                            environment.faults().clock(InstantSource.system()))
                    .with(environment.faults().ledger(journal), checkpoints::written);
            try (LocalActorSystem guardian = new LocalActorSystem(
                    settings, resources.policy(), resources.scorers(), ports, environment, journal.pekko())) {
                interrupt.finishing(
                        () -> {
                            environment.ending();
                            guardian.finishStep();
                        },
                        () -> doing,
                        "The last checkpoint stands. Resume with: darkroom train --resume " + directory);
                return finish(whole(trained(guardian, interrupt), recorder), interrupt);
            }
        }
    }

    private RunEvent.Ended trained(LocalActorSystem guardian, Interrupt interrupt)
            throws IOException, InterruptedException {
        if (from.step() == 0) {
            Optional<String> failed = evaluate(
                    guardian, Evaluations.HELD_OUT_BEFORE, 0, from.learner().average());
            if (failed.isPresent() && !interrupt.isRaised()) {
                return ended(new RunEvent.Ended(from, new RunEvent.End.Failed(failed.get())));
            }
        }
        if (interrupt.isRaised()) {
            return ended(new RunEvent.Ended(from, new RunEvent.End.ByRequest()));
        }
        environment.stage("training", from.step());
        view.training(from.step(), settings.steps(), settings.rollout().groupsPerStep());
        committed(from.step());
        RunEvent.Ended ended = guardian.run(new RunOrder(LocalRun.RUN, from, settings.steps(), plan));
        Optional<String> failed =
                switch (ended.end()) {
                    case RunEvent.End.Completed _, RunEvent.End.ByRule _ -> {
                        Optional<String> after = evaluate(
                                guardian,
                                Evaluations.HELD_OUT_AFTER,
                                ended.state().step(),
                                ended.state().learner().average());
                        yield after.isPresent() ? after : reference(guardian);
                    }
                    case RunEvent.End.ByRequest _, RunEvent.End.Failed _ -> Optional.empty();
                };
        return failed.map(message -> new RunEvent.Ended(
                        ended.state(),
                        interrupt.isRaised() ? new RunEvent.End.ByRequest() : new RunEvent.End.Failed(message)))
                .orElse(ended);
    }

    /** Writes the checkpoint of an end that no supervisor has reported. */
    private RunEvent.Ended ended(RunEvent.Ended ended) {
        try {
            checkpoints.heard(ended);
        } catch (UncheckedIOException unwritable) {
            LOGGER.error("{}: {}", ErrorReason.of(unwritable), unwritable.getCause());
        }
        return ended;
    }

    /** Fails a run whose files are gone, whatever it computed: only its checkpoint is left. */
    private RunEvent.Ended whole(RunEvent.Ended ended, RunRecorder recorder) {
        if (ended.end() instanceof RunEvent.End.Failed || environment.isFollowed()) {
            return ended;
        }
        try {
            recorder.requireThere();
            journal.requireThere();
            return ended;
        } catch (UncheckedIOException gone) {
            return ended(new RunEvent.Ended(ended.state(), new RunEvent.End.Failed(ErrorReason.of(gone))));
        }
    }

    private void committed(int steps) {
        doing = "step %d of %d to be committed".formatted(Math.min(steps + 1, settings.steps()), settings.steps());
    }

    /** Forces the ledger to the disk before the checkpoint is written. Ends the run if the ledger no longer exists. */
    private void committed(RunEvent event) {
        if (event instanceof RunEvent.StepCommitted step) {
            committed(step.step() + 1);
            journal.requireThere();
            journal.force();
        }
    }

    private ExitCode finish(RunEvent.Ended ended, Interrupt interrupt) {
        if (environment.isFollowed()) {
            throw new FollowedException("another control node has taken over the run in " + directory);
        }
        boolean goesOnElsewhere = environment.ended(ended.end());
        long unscored = 0;
        try {
            unscored = written(ended).counts().unscored();
        } catch (UncheckedIOException unwritable) {
            if (!(ended.end() instanceof RunEvent.End.Failed)) {
                throw unwritable;
            }
            LOGGER.error("what is left of the run cannot be written: {}", ErrorReason.of(unwritable));
        }
        return switch (ended.end()) {
            case RunEvent.End.Failed(String message) ->
                throw new CommandFailedException(
                        goesOnElsewhere
                                ? message + "\nA standby resumes the run."
                                : "%s%nResume with: darkroom train --resume %s%s"
                                        .formatted(
                                                message,
                                                directory,
                                                journal.isThere()
                                                        ? ""
                                                        : " --set ledger.store=none (the ledger is gone: scores"
                                                                + " are asked for again)"));
            case RunEvent.End.ByRequest() -> interrupt.isRaised() ? ExitCode.INTERRUPTED : ExitCode.OK;
            case RunEvent.End.Completed _, RunEvent.End.ByRule _ -> unscored > 0 ? ExitCode.UNSCORED : ExitCode.OK;
        };
    }

    /** Writes the last files of the run and prints its summary. */
    private Summary written(RunEvent.Ended ended) {
        view.stage("writing the report");
        if (!Files.exists(directory.resolve(LocalRun.SETTINGS))) {
            run.writeSettings(); // a checkpoint alone cannot be resumed
        }
        Summary summary = Summary.of(
                directory,
                settings,
                RunDigests.of(store, ended.state()),
                ended.state().step(),
                ended.end(),
                evaluations.stages());
        summary.write(directory);
        Report.write(directory);
        view.close();
        boolean kept = CheckpointWriter.isThere(
                CheckpointWriter.in(directory), ended.state().step());
        FinalSummaryPrinter.print(summary, directory, kept, run.out());
        return summary;
    }

    private void figures(RunEvent event) {
        if (event instanceof RunEvent.Evaluated evaluated) {
            view.measured(evaluated.request().name(), evaluator.measure(evaluated));
        }
    }

    private Optional<String> evaluate(LocalActorSystem guardian, String name, int version, TensorRef weights)
            throws InterruptedException {
        if (!evaluations.isEmpty()) {
            doing = "the evaluation " + name + " to be given up";
        }
        return evaluations.evaluate(guardian, name, version, weights);
    }

    private Optional<String> reference(LocalActorSystem guardian) throws IOException, InterruptedException {
        Optional<float[]> clean = evaluations.cleanReference();
        if (clean.isEmpty()) {
            return Optional.empty();
        }
        TensorRef weights = LearnerTensors.put(clean.get(), store);
        try {
            return evaluate(guardian, Evaluations.CLEAN_REFERENCE, 0, weights);
        } finally {
            store.release(weights);
        }
    }
}
