package darkroom.runtime;

import java.util.concurrent.Callable;
import picocli.CommandLine.Command;

/** Renders, inspects and validates edit tasks. */
@Command(name = "dataset", description = "Renders, inspects and validates edit tasks.")
final class DatasetCommand implements Callable<Integer> {
    @Override
    public Integer call() {
        throw new CommandFailedException("dataset is not part of this build");
    }
}
