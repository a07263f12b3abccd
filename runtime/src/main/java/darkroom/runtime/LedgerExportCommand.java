package darkroom.runtime;

import darkroom.actors.ledger.LedgerFormat;
import darkroom.actors.ledger.LedgerSnapshot;
import darkroom.runtime.base.ExitCode;
import darkroom.runtime.base.RunDirectory;
import darkroom.runtime.base.RunJournal;
import darkroom.runtime.run.LocalRun;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** Exports a ledger as text for other programs. */
@Command(
        name = "export",
        description = {
            "Writes the ledger of a run as text.",
            "",
            "jsonl: one event per line, as it is kept. csv: one image per line, with its digests, score, scorer and the"
                    + " decision on its group; an image without a score has an empty score, never a number."
        })
final class LedgerExportCommand implements Callable<Integer> {
    /** Formats of an export. */
    enum Form {
        JSONL,
        CSV
    }

    @Spec
    private CommandSpec spec;

    @Parameters(paramLabel = "RUN", description = "Directory of the run.")
    private Path run;

    @Option(
            names = "--format",
            paramLabel = "FORM",
            defaultValue = "jsonl",
            description = "jsonl or csv. Default: ${DEFAULT-VALUE}")
    private Form format;

    @Option(names = "--out", paramLabel = "FILE", description = "File to write. Default: standard output")
    private @Nullable Path out;

    @Override
    public Integer call() throws IOException {
        LedgerSnapshot snapshot;
        try (RunJournal journal = LocalRun.ledgerOf(run)) {
            snapshot = journal.read();
        }
        List<String> lines =
                switch (format) {
                    case JSONL ->
                        snapshot.events().stream().map(LedgerFormat::write).toList();
                    case CSV -> LedgerTable.lines(snapshot);
                };
        if (out != null) {
            RunDirectory.write(out, String.join("\n", lines) + (lines.isEmpty() ? "" : "\n"));
        } else {
            PrintWriter terminal = spec.commandLine().getOut();
            for (String line : lines) {
                terminal.println(line);
                if (terminal.checkError()) {
                    break; // nobody reads the rest, or it cannot be written
                }
            }
        }
        return ExitCode.OK.code();
    }
}
