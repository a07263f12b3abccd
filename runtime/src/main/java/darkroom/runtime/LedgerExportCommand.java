package darkroom.runtime;

import darkroom.actors.LedgerBook;
import darkroom.actors.LedgerFormat;
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

/** A ledger as text for other programs. */
@Command(
        name = "export",
        description = {
            "Writes the ledger of a run as text.",
            "",
            "jsonl: one event a line, as it is kept. csv: one image a line, with its digests, score, scorer and the"
                    + " verdict on its group; an image without a score has an empty score, never a number."
        })
final class LedgerExportCommand implements Callable<Integer> {
    /** Forms of an export. */
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
        LedgerBook book;
        try (RunJournal journal = LedgerCommand.open(run)) {
            book = journal.read();
        }
        List<String> lines =
                switch (format) {
                    case JSONL ->
                        book.events().stream().map(LedgerFormat::write).toList();
                    case CSV -> LedgerTable.lines(book);
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
