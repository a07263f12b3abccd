package darkroom.runtime;

import java.util.concurrent.Callable;
import picocli.CommandLine.Command;

/** Measures a checkpoint on held-out tasks, by judge and by ground truth. */
@Command(name = "eval", description = "Measures a checkpoint on held-out tasks, by judge and by ground truth.")
final class EvalCommand implements Callable<Integer> {
    @Override
    public Integer call() {
        throw new CommandFailedException("eval is not part of this build");
    }
}
