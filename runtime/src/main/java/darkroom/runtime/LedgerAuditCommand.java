package darkroom.runtime;

import darkroom.runtime.base.ExitCode;
import darkroom.runtime.chaos.RunAudit;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** Checks a ledger, and the checkpoints and metrics beside it, against the laws and each other. */
@Command(
        name = "audit",
        description = {
            "Checks the ledger of a run: issued = counted + dropped + unscored + abandoned in every step, every slot"
                    + " one fate, the chain of decisions, the order of steps and writers; and that the checkpoints are"
                    + " those that were recorded, with the weights of the commits; and that every step that checkpoints"
                    + " and metrics.jsonl are of is committed in the ledger, with the same count of images.",
            "",
            "Exit code 1 if anything is wrong."
        })
final class LedgerAuditCommand implements Callable<Integer> {
    @Spec
    private CommandSpec spec;

    @Parameters(paramLabel = "RUN", description = "Directory of the run.")
    private Path run;

    @Override
    public Integer call() throws IOException {
        RunAudit audit = RunAudit.of(run);
        PrintWriter out = spec.commandLine().getOut();
        audit.findings().forEach(finding -> out.println(finding.text()));
        out.printf(
                "%d committed steps, %d of them slot by slot, %d checkpoints: %s%n",
                audit.steps(),
                audit.detailed(),
                audit.checkpoints(),
                audit.findings().isEmpty()
                        ? "nothing is wrong"
                        : audit.findings().size() + " findings");
        out.flush();
        return (audit.findings().isEmpty() ? ExitCode.OK : ExitCode.FAILED).code();
    }
}
