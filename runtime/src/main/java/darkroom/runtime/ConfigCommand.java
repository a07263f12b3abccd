package darkroom.runtime;

import java.util.concurrent.Callable;
import picocli.CommandLine.Command;

/** Shows a recipe, or checks a configuration file. */
@Command(name = "config", description = "Shows a recipe, or checks a configuration file.")
final class ConfigCommand implements Callable<Integer> {
    @Override
    public Integer call() {
        throw new CommandFailedException("config is not part of this build");
    }
}
