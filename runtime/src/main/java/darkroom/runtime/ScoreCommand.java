package darkroom.runtime;

import java.util.concurrent.Callable;
import picocli.CommandLine.Command;

/** Scores image pairs with an OpenAI-compatible scorer. */
@Command(name = "score", description = "Scores image pairs with an OpenAI-compatible scorer.")
final class ScoreCommand implements Callable<Integer> {
    @Override
    public Integer call() {
        throw new CommandFailedException("score is not part of this build");
    }
}
