package darkroom.runtime.run;

import darkroom.config.Recipes;
import darkroom.config.RunSettings;
import darkroom.gpuworkers.checkpoints.CheckpointCopies;
import darkroom.runtime.base.RunDirectory;
import java.io.PrintWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;

/**
 * A run whose inputs were read and found usable.
 *
 * @param settings with the digests of the inputs
 * @param directory of the run
 * @param copies second location for checkpoints, if one is set
 * @param noise records the noise of scorers
 * @param out receives lines for people
 */
record PreparedRun(
        RunSettings settings,
        Path directory,
        DataSplits data,
        Optional<CheckpointCopies> copies,
        ScorerNoiseRecorder noise,
        PrintWriter out) {

    /** Writes the settings, and the record of the inputs unless it exists. */
    void writeSettings() {
        writeInputs();
        RunDirectory.write(directory.resolve(LocalRun.SETTINGS), Recipes.render(settings));
    }

    /** Writes the record of the inputs unless it exists. */
    void writeInputs() {
        if (!Files.exists(directory.resolve(RunInputs.FILE))) {
            RunInputs.write(directory, settings, data);
        }
    }
}
