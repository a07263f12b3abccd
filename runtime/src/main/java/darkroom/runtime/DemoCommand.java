package darkroom.runtime;

import java.util.concurrent.Callable;
import picocli.CommandLine.Command;

/** Trains the embedded model for a few minutes and writes a report. */
@Command(name = "demo", description = "Trains the embedded model for a few minutes and writes a report.")
final class DemoCommand implements Callable<Integer> {
    @Override
    public Integer call() {
        throw new CommandFailedException("demo is not part of this build");
    }
}
