package darkroom.runtime.run;

import darkroom.config.InputSettings;
import darkroom.config.LedgerSettings;
import darkroom.config.Recipes;
import darkroom.config.RunSettings;
import darkroom.edittasks.pictures.FileFault;
import darkroom.gpuworkers.checkpoints.Checkpoints;
import darkroom.gpuworkers.models.PolicyModel;
import darkroom.runtime.base.CommandFailedException;
import darkroom.runtime.base.ExitCode;
import darkroom.runtime.base.PrecisionChoice;
import darkroom.runtime.base.Precisions;
import darkroom.runtime.base.RunDirectory;
import darkroom.runtime.base.RunJournal;
import darkroom.runtime.report.LiveView;
import darkroom.runtime.report.Logging;
import darkroom.tensors.TensorStore;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.InstantSource;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
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
    public static final String SETTINGS = "settings.conf";
    public static final String RUN = "run";
    private static final String LOG = "run.log";

    private final PreparedRun prepared;
    private final Optional<Resumption> resumption;
    private final PolicyModel policy;
    private final RunEnvironment.Opener environments;

    private LocalRun(
            PreparedRun prepared,
            PolicyModel policy,
            Optional<Resumption> resumption,
            RunEnvironment.Opener environments) {
        this.prepared = prepared;
        this.policy = policy;
        this.resumption = resumption;
        this.environments = environments;
    }

    /**
     * Reads the inputs of the run. Unusable inputs are refused here, before anything is written.
     *
     * @param resumed directory with the record of the inputs so far; {@code null} for a new run
     */
    private static PreparedRun prepare(
            RunSettings settings, Path directory, @Nullable Path resumed, PolicyModel policy, PrintWriter out)
            throws IOException {
        DataSplits data = DataSplits.of(settings, out);
        RunFit.require(settings, data, policy);
        RunFit.remarks(settings, data).forEach(out::println);
        out.flush();
        InputSettings found = RunInputs.found(settings, data);
        RunInputs.require(settings, found, data, resumed);
        RunSettings recorded = Recipes.recorded(settings, found);
        return new PreparedRun(
                recorded,
                directory,
                data,
                CheckpointWriter.copiesOf(recorded),
                new ScorerNoiseRecorder(recorded, directory),
                out);
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
        RunFit.requireModel(settings);
        settings.requireScorer();
        requireFree(directory);
        RunSettings decided = Precisions.decided(settings);
        PrecisionChoice precision = PrecisionChoice.of(settings, decided);
        try (Interrupt interrupt =
                new Interrupt(settings.limits().shutdownGrace(), () -> sayHowToContinue(directory))) {
            PolicyModel policy = model(decided);
            PreparedRun prepared = prepare(decided, directory, null, policy, out);
            Files.createDirectories(directory);
            RunInputs.write(directory, prepared.settings(), prepared.data());
            RunDirectory.write(directory.resolve(SETTINGS), Recipes.render(prepared.settings()));
            precision.write(directory);
            out.println("precision: " + precision.describe());
            out.flush();
            return new LocalRun(prepared, policy, Optional.empty(), environments).run(interrupt);
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
        Resumption.require(before, settings, overrides, directory);
        try (Interrupt interrupt =
                new Interrupt(settings.limits().shutdownGrace(), () -> sayHowToContinue(directory))) {
            PolicyModel policy = model(settings);
            PreparedRun prepared = prepare(settings, directory, directory, policy, out);
            boolean hadLedger = before.ledger().store() != LedgerSettings.Store.NONE;
            prepared.writeInputs();
            return new LocalRun(prepared, policy, Optional.of(new Resumption(prepared, hadLedger)), environments)
                    .run(interrupt);
        }
    }

    /** Prints how to continue after an interrupt before there is a step to finish. */
    private static void sayHowToContinue(Path directory) {
        Logging.terminal().say(howToContinue(directory), new PrintWriter(System.err, true, System.err.charset()));
    }

    /** Returns how to continue after an interrupt before there is a step to finish. */
    static String howToContinue(Path directory) {
        return Files.exists(directory.resolve(SETTINGS))
                ? "Interrupted while preparing. Resume with: darkroom train --resume " + directory
                : "Interrupted while preparing; nothing is written. The same command starts the run.";
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

    private static PolicyModel model(RunSettings settings) {
        RunFit.require(settings);
        try {
            return PolicyModels.open(settings);
        } catch (IOException e) {
            throw new CommandFailedException(FileFault.reason(e), ExitCode.USAGE);
        }
    }

    private ExitCode run(Interrupt interrupt) throws IOException, InterruptedException {
        RunSettings settings = prepared.settings();
        Path directory = prepared.directory();
        Logging.Handle log = Logging.alsoTo(directory.resolve(LOG));
        try (LiveView view = LiveView.open(prepared.out(), InstantSource.system(), System.getenv())) {
            view.stage("preparing");
            try (RunEnvironment environment = environments.open(settings)) {
                if (environment.rolloutDevices() + environment.trainerDevices() > 0 || environment.scores()) {
                    Precisions.tellIfSlow(settings, LOGGER::warn);
                }
                TensorStore store = environment.plane().store();
                Optional<Checkpoints.Loaded> loaded =
                        resumption.isPresent() ? resumption.get().load(store) : Optional.empty();
                environment.directory(directory);
                try (RunJournal journal = RunJournal.open(
                                settings.ledger(),
                                directory,
                                System.getenv(),
                                snapshot -> resumption.ifPresent(
                                        resumed -> resumed.requireCoverage(snapshot, loaded, store)));
                        Scorers scorers = environment.scores()
                                ? Scorers.open(settings.scoring(), environment.faults(), prepared.noise()::record)
                                : Scorers.elsewhere(settings.scoring())) {
                    if (resumption.isPresent()) {
                        prepared.writeSettings();
                    }
                    return new TrainingSession(
                                    prepared, new SessionResources(view, policy, scorers, environment, journal, loaded))
                            .run(interrupt);
                }
            }
        } finally {
            log.close();
        }
    }
}
