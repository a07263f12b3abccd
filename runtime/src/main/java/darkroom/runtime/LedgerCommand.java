package darkroom.runtime;

import java.nio.file.Path;
import java.util.List;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Spec;

/** Everything about the ledger of a run. */
@Command(
        name = "ledger",
        description = {
            "Shows, audits and exports the ledger of a run: what was drawn, what every scorer said, what became of"
                    + " every image, and what each step left.",
            "",
            "The database of a run that is going on in its own file is not shared; wait, or use"
                    + " ledger.store=postgresql."
        },
        synopsisSubcommandLabel = "COMMAND",
        subcommands = {LedgerShowCommand.class, LedgerAuditCommand.class, LedgerExportCommand.class})
final class LedgerCommand implements Runnable {
    @Spec
    private CommandSpec spec;

    @Override
    public void run() {
        spec.commandLine().usage(spec.commandLine().getOut());
    }

    /** The ledger of the run in this directory. */
    static RunJournal open(Path run) {
        return RunJournal.reading(LocalRun.settingsOf(run, List.of()).ledger(), run, System.getenv());
    }
}
