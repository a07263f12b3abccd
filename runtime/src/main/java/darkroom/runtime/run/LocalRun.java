package darkroom.runtime.run;

import darkroom.actors.device.Fault;
import darkroom.actors.device.GroupOutcome;
import darkroom.actors.device.LearnerState;
import darkroom.actors.device.PolicyVersion;
import darkroom.actors.device.Prompt;
import darkroom.actors.device.ValidationPlan;
import darkroom.actors.events.EvaluationRequest;
import darkroom.actors.events.RunEvent;
import darkroom.actors.events.RunListener;
import darkroom.actors.events.RunState;
import darkroom.actors.events.StopWhen;
import darkroom.actors.events.WorkQueueEvent;
import darkroom.actors.ledger.LedgerSnapshot;
import darkroom.actors.ledger.RunDigests;
import darkroom.actors.run.RunOrder;
import darkroom.actors.run.RunPorts;
import darkroom.config.ErrorReason;
import darkroom.config.InputSettings;
import darkroom.config.LedgerSettings;
import darkroom.config.Recipes;
import darkroom.config.RunSettings;
import darkroom.config.WorkerSettings;
import darkroom.edittasks.pictures.FileFault;
import darkroom.gpuworkers.DitWeights;
import darkroom.gpuworkers.EmbeddedPolicy;
import darkroom.gpuworkers.checkpoints.CheckpointCopies;
import darkroom.gpuworkers.checkpoints.Checkpoints;
import darkroom.rewardactors.client.ScorerNoise;
import darkroom.runtime.base.CommandFailedException;
import darkroom.runtime.base.Evaluations;
import darkroom.runtime.base.Evaluator;
import darkroom.runtime.base.ExitCode;
import darkroom.runtime.base.FollowedException;
import darkroom.runtime.base.JsonLines;
import darkroom.runtime.base.NoiseFloor;
import darkroom.runtime.base.PrecisionChoice;
import darkroom.runtime.base.Precisions;
import darkroom.runtime.base.RunDirectory;
import darkroom.runtime.base.RunJournal;
import darkroom.runtime.report.FinalSummaryPrinter;
import darkroom.runtime.report.FlatGroups;
import darkroom.runtime.report.IncidentRecorder;
import darkroom.runtime.report.LiveView;
import darkroom.runtime.report.Logging;
import darkroom.runtime.report.Report;
import darkroom.runtime.report.RunRecorder;
import darkroom.runtime.report.ScorerRecord;
import darkroom.runtime.report.Summary;
import darkroom.runtime.report.TensorBoardRecorder;
import darkroom.tensors.TensorRef;
import darkroom.tensors.TensorStore;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.UncheckedIOException;
import java.lang.foreign.MemorySegment;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.stream.Stream;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A run in one process, from settings to the report: measures the held-out rows, trains, and measures them again.
 *
 * <p>An interrupt (Ctrl-C, SIGTERM) lets the step in progress commit, writes a checkpoint, and prints how to resume.
 */
public final class LocalRun {
    private static final Logger LOGGER = LoggerFactory.getLogger(LocalRun.class);
    /** Noise key of all evaluations: held-out images before and after, of any run, are paired. */
    public static final long EVALUATION_SEED = 77;

    public static final int HELD_OUT_KEY = 0;
    private static final int VALIDATION_KEY = 1;
    public static final String SETTINGS = "settings.conf";
    public static final String RUN = "run";
    private static final String LOG = "run.log";

    private final RunSettings settings;
    private final Path directory;
    private final boolean resumed;
    private final RunEnvironment.Opener environments;
    private final PrintWriter out;
    private final DitWeights base;
    private final DataSplits data;
    private final Optional<CheckpointCopies> copies;
    private boolean hadLedger;

    /** Reads the inputs of the run. Unusable inputs are refused here, before anything is written. */
    private LocalRun(
            RunSettings settings, Path directory, boolean resumed, RunEnvironment.Opener environments, PrintWriter out)
            throws IOException {
        this.directory = directory;
        this.resumed = resumed;
        this.environments = environments;
        this.out = out;
        RunFit.require(settings);
        this.base = base(settings);
        this.data = DataSplits.of(settings, out);
        RunFit.require(settings, data, base.shape());
        RunFit.remarks(settings, data).forEach(out::println);
        out.flush();
        InputSettings found = RunInputs.found(settings, data);
        RunInputs.require(settings, found, data, resumed ? directory : null);
        this.settings = Recipes.recorded(settings, found);
        this.copies = CheckpointWriter.copiesOf(this.settings);
    }

    /**
     * Starts a run in a directory that does not exist or is empty.
     *
     * @return exit code of the process
     */
    public static ExitCode start(RunSettings settings, Path directory, PrintWriter out)
            throws IOException, InterruptedException {
        return start(settings, directory, RunEnvironment.Alone::with, out);
    }

    /**
     * Starts a run in a directory that does not exist or is empty.
     *
     * @param environments opens the environment of the run
     */
    public static ExitCode start(
            RunSettings settings, Path directory, RunEnvironment.Opener environments, PrintWriter out)
            throws IOException, InterruptedException {
        requireModel(settings);
        settings.requireScorer();
        requireFree(directory);
        RunSettings decided = Precisions.decided(settings);
        PrecisionChoice precision = PrecisionChoice.of(settings, decided);
        try (Interrupt interrupt = new Interrupt(settings.limits().shutdownGrace(), () -> sayHowToGoOn(directory))) {
            LocalRun run = new LocalRun(decided, directory, false, environments, out);
            Files.createDirectories(directory);
            RunInputs.write(directory, run.settings, run.data);
            RunDirectory.write(directory.resolve(SETTINGS), Recipes.render(run.settings));
            precision.write(directory);
            out.println("precision: " + precision.describe());
            out.flush();
            return run.run(interrupt);
        }
    }

    /**
     * Checks that a new run can use the directory.
     *
     * @throws CommandFailedException if the directory is not empty
     */
    public static void requireFree(Path directory) throws IOException {
        if (Files.exists(directory)) {
            try (Stream<Path> there = Files.list(directory)) {
                // Files that a start writes before the settings are not a run yet.
                if (there.anyMatch(file -> !file.getFileName().toString().startsWith(RunInputs.FILE))) {
                    throw new CommandFailedException(
                            "%s is not empty. Name another directory with --out, or resume the run in it: darkroom train --resume %s"
                                    .formatted(directory, directory),
                            ExitCode.USAGE);
                }
            }
        }
    }

    /**
     * Resumes an interrupted run from its newest whole checkpoint, as if it had never stopped (promise P-7).
     *
     * @param overrides settings that do not affect the result: workers, limits, steps, endpoints of scorers; a
     *     precision {@code auto} keeps the one that was decided when the run began
     */
    static ExitCode resume(Path directory, List<String> overrides, PrintWriter out)
            throws IOException, InterruptedException {
        return resume(directory, overrides, RunEnvironment.Alone::with, out);
    }

    /**
     * Resumes an interrupted run from its newest whole checkpoint.
     *
     * @param environments opens the environment of the run, which may differ from the earlier one
     */
    public static ExitCode resume(
            Path directory, List<String> overrides, RunEnvironment.Opener environments, PrintWriter out)
            throws IOException, InterruptedException {
        RunSettings before = Precisions.decided(settingsOf(directory, List.of()));
        RunSettings settings = Precisions.decidedAs(before, settingsOf(directory, overrides));
        if (!Recipes.deciding(before).equals(Recipes.deciding(settings))) {
            throw new CommandFailedException(
                    "%s was computed with other settings than %s asks for; only workers, limits, checkpoints, evaluation, steps, scoring.endpoints, scoring.cache and scoring.flat-groups-max may change"
                            .formatted(directory, overrides),
                    ExitCode.USAGE);
        }
        requireModel(settings);
        settings.requireScorer();
        requireRecorded(before, directory);
        requireStepsLeft(settings, directory);
        try (Interrupt interrupt = new Interrupt(settings.limits().shutdownGrace(), () -> sayHowToGoOn(directory))) {
            LocalRun run = new LocalRun(settings, directory, true, environments, out);
            run.hadLedger = before.ledger().store() != LedgerSettings.Store.NONE;
            if (!Files.exists(directory.resolve(RunInputs.FILE))) {
                RunInputs.write(directory, run.settings, run.data);
            }
            return run.run(interrupt);
        }
    }

    /** Prints how to continue after an interrupt before there is a step to finish. */
    private static void sayHowToGoOn(Path directory) {
        Logging.terminal()
                .say(
                        Files.exists(directory.resolve(SETTINGS))
                                ? "Interrupted while preparing. Resume with: darkroom train --resume " + directory
                                : "Interrupted while preparing; nothing is written. The same command starts the run.",
                        new PrintWriter(System.err, true, System.err.charset()));
    }

    /** Refuses a number of steps below the number already committed. */
    private static void requireStepsLeft(RunSettings settings, Path directory) throws IOException {
        int committed = CheckpointWriter.in(directory).newestStep().orElse(0);
        if (committed > settings.steps()) {
            throw new CommandFailedException(
                    "%s has %d steps already, more than steps=%d. Give --steps %d or more, or start another run with --out."
                            .formatted(directory, committed, settings.steps(), committed),
                    ExitCode.USAGE);
        }
    }

    /**
     * Refuses settings without input digests: without them, the inputs cannot be compared with those the run began
     * with.
     */
    private static void requireRecorded(RunSettings recorded, Path directory) {
        InputSettings inputs = recorded.inputs();
        if (Stream.of(inputs.train(), inputs.validation(), inputs.heldOut(), inputs.base(), inputs.judge())
                .anyMatch(String::isEmpty)) {
            throw new CommandFailedException(
                    "%s does not record the digests of what the run reads (inputs.*): another build wrote it, or it was edited. Restore it, or start a new run."
                            .formatted(directory.resolve(SETTINGS)),
                    ExitCode.USAGE);
        }
    }

    /** Opens the ledger of the run in this directory for reading. */
    public static RunJournal ledgerOf(Path run) {
        return RunJournal.reading(settingsOf(run, List.of()).ledger(), run, System.getenv());
    }

    /** Returns the resolved settings of a run. */
    public static RunSettings settingsOf(Path run, List<String> overrides) {
        if (!Files.isRegularFile(run.resolve(SETTINGS))) {
            throw new CommandFailedException(
                    "%s has no %s: it is not the directory of a run".formatted(run, SETTINGS), ExitCode.USAGE);
        }
        return Recipes.load(run.resolve(SETTINGS).toString(), overrides);
    }

    private static DitWeights base(RunSettings settings) {
        try {
            return DitWeights.base(settings.policy().base());
        } catch (IOException e) {
            throw new CommandFailedException(FileFault.reason(e), ExitCode.USAGE);
        }
    }

    /**
     * Refuses models that are not installed: recipes of other models are valid, but this build has only the embedded
     * one. Virtual devices compute nothing.
     */
    public static void requireModel(RunSettings settings) {
        if (settings.workers().device() == WorkerSettings.Kind.VIRTUAL) {
            throw new CommandFailedException(
                    "workers.device=virtual computes nothing and is for 'darkroom bench' and 'darkroom chaos'; here it"
                            + " is workers.device=torch",
                    ExitCode.USAGE);
        }
        if (!settings.policy().model().equals("embedded")) {
            throw new CommandFailedException(
                    "recipe %s needs policy.model=%s, which is not installed: this build computes policy.model=embedded.%s 'darkroom config show --recipe %s' shows the settings."
                            .formatted(
                                    settings.recipe(),
                                    settings.policy().model(),
                                    settings.scoring().endpoints().isEmpty()
                                            ? " It also needs scorers, scoring.endpoints=[] names none: the embedded"
                                                    + " judge does not know its images."
                                            : "",
                                    settings.recipe()),
                    ExitCode.USAGE);
        }
    }

    private ExitCode run(Interrupt interrupt) throws IOException, InterruptedException {
        Logging.Handle log = Logging.alsoTo(directory.resolve(LOG));
        try (LiveView view = LiveView.open(out, InstantSource.system(), System.getenv())) {
            view.stage("preparing");
            EmbeddedPolicy policy =
                    new EmbeddedPolicy(base, settings.rollout(), settings.evaluation(), settings.training());
            try (RunEnvironment environment = environments.open(settings)) {
                if (environment.rolloutDevices() + environment.trainerDevices() > 0 || environment.scores()) {
                    Precisions.tellIfSlow(settings, LOGGER::warn);
                }
                TensorStore store = environment.plane().store();
                if (resumed && copies.isPresent()) {
                    copies.get().restore(CheckpointWriter.placeIn(directory));
                }
                Optional<Checkpoints.Loaded> loaded = resumed ? loaded(store) : Optional.empty();
                loaded.ifPresent(this::requireSameSettings);
                environment.directory(directory);
                try (RunJournal journal = RunJournal.open(
                                settings.ledger(),
                                directory,
                                System.getenv(),
                                snapshot -> requireCoverage(snapshot, loaded, store));
                        Scorers scorers = environment.scores()
                                ? Scorers.open(settings.scoring(), environment.faults(), this::record)
                                : Scorers.elsewhere(settings.scoring())) {
                    if (resumed) {
                        writeSettings();
                    }
                    return new Session(view, policy, scorers, environment, journal, loaded).run(interrupt);
                }
            }
        } finally {
            log.close();
        }
    }

    private synchronized void record(ScorerNoise noise) {
        Scorers.tell(noise);
        double threshold = settings.groups().spreadThreshold();
        if (settings.groups().filter() && noise.std() > threshold / 2) {
            LOGGER.warn(
                    "the scores of {} vary by {} for one and the same pair, more than half of"
                            + " groups.spread-threshold={}: what the filter keeps may be noise",
                    noise.scorer(),
                    noise.std(),
                    threshold);
        }
        try (JsonLines<NoiseFloor> lines =
                JsonLines.open(new RunDirectory(directory).noise(), NoiseFloor.class, _ -> true)) {
            lines.append(
                    new NoiseFloor(noise.scorer(), noise.count(), noise.mean(), noise.std(), noise.range(), threshold));
        }
    }

    /** Records the noise that another node has measured. */
    private void noise(RunEvent event) {
        if (event
                instanceof
                WorkQueueEvent.NoiseMeasured(
                        String _,
                        String scorer,
                        int count,
                        double mean,
                        double std,
                        double range)) {
            record(new ScorerNoise(scorer, count, mean, std, range));
        }
    }

    private Optional<Checkpoints.Loaded> loaded(TensorStore store) throws IOException {
        Checkpoints checkpoints = CheckpointWriter.in(directory);
        return settings.ledger().store() == LedgerSettings.Store.NONE
                ? checkpoints.loadNewest(store)
                : checkpoints.recover(store);
    }

    private void writeSettings() {
        if (!Files.exists(directory.resolve(RunInputs.FILE))) {
            RunInputs.write(directory, settings, data);
        }
        RunDirectory.write(directory.resolve(SETTINGS), Recipes.render(settings));
    }

    /** Checks with {@link LedgerCoverage} that the ledger covers the resumed state. */
    private void requireCoverage(LedgerSnapshot snapshot, Optional<Checkpoints.Loaded> loaded, TensorStore store) {
        if (!resumed || !hadLedger || settings.ledger().store() == LedgerSettings.Store.NONE) {
            return;
        }
        try {
            LedgerCoverage.require(
                            snapshot,
                            directory,
                            loaded.map(found -> found.manifest().step()).orElse(0),
                            loaded.map(found -> RunDigests.of(store, found.state())),
                            RunJournal.where(settings.ledger(), directory))
                    .ifPresent(LOGGER::warn);
        } catch (IOException e) {
            throw RunDirectory.failed("read", CheckpointWriter.placeIn(directory), e);
        }
    }

    private void requireSameSettings(Checkpoints.Loaded loaded) {
        if (!loaded.manifest().settingsDigest().equals(CheckpointWriter.settingsDigest(settings))) {
            throw new CommandFailedException("%s was made with other settings than those in %s"
                    .formatted(loaded.path(), directory.resolve(SETTINGS)));
        }
    }

    /** A run while the resources it uses are open. */
    private final class Session {
        private final LiveView view;
        private final EmbeddedPolicy policy;
        private final Scorers scorers;
        private final RunEnvironment environment;
        private final RunJournal journal;
        private final TensorStore store;
        private final RunState from;
        private final OpenPrompts open;
        private final Evaluator evaluator;
        private final Validations validations;
        private final CheckpointWriter checkpoints;
        private final Optional<ValidationPlan> plan;
        private final List<Prompt> heldOut;
        private final Map<String, Duration> stages = new LinkedHashMap<>();
        private volatile String doing = "";

        Session(
                LiveView view,
                EmbeddedPolicy policy,
                Scorers scorers,
                RunEnvironment environment,
                RunJournal journal,
                Optional<Checkpoints.Loaded> loaded) {
            this.view = view;
            this.policy = policy;
            this.scorers = scorers;
            this.environment = environment;
            this.journal = journal;
            this.store = environment.plane().store();
            this.from = loaded.map(Checkpoints.Loaded::state)
                    .orElseGet(() -> RunState.fresh(learner(policy.initial(settings.seed()), store)));
            this.open = new OpenPrompts(store);
            this.evaluator = new Evaluator(open::row, store);
            this.validations = new Validations(
                    evaluator,
                    loaded.map(found -> found.manifest().validations()).orElseGet(TreeMap::new));
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
            this.heldOut = open.open(data.heldOut().first(data.heldOut().size()));
            this.checkpoints = new CheckpointWriter(
                    settings,
                    environment.faults().checkpoints(CheckpointWriter.placeIn(directory)),
                    store,
                    loaded.map(found -> found.manifest().counts()).orElseGet(TreeMap::new),
                    validations::measures,
                    step -> plan.isPresent() && step % plan.get().everySteps() == 0,
                    loaded.map(found -> found.manifest().step()).orElse(-1),
                    environment.faults()::diskRefused,
                    copies);
        }

        ExitCode run(Interrupt interrupt) throws IOException, InterruptedException {
            try (RunRecorder recorder = new RunRecorder(directory, settings, open::row, evaluator, from.step());
                    ScorerRecord scoredBy = new ScorerRecord(directory, from.step());
                    IncidentRecorder incidents = IncidentRecorder.in(directory, InstantSource.system());
                    TensorBoardRecorder tensorBoard = TensorBoardRecorder.in(
                            directory, InstantSource.system(), from.step(), evaluator::measure)) {
                RunListener listeners = RunListeners.of(
                        environment.faults()::heard,
                        validations,
                        scoredBy,
                        recorder,
                        incidents,
                        tensorBoard,
                        this::committed,
                        checkpoints,
                        LocalRun.this::noise,
                        this::figures,
                        view,
                        environment);
                RunPorts ports = new RunPorts(
                                new RowPrompts(
                                        data.train(),
                                        settings.seed(),
                                        settings.rollout().groupsPerStep(),
                                        open),
                                stopWhen(scoredBy),
                                environment.plane(),
                                listeners,
                                environment.faults().clock(InstantSource.system()))
                        .with(environment.faults().ledger(journal), checkpoints::written);
                try (LocalActorSystem guardian =
                        new LocalActorSystem(settings, policy, scorers, ports, environment, journal.pekko())) {
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
            RunEvent.Ended ended = guardian.run(new RunOrder(RUN, from, settings.steps(), plan));
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
            if (!Files.exists(directory.resolve(SETTINGS))) {
                writeSettings(); // a checkpoint alone cannot be resumed
            }
            Summary summary = Summary.of(
                    directory,
                    settings,
                    RunDigests.of(store, ended.state()),
                    ended.state().step(),
                    ended.end(),
                    stages);
            summary.write(directory);
            Report.write(directory);
            view.close();
            boolean kept = CheckpointWriter.isThere(
                    CheckpointWriter.in(directory), ended.state().step());
            FinalSummaryPrinter.print(summary, directory, kept, out);
            return summary;
        }

        private StopWhen stopWhen(ScorerRecord scoredBy) {
            RunDirectory files = new RunDirectory(directory);
            StopWhen silent = new ScorersSilent(ScorersSilent.recorded(files.metrics()));
            StopWhen flat = new FlatGroups(
                    settings.scoring().flatGroupsWarn(),
                    settings.scoring().flatGroupsMax(),
                    FlatGroups.recorded(files.decisions()),
                    () -> "%s, %s".formatted(scorers.describe(), scoredBy.describe()));
            StopWhen stall = new ValidationStall(settings.evaluation().patience(), validations::measures);
            StopWhen rows = new RowsLeft(data.train().size(), settings.rollout().groupsPerStep());
            return (committed, validation) -> first(committed, validation, List.of(silent, flat, stall, rows));
        }

        /** Applies every rule to the step and returns the first reason to stop. */
        private static Optional<String> first(
                RunEvent.StepCommitted committed, Optional<RunEvent.Evaluated> validation, List<StopWhen> rules) {
            return rules.stream().map(rule -> rule.reason(committed, validation)).toList().stream()
                    .flatMap(Optional::stream)
                    .findFirst();
        }

        private void figures(RunEvent event) {
            if (event instanceof RunEvent.Evaluated evaluated) {
                view.measured(evaluated.request().name(), evaluator.measure(evaluated));
            }
        }

        /**
         * Evaluates and returns why the evaluation ended early, if it did: a scorer that refuses everything, a
         * listener, or a request to end.
         */
        private Optional<String> evaluate(LocalActorSystem guardian, String name, int version, TensorRef weights)
                throws InterruptedException {
            if (heldOut.isEmpty()) {
                return Optional.empty();
            }
            view.stage(name, heldOut.size());
            environment.stage(name, version);
            doing = "the evaluation " + name + " to be given up";
            Instant began = Instant.now();
            RunEvent.Evaluated evaluated = guardian.evaluate(new EvaluationRequest(
                    name,
                    EVALUATION_SEED,
                    HELD_OUT_KEY,
                    new PolicyVersion(version),
                    weights,
                    heldOut,
                    settings.evaluation().imagesPerTask()));
            stages.put(name, Duration.between(began, Instant.now()));
            return evaluated.endings().stream()
                    .filter(GroupOutcome.Lost.class::isInstance)
                    .map(ending -> ((GroupOutcome.Lost) ending).fault())
                    .filter(Fault.StopRun.class::isInstance)
                    .map(Fault::message)
                    .findFirst();
        }

        /** Measures once what clean data alone would have given, so that a poor start misleads nobody. */
        private Optional<String> reference(LocalActorSystem guardian) throws IOException, InterruptedException {
            DitWeights clean = DitWeights.base("clean");
            if (policy.lora().isLora() || !clean.shape().equals(policy.weights().shape())) {
                return Optional.empty();
            }
            TensorRef weights = put(clean.flat(), store);
            try {
                return evaluate(guardian, Evaluations.CLEAN_REFERENCE, 0, weights);
            } finally {
                store.release(weights);
            }
        }
    }

    public static LearnerState learner(float[] initial, TensorStore store) {
        float[] zeros = new float[initial.length];
        return new LearnerState(
                0, put(initial, store), put(zeros, store), put(zeros, store), put(initial, store), put(initial, store));
    }

    private static TensorRef put(float[] values, TensorStore store) {
        return store.put(
                TensorRef.ElementType.FLOAT32,
                List.of(values.length),
                bytes -> bytes.copyFrom(MemorySegment.ofArray(values)));
    }
}
