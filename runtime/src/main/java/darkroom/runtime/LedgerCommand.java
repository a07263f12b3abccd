package darkroom.runtime;

import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Spec;

/** Commands for the ledger of a run. */
@Command(
        name = "ledger",
        description = {
            "Shows, audits and exports the ledger of a run: what was generated, every scorer's answer, the fate of"
                    + " every image, and what each step left.",
            "",
            "A run in progress does not share the database in its own file; wait, or use" + " ledger.store=postgresql."
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
}
