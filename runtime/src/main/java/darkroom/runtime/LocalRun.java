package darkroom.runtime;

import darkroom.actors.DeskEvent;
import darkroom.actors.EvaluationRequest;
import darkroom.actors.Fault;
import darkroom.actors.GroupKeeper;
import darkroom.actors.LearnerState;
import darkroom.actors.LedgerBook;
import darkroom.actors.PolicyVersion;
import darkroom.actors.Prompt;
import darkroom.actors.RunDigests;
import darkroom.actors.RunEvent;
import darkroom.actors.RunListener;
import darkroom.actors.RunOrder;
import darkroom.actors.RunPorts;
import darkroom.actors.RunState;
import darkroom.actors.StopWhen;
import darkroom.actors.TensorRef;
import darkroom.actors.TensorStore;
import darkroom.actors.ValidationPlan;
import darkroom.config.ErrorReason;
import darkroom.config.InputSettings;
import darkroom.config.LedgerSettings;
import darkroom.config.Recipes;
import darkroom.config.RunSettings;
import darkroom.config.WorkerSettings;
import darkroom.edittasks.FileFault;
import darkroom.gpuworkers.CheckpointCopies;
import darkroom.gpuworkers.Checkpoints;
import darkroom.gpuworkers.DitWeights;
import darkroom.gpuworkers.EmbeddedPolicy;
import darkroom.rewardactors.ScorerNoise;
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
 * A run in one process, from settings to the report: measures the held-out rows, trains, measures them again.
 *
 * <p>An interrupt (Ctrl-C, SIGTERM) lets the step in work commit, writes a checkpoint, and says how to go on.
 */
final class LocalRun {
    private static final Logger LOGGER = LoggerFactory.getLogger(LocalRun.class);
    /** Noise of all evaluations: held-out images before and after, of any run, are paired. */
    static final long EVALUATION_SEED = 77;

    static final int HELD_OUT_KEY = 0;
    private static final int VALIDATION_KEY = 1;
    static final String SETTINGS = "settings.conf";
    static final String RUN = "run";
    private static final String LOG = "run.log";

    private final RunSettings settings;
    private final Path directory;
    private final boolean resumed;
    private final Ground.Opener grounds;
    private final PrintWriter out;
    private final DitWeights base;
    private final DataSplits data;
    private final Optional<CheckpointCopies> copies;
    private boolean hadLedger;

    /** Reads what the run is made of. What cannot be used is refused here, before anything is written. */
    private LocalRun(RunSettings settings, Path directory, boolean resumed, Ground.Opener grounds, PrintWriter out)
            throws IOException {
        this.directory = directory;
        this.resumed = resumed;
        this.grounds = grounds;
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
     * @return how the process should end
     */
    static ExitCode start(RunSettings settings, Path directory, PrintWriter out)
            throws IOException, InterruptedException {
        return start(settings, directory, Ground.Alone::with, out);
    }

    /** @param grounds what the run stands on */
    static ExitCode start(RunSettings settings, Path directory, Ground.Opener grounds, PrintWriter out)
            throws IOException, InterruptedException {
        requireModel(settings);
        settings.requireScorer();
        requireFree(directory);
        RunSettings decided = Precisions.decided(settings);
        PrecisionChoice precision = PrecisionChoice.of(settings, decided);
        try (Interrupt interrupt = new Interrupt(settings.limits().shutdownGrace(), () -> sayHowToGoOn(directory))) {
            LocalRun run = new LocalRun(decided, directory, false, grounds, out);
            Files.createDirectories(directory);
            RunInputs.write(directory, run.settings, run.data);
            RunDirectory.write(directory.resolve(SETTINGS), Recipes.render(run.settings));
            precision.write(directory);
            out.println("precision: " + precision.describe());
            out.flush();
            return run.run(interrupt);
        }
    }

    /** @throws CommandFailedException if there is something in the directory of a run that is to begin */
    static void requireFree(Path directory) throws IOException {
        if (Files.exists(directory)) {
            try (Stream<Path> there = Files.list(directory)) {
                // What a start writes before the settings is no run yet.
                if (there.anyMatch(file -> !file.getFileName().toString().startsWith(RunInputs.FILE))) {
                    throw new CommandFailedException(
                            "%s is not empty. Name another directory with --out, or go on with the run in it: darkroom train --resume %s"
                                    .formatted(directory, directory),
                            ExitCode.USAGE);
                }
            }
        }
    }

    /**
     * Goes on with an interrupted run from its newest whole checkpoint, as if it had never stopped (promise P-7).
     *
     * @param overrides settings that do not decide the result: workers, limits, steps, endpoints of scorers; a precision
     *     {@code auto} keeps the one that was decided when the run began
     */
    static ExitCode resume(Path directory, List<String> overrides, PrintWriter out)
            throws IOException, InterruptedException {
        return resume(directory, overrides, Ground.Alone::with, out);
    }

    /** @param grounds what the run stands on from here on; it may have been another one before */
    static ExitCode resume(Path directory, List<String> overrides, Ground.Opener grounds, PrintWriter out)
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
            LocalRun run = new LocalRun(settings, directory, true, grounds, out);
            run.hadLedger = before.ledger().store() != LedgerSettings.Store.NONE;
            if (!Files.exists(directory.resolve(RunInputs.FILE))) {
                RunInputs.write(directory, run.settings, run.data);
            }
            return run.run(interrupt);
        }
    }

    /** For an interrupt before there is a step to finish. */
    private static void sayHowToGoOn(Path directory) {
        Logging.terminal()
                .say(
                        Files.exists(directory.resolve(SETTINGS))
                                ? "Interrupted while preparing. Resume with: darkroom train --resume " + directory
                                : "Interrupted while preparing; nothing is written. The same command starts the run.",
                        new PrintWriter(System.err, true, System.err.charset()));
    }

    /** A run does not lose steps. */
    private static void requireStepsLeft(RunSettings settings, Path directory) throws IOException {
        int committed = CheckpointWriter.in(directory).newestStep().orElse(0);
        if (committed > settings.steps()) {
            throw new CommandFailedException(
                    "%s has %d steps already, more than steps=%d. Give --steps %d or more, or start another run with --out."
                            .formatted(directory, committed, settings.steps(), committed),
                    ExitCode.USAGE);
        }
    }

    /** What a run was begun with cannot be compared where nothing is recorded of it. */
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

    /** The resolved settings of a run. */
    static RunSettings settingsOf(Path run, List<String> overrides) {
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

    /** Recipes of other models are valid; this build has only the embedded one. Virtual devices compute nothing. */
    static void requireModel(RunSettings settings) {
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
            try (Ground ground = grounds.open(settings)) {
                if (ground.rolloutDevices() + ground.trainerDevices() > 0 || ground.scores()) {
                    Precisions.tellIfSlow(settings, LOGGER::warn);
                }
                TensorStore store = ground.plane().store();
                if (resumed && copies.isPresent()) {
                    copies.get().restore(CheckpointWriter.placeIn(directory));
                }
                Optional<Checkpoints.Loaded> loaded = resumed ? loaded(store) : Optional.empty();
                loaded.ifPresent(this::requireSameSettings);
                ground.directory(directory);
                try (RunJournal journal = RunJournal.open(
                                settings.ledger(),
                                directory,
                                System.getenv(),
                                book -> requireCoverage(book, loaded, store));
                        Scorers scorers = ground.scores()
                                ? Scorers.open(settings.scoring(), ground.faults(), this::record)
                                : Scorers.elsewhere(settings.scoring())) {
                    if (resumed) {
                        writeSettings();
                    }
                    return new Session(view, policy, scorers, ground, journal, loaded).run(interrupt);
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

    /** What another node has measured. */
    private void noise(RunEvent event) {
        if (event
                instanceof
                DeskEvent.NoiseMeasured(String _, String scorer, int count, double mean, double std, double range)) {
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

    /** What is resumed can be held against the ledger: {@link LedgerCoverage}. */
    private void requireCoverage(LedgerBook book, Optional<Checkpoints.Loaded> loaded, TensorStore store) {
        if (!resumed || !hadLedger || settings.ledger().store() == LedgerSettings.Store.NONE) {
            return;
        }
        try {
            LedgerCoverage.require(
                            book,
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

    /** The run between the opening and the closing of what it uses. */
    private final class Session {
        private final LiveView view;
        private final EmbeddedPolicy policy;
        private final Scorers scorers;
        private final Ground ground;
        private final RunJournal journal;
        private final TensorStore store;
        private final RunState from;
        private final OpenPrompts open;
        private final Meter meter;
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
                Ground ground,
                RunJournal journal,
                Optional<Checkpoints.Loaded> loaded) {
            this.view = view;
            this.policy = policy;
            this.scorers = scorers;
            this.ground = ground;
            this.journal = journal;
            this.store = ground.plane().store();
            this.from = loaded.map(Checkpoints.Loaded::state)
                    .orElseGet(() -> RunState.fresh(learner(policy.initial(settings.seed()), store)));
            this.open = new OpenPrompts(store);
            this.meter = new Meter(open::row, store);
            this.validations = new Validations(
                    meter, loaded.map(found -> found.manifest().validations()).orElseGet(TreeMap::new));
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
                    ground.faults().checkpoints(CheckpointWriter.placeIn(directory)),
                    store,
                    loaded.map(found -> found.manifest().counts()).orElseGet(TreeMap::new),
                    validations::measures,
                    step -> plan.isPresent() && step % plan.get().everySteps() == 0,
                    loaded.map(found -> found.manifest().step()).orElse(-1),
                    ground.faults()::diskRefused,
                    copies);
        }

        ExitCode run(Interrupt interrupt) throws IOException, InterruptedException {
            try (RunRecorder recorder = new RunRecorder(directory, settings, open::row, meter, from.step());
                    ScorerRecord scoredBy = new ScorerRecord(directory, from.step());
                    IncidentRecorder incidents = IncidentRecorder.in(directory, InstantSource.system());
                    TensorBoardRecorder tensorBoard =
                            TensorBoardRecorder.in(directory, InstantSource.system(), from.step(), meter::measure)) {
                RunListener listeners = RunListeners.of(
                        ground.faults()::heard,
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
                        ground);
                RunPorts ports = new RunPorts(
                                new RowPrompts(
                                        data.train(),
                                        settings.seed(),
                                        settings.rollout().groupsPerStep(),
                                        open),
                                stopWhen(scoredBy),
                                ground.plane(),
                                listeners,
                                ground.faults().clock(InstantSource.system()))
                        .with(ground.faults().ledger(journal), checkpoints::written);
                try (LocalStudio studio = new LocalStudio(settings, policy, scorers, ports, ground, journal.pekko())) {
                    interrupt.finishing(
                            () -> {
                                ground.ending();
                                studio.finishStep();
                            },
                            () -> doing,
                            "The last checkpoint stands. Resume with: darkroom train --resume " + directory);
                    return finish(whole(trained(studio, interrupt), recorder), interrupt);
                }
            }
        }

        private RunEvent.Ended trained(LocalStudio studio, Interrupt interrupt)
                throws IOException, InterruptedException {
            if (from.step() == 0) {
                Optional<String> failed = evaluate(
                        studio, Evaluations.HELD_OUT_BEFORE, 0, from.learner().average());
                if (failed.isPresent() && !interrupt.isRaised()) {
                    return ended(new RunEvent.Ended(from, new RunEvent.End.Failed(failed.get())));
                }
            }
            if (interrupt.isRaised()) {
                return ended(new RunEvent.Ended(from, new RunEvent.End.ByRequest()));
            }
            ground.stage("training", from.step());
            view.training(from.step(), settings.steps(), settings.rollout().groupsPerStep());
            committed(from.step());
            RunEvent.Ended ended = studio.run(new RunOrder(RUN, from, settings.steps(), plan));
            Optional<String> failed =
                    switch (ended.end()) {
                        case RunEvent.End.Completed _, RunEvent.End.ByRule _ -> {
                            Optional<String> after = evaluate(
                                    studio,
                                    Evaluations.HELD_OUT_AFTER,
                                    ended.state().step(),
                                    ended.state().learner().average());
                            yield after.isPresent() ? after : reference(studio);
                        }
                        case RunEvent.End.ByRequest _, RunEvent.End.Failed _ -> Optional.empty();
                    };
            return failed.map(message -> new RunEvent.Ended(
                            ended.state(),
                            interrupt.isRaised() ? new RunEvent.End.ByRequest() : new RunEvent.End.Failed(message)))
                    .orElse(ended);
        }

        /** An end that no supervisor has told of: its checkpoint is written here. */
        private RunEvent.Ended ended(RunEvent.Ended ended) {
            try {
                checkpoints.heard(ended);
            } catch (UncheckedIOException unwritable) {
                LOGGER.error("{}: {}", ErrorReason.of(unwritable), unwritable.getCause());
            }
            return ended;
        }

        /** A run whose files are gone has failed, whatever it computed: what is left of it is the checkpoint. */
        private RunEvent.Ended whole(RunEvent.Ended ended, RunRecorder recorder) {
            if (ended.end() instanceof RunEvent.End.Failed || ground.isFollowed()) {
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

        /** Before the checkpoint: the ledger is on the disk. One that is not there any more ends the run. */
        private void committed(RunEvent event) {
            if (event instanceof RunEvent.StepCommitted step) {
                committed(step.step() + 1);
                journal.requireThere();
                journal.force();
            }
        }

        private ExitCode finish(RunEvent.Ended ended, Interrupt interrupt) {
            if (ground.isFollowed()) {
                throw new FollowedException("another control node goes on with the run in " + directory);
            }
            boolean goesOnElsewhere = ground.ended(ended.end());
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
                                    ? message + "\nA standby goes on with the run."
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

        /** The last files of the run, and its last words. */
        private Summary written(RunEvent.Ended ended) {
            view.stage("writing the report");
            if (!Files.exists(directory.resolve(SETTINGS))) {
                writeSettings(); // a checkpoint alone resumes nothing
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
            Closing.print(summary, directory, kept, out);
            return summary;
        }

        private StopWhen stopWhen(ScorerRecord scoredBy) {
            RunDirectory files = new RunDirectory(directory);
            StopWhen silent = new ScorersSilent(ScorersSilent.recorded(files.metrics()));
            StopWhen flat = new FlatGroups(
                    settings.scoring().flatGroupsWarn(),
                    settings.scoring().flatGroupsMax(),
                    FlatGroups.recorded(files.verdicts()),
                    () -> "%s, %s".formatted(scorers.describe(), scoredBy.describe()));
            StopWhen stall = new ValidationStall(settings.evaluation().patience(), validations::measures);
            StopWhen rows = new RowsLeft(data.train().size(), settings.rollout().groupsPerStep());
            return (committed, validation) -> first(committed, validation, List.of(silent, flat, stall, rows));
        }

        /** Each rule sees every step. */
        private static Optional<String> first(
                RunEvent.StepCommitted committed, Optional<RunEvent.Evaluated> validation, List<StopWhen> rules) {
            return rules.stream().map(rule -> rule.reason(committed, validation)).toList().stream()
                    .flatMap(Optional::stream)
                    .findFirst();
        }

        private void figures(RunEvent event) {
            if (event instanceof RunEvent.Evaluated evaluated) {
                view.measured(evaluated.request().name(), meter.measure(evaluated));
            }
        }

        /** What ended it, if it did not come to its end: a scorer that refuses everything, a listener, a request to end. */
        private Optional<String> evaluate(LocalStudio studio, String name, int version, TensorRef weights)
                throws InterruptedException {
            if (heldOut.isEmpty()) {
                return Optional.empty();
            }
            view.stage(name, heldOut.size());
            ground.stage(name, version);
            doing = "the evaluation " + name + " to be given up";
            Instant began = Instant.now();
            RunEvent.Evaluated evaluated = studio.evaluate(new EvaluationRequest(
                    name,
                    EVALUATION_SEED,
                    HELD_OUT_KEY,
                    new PolicyVersion(version),
                    weights,
                    heldOut,
                    settings.evaluation().imagesPerTask()));
            stages.put(name, Duration.between(began, Instant.now()));
            return evaluated.endings().stream()
                    .filter(GroupKeeper.GroupLost.class::isInstance)
                    .map(ending -> ((GroupKeeper.GroupLost) ending).fault())
                    .filter(Fault.StopRun.class::isInstance)
                    .map(Fault::message)
                    .findFirst();
        }

        /** What clean data alone would have given: drawn once, so that nobody is fooled by a poor start. */
        private Optional<String> reference(LocalStudio studio) throws IOException, InterruptedException {
            DitWeights clean = DitWeights.base("clean");
            if (policy.lora().isLora() || !clean.shape().equals(policy.weights().shape())) {
                return Optional.empty();
            }
            TensorRef weights = put(clean.flat(), store);
            try {
                return evaluate(studio, Evaluations.CLEAN_REFERENCE, 0, weights);
            } finally {
                store.release(weights);
            }
        }
    }

    static LearnerState learner(float[] initial, TensorStore store) {
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
