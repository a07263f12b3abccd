package darkroom.runtime.run;

import darkroom.actors.ledger.LedgerSnapshot;
import darkroom.actors.ledger.RunDigests;
import darkroom.config.InputSettings;
import darkroom.config.LedgerSettings;
import darkroom.config.Recipes;
import darkroom.config.RunSettings;
import darkroom.gpuworkers.checkpoints.Checkpoints;
import darkroom.runtime.base.CommandFailedException;
import darkroom.runtime.base.ExitCode;
import darkroom.runtime.base.RunDirectory;
import darkroom.runtime.base.RunJournal;
import darkroom.tensors.TensorStore;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** The files of an interrupted run, and the checks before it is resumed. */
final class Resumption {
    private static final Logger LOGGER = LoggerFactory.getLogger(Resumption.class);

    private final PreparedRun run;
    private final boolean hadLedger;

    /** @param hadLedger whether the run recorded a ledger so far */
    Resumption(PreparedRun run, boolean hadLedger) {
        this.run = run;
        this.hadLedger = hadLedger;
    }

    /**
     * Checks settings before anything is opened.
     *
     * @param recorded settings of the run so far
     * @param settings those that it is to be resumed with
     * @param overrides that made them of the recorded ones, for messages
     * @throws CommandFailedException if the run cannot be resumed with them
     */
    static void require(RunSettings recorded, RunSettings settings, List<String> overrides, Path directory)
            throws IOException {
        if (!Recipes.deciding(recorded).equals(Recipes.deciding(settings))) {
            throw new CommandFailedException(
                    "%s was computed with other settings than %s asks for; only workers, limits, checkpoints, evaluation, steps, scoring.endpoints, scoring.cache and scoring.flat-groups-max may change"
                            .formatted(directory, overrides),
                    ExitCode.USAGE);
        }
        RunFit.requireModel(settings);
        settings.requireScorer();
        requireRecorded(recorded, directory);
        requireStepsLeft(settings, directory);
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
                            .formatted(directory.resolve(LocalRun.SETTINGS)),
                    ExitCode.USAGE);
        }
    }

    /**
     * Restores checkpoints from their second location, and loads the one to resume from.
     *
     * @throws CommandFailedException if it was made with other settings than the recorded ones
     */
    Optional<Checkpoints.Loaded> load(TensorStore store) throws IOException {
        if (run.copies().isPresent()) {
            run.copies().get().restore(CheckpointWriter.placeIn(run.directory()));
        }
        Checkpoints checkpoints = CheckpointWriter.in(run.directory());
        Optional<Checkpoints.Loaded> loaded = run.settings().ledger().store() == LedgerSettings.Store.NONE
                ? checkpoints.loadNewest(store)
                : checkpoints.recover(store);
        loaded.ifPresent(this::requireSameSettings);
        return loaded;
    }

    private void requireSameSettings(Checkpoints.Loaded loaded) {
        if (!loaded.manifest().settingsDigest().equals(CheckpointWriter.settingsDigest(run.settings()))) {
            throw new CommandFailedException("%s was made with other settings than those in %s"
                    .formatted(loaded.path(), run.directory().resolve(LocalRun.SETTINGS)));
        }
    }

    /** Checks with {@link LedgerCoverage} that the ledger covers the resumed state. */
    void requireCoverage(LedgerSnapshot snapshot, Optional<Checkpoints.Loaded> loaded, TensorStore store) {
        LedgerSettings ledger = run.settings().ledger();
        if (!hadLedger || ledger.store() == LedgerSettings.Store.NONE) {
            return;
        }
        try {
            LedgerCoverage.require(
                            snapshot,
                            run.directory(),
                            loaded.map(found -> found.manifest().step()).orElse(0),
                            loaded.map(found -> RunDigests.of(store, found.state())),
                            RunJournal.where(ledger, run.directory()))
                    .ifPresent(LOGGER::warn);
        } catch (IOException e) {
            throw RunDirectory.failed("read", CheckpointWriter.placeIn(run.directory()), e);
        }
    }
}
