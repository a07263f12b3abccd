package darkroom.runtime;

import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Spec;

/** Commands for model folders and adapters. */
@Command(
        name = "model",
        description = "Checks model folders and converts adapters.",
        synopsisSubcommandLabel = "COMMAND",
        subcommands = {ModelCheckCommand.class, ModelExportCommand.class})
final class ModelCommand implements Runnable {
    @Spec
    private CommandSpec spec;

    @Override
    public void run() {
        spec.commandLine().usage(spec.commandLine().getOut());
    }
}
