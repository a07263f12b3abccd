package darkroom.runtime;

import darkroom.edittasks.DatasetDirectory;
import darkroom.edittasks.DatasetFault;
import darkroom.edittasks.DatasetLine;
import darkroom.edittasks.DatasetReader;
import darkroom.edittasks.FileFault;
import darkroom.edittasks.Split;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.EnumMap;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.stream.Collectors;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** Lists what is wrong with a dataset. */
@Command(
        name = "validate",
        description = {
            "Reads every line and picture of a dataset and lists what is wrong with it.",
            "",
            "One line for each malformed line of the metadata files: FILE:LINE: reason; what to do. Then the counts."
                    + " Exit code 0 if all is well, 1 if a line is malformed."
        })
final class DatasetValidateCommand implements Callable<Integer> {
    @Spec
    private CommandSpec spec;

    @Parameters(paramLabel = "DIR", description = "Directory of the dataset.")
    private Path directory;

    @Override
    public Integer call() {
        DatasetDirectory dataset = DatasetCommand.open(directory);
        PrintWriter report = spec.commandLine().getOut();
        WorkPace pace = new WorkPace(spec.commandLine().getErr(), System::nanoTime);
        long malformed = 0;
        for (Split split : DatasetCommand.splits(dataset)) {
            malformed += validate(dataset, split, report, pace);
        }
        report.flush();
        return (malformed == 0 ? ExitCode.OK : ExitCode.FAILED).code();
    }

    /** How many lines of the split are malformed. */
    private static long validate(DatasetDirectory dataset, Split split, PrintWriter report, WorkPace pace) {
        Path file = dataset.metadata(split);
        Map<DatasetFault, Long> faults = new EnumMap<>(DatasetFault.class);
        InstructionLoss loss = new InstructionLoss();
        long usable = 0;
        long blank;
        try (DatasetReader reader = dataset.reader(split)) {
            for (DatasetLine line = reader.next(); line != null; line = reader.next()) {
                switch (line) {
                    case DatasetLine.Usable row -> {
                        usable++;
                        loss.add(row.row().prompt());
                    }
                    case DatasetLine.Malformed bad -> {
                        report.println(bad.message());
                        faults.merge(bad.fault(), 1L, Long::sum);
                    }
                }
                long number = line.line();
                pace.at(() -> "%s: %d lines read".formatted(file, number));
            }
            blank = reader.blankLines();
        } catch (IOException e) {
            throw new CommandFailedException("%s cannot be read: %s".formatted(file, FileFault.reason(e, file)), e);
        }
        long malformed = faults.values().stream().mapToLong(n -> n).sum();
        report.println("%s: %d usable rows, %d malformed lines%s%s"
                .formatted(
                        file,
                        usable,
                        malformed,
                        malformed == 0
                                ? ""
                                : faults.entrySet().stream()
                                        .map(fault -> fault.getValue() + " "
                                                + fault.getKey().label())
                                        .collect(Collectors.joining(", ", " (", ")")),
                        blank == 0 ? "" : ", " + blank + " blank lines"));
        loss.lines().forEach(line -> report.println("%s: %s".formatted(file, line)));
        return malformed;
    }
}
