package darkroom.runtime;

import java.util.concurrent.Callable;
import picocli.CommandLine.Command;

/** Measures rollout, training and whole steps. */
@Command(name = "bench", description = "Measures rollout, training and whole steps.")
final class BenchCommand implements Callable<Integer> {
    @Override
    public Integer call() {
        throw new CommandFailedException("bench is not part of this build");
    }
}
