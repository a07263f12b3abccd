package darkroom.runtime;

import darkroom.config.PictureView;
import darkroom.edittasks.datasets.DatasetDirectory;
import darkroom.edittasks.datasets.DatasetFault;
import darkroom.edittasks.datasets.DatasetFiles;
import darkroom.edittasks.datasets.DatasetLine;
import darkroom.edittasks.datasets.DatasetReader;
import darkroom.edittasks.pictures.FileFault;
import darkroom.edittasks.pictures.PictureConversion;
import darkroom.edittasks.tasks.Split;
import darkroom.runtime.base.CommandFailedException;
import darkroom.runtime.base.ExitCode;
import darkroom.runtime.base.PictureViewOption;
import darkroom.runtime.base.TextTable;
import darkroom.runtime.base.WorkRate;
import darkroom.runtime.report.InstructionLoss;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.EnumMap;
import java.util.HashSet;
import java.util.Locale;
import java.util.Map;
import java.util.OptionalInt;
import java.util.Set;
import java.util.concurrent.Callable;
import java.util.stream.Collectors;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** Lists the faults of a dataset. */
@Command(
        name = "validate",
        description = {
            "Reads every line and picture of a dataset and lists what is wrong with it.",
            "",
            "One line for each malformed line of the metadata files: FILE:LINE: reason; what to do. Then the counts:"
                    + " rows, pictures that were converted to plain 8-bit sRGB and how, lines that repeat a row. Exit"
                    + " code 0 if all is well, 1 if a line is malformed or train_metadata.jsonl has no usable row."
        })
final class DatasetValidateCommand implements Callable<Integer> {
    @Spec
    private CommandSpec spec;

    @Parameters(paramLabel = "DIR", description = "Directory of the dataset.")
    private Path directory;

    @Option(
            names = "--pictures",
            paramLabel = "VIEW",
            converter = PictureViewOption.class,
            description = PictureViewOption.DESCRIPTION)
    private PictureView pictures = PictureView.DISPLAYED;

    @Override
    public Integer call() {
        DatasetDirectory dataset = DatasetCommand.open(directory, pictures);
        PrintWriter report = spec.commandLine().getOut();
        WorkRate rate = new WorkRate(spec.commandLine().getErr(), System::nanoTime);
        boolean sound = true;
        for (Split split : DatasetCommand.splits(dataset)) {
            sound &= validate(dataset, split, report, rate);
        }
        report.flush();
        return (sound ? ExitCode.OK : ExitCode.FAILED).code();
    }

    /** Conversions of the pictures of a split; each file counts once. */
    private static final class Pictures {
        private final Set<String> seen = new HashSet<>();
        private final Map<PictureConversion, Long> conversions = new EnumMap<>(PictureConversion.class);
        private long converted;

        void add(DatasetFiles files) {
            files.conversions().forEach((path, done) -> {
                if (seen.add(path)) {
                    converted += done.isEmpty() ? 0 : 1;
                    done.forEach(each -> conversions.merge(each, 1L, Long::sum));
                }
            });
        }

        void print(PrintWriter report, Path file) {
            if (converted == 0) {
                return;
            }
            report.println("%s: %d of %d pictures are not plain 8-bit sRGB and were converted:"
                    .formatted(file, converted, seen.size()));
            TextTable table = new TextTable("  ").text("").figures("").text("");
            conversions.forEach((conversion, count) -> table.row(conversion.label(), count, conversion.what()));
            table.print(report, OptionalInt.empty());
        }
    }

    /** Whether the split has no malformed line and, if it is for training, has rows. */
    private static boolean validate(DatasetDirectory dataset, Split split, PrintWriter report, WorkRate rate) {
        Path file = dataset.metadata(split);
        Map<DatasetFault, Long> faults = new EnumMap<>(DatasetFault.class);
        InstructionLoss loss = new InstructionLoss();
        Pictures pictures = new Pictures();
        long usable = 0;
        long repeated = 0;
        double weight = 0;
        long blank;
        try (DatasetReader reader = dataset.reader(split)) {
            for (DatasetLine line = reader.next(); line != null; line = reader.next()) {
                switch (line) {
                    case DatasetLine.Usable row -> {
                        usable++;
                        loss.add(row.row().prompt());
                        weight += row.row().weight();
                        pictures.add(row.files());
                    }
                    case DatasetLine.Repeated again -> {
                        repeated++;
                        weight += again.row().weight();
                    }
                    case DatasetLine.Malformed bad -> {
                        report.println(bad.message());
                        faults.merge(bad.fault(), 1L, Long::sum);
                    }
                }
                long number = line.line();
                rate.at(() -> "%s: %d lines read".formatted(file, number));
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
        pictures.print(report, file);
        if (repeated > 0) {
            report.println(
                    "%s: %d lines repeat a row word for word; a row counts once, with the weights of its lines added"
                                    .formatted(file, repeated)
                            + " up. \"weight\": N on one line says the same");
        }
        if (weight != usable) {
            report.println(String.format(Locale.ROOT, "%s: the weights add up to %.6g", file, weight));
        }
        if (usable == 0 && split == Split.TRAIN) {
            report.println(file + ": no usable row, so nothing to train on; add rows");
        }
        return malformed == 0 && (usable > 0 || split != Split.TRAIN);
    }
}
