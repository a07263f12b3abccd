package darkroom.runtime;

import java.util.concurrent.Callable;
import picocli.CommandLine.Command;

/** Trains by a recipe or a configuration file, or resumes a run. */
@Command(name = "train", description = "Trains by a recipe or a configuration file, or resumes a run.")
final class TrainCommand implements Callable<Integer> {
    @Override
    public Integer call() {
        throw new CommandFailedException("train is not part of this build");
    }
}
