package darkroom.runtime;

import java.util.concurrent.Callable;
import picocli.CommandLine.Command;

/** Trains the embedded judge on rendered tasks and edits of them. */
@Command(name = "pretrain-judge", description = "Trains the embedded judge on rendered tasks and edits of them.")
final class PretrainJudgeCommand implements Callable<Integer> {
    @Override
    public Integer call() {
        throw new CommandFailedException("pretrain-judge is not part of this build");
    }
}
