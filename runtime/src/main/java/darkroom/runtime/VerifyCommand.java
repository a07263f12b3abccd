package darkroom.runtime;

import java.util.concurrent.Callable;
import picocli.CommandLine.Command;

/** Checks this build against test vectors. */
@Command(name = "verify", description = "Checks this build against test vectors.")
final class VerifyCommand implements Callable<Integer> {
    @Override
    public Integer call() {
        throw new CommandFailedException("verify is not part of this build");
    }
}
