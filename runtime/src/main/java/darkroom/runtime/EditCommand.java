package darkroom.runtime;

import java.util.concurrent.Callable;
import picocli.CommandLine.Command;

/** Edits one picture. */
@Command(name = "edit", description = "Edits one picture.")
final class EditCommand implements Callable<Integer> {
    @Override
    public Integer call() {
        throw new CommandFailedException("edit is not part of this build");
    }
}
