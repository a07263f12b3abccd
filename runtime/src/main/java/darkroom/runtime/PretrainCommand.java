package darkroom.runtime;

import java.util.concurrent.Callable;
import picocli.CommandLine.Command;

/** Trains a base model on rendered tasks by imitation. */
@Command(name = "pretrain", description = "Trains a base model on rendered tasks by imitation.")
final class PretrainCommand implements Callable<Integer> {
    @Override
    public Integer call() {
        throw new CommandFailedException("pretrain is not part of this build");
    }
}
