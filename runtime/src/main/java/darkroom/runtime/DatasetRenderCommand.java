package darkroom.runtime;

import darkroom.config.ErrorReason;
import darkroom.edittasks.datasets.RenderedDataset;
import darkroom.edittasks.pictures.FileFault;
import darkroom.edittasks.tasks.EditTasks;
import darkroom.edittasks.tasks.Split;
import darkroom.edittasks.tasks.TaskMix;
import darkroom.edittasks.tasks.TaskType;
import darkroom.runtime.base.CommandFailedException;
import darkroom.runtime.base.ExitCode;
import darkroom.runtime.base.TextTable;
import darkroom.runtime.base.WorkRate;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Path;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** Writes rendered tasks as a dataset. */
@Command(
        name = "render",
        description = {
            "Writes rendered tasks as a dataset in the Edit-R1 layout.",
            "",
            "Source, target, mask (white where the edit changes the picture) and reference are PNG files in"
                    + " DIR/images; the fields id, task_type, combination, target, mask and reference stand beside"
                    + " Edit-R1's own. The same options write the same bytes. Several splits may be written into one"
                    + " directory: train and validation have files of their own, held-out and unseen-objects are"
                    + " test_metadata.jsonl."
        })
final class DatasetRenderCommand implements Callable<Integer> {
    @Spec
    private CommandSpec spec;

    @Option(names = "--out", paramLabel = "DIR", required = true, description = "Directory of the dataset.")
    private Path out;

    @Option(names = "--count", paramLabel = "N", required = true, description = "Rows.")
    private long count;

    @Option(
            names = "--split",
            paramLabel = "SPLIT",
            converter = DatasetCommand.SplitLabel.class,
            completionCandidates = DatasetCommand.SplitLabels.class,
            description = "${COMPLETION-CANDIDATES}. No two splits share a combination of task, subject and attribute."
                    + " Default: train")
    private Split split = Split.TRAIN;

    @Option(
            names = "--size",
            paramLabel = "SIDE",
            description = "Side of the square pictures, 32 or 64 pixels. Default: ${DEFAULT-VALUE}")
    private int size = 32;

    @Option(names = "--seed", paramLabel = "S", description = "Key of the rows. Default: ${DEFAULT-VALUE}")
    private long seed;

    @Option(
            names = "--tasks",
            paramLabel = "TYPE",
            split = ",",
            description = "Task types, all equally often: add, adjust, replace, remove, background, style, extract,"
                    + " hybrid, action, text, red-box, reference. Default: all")
    private List<String> tasks = List.of();

    @Option(
            names = "--objects",
            paramLabel = "N",
            description = "How many of the packaged objects take part, 24 or more. Default: ${DEFAULT-VALUE}, those of"
                    + " the embedded models")
    private int objects = TaskMix.OBJECTS_EMBEDDED;

    @Option(
            names = "--force",
            description = "Replace this split's metadata file; pictures of its rows are replaced, others stay.")
    private boolean force;

    @Override
    public Integer call() {
        if (count < 1) {
            throw new ParameterException(spec.commandLine(), "--count=" + count + " must be 1 or more");
        }
        EditTasks rows = rows();
        PrintWriter terminal = spec.commandLine().getErr();
        WorkRate rate = new WorkRate(terminal, System::nanoTime);
        Map<TaskType, Long> counts = new EnumMap<>(TaskType.class);
        try {
            RenderedDataset.write(rows, split, count, out, force, task -> {
                counts.merge(task.type(), 1L, Long::sum);
                rate.at(() -> "%d of %d rows"
                        .formatted(counts.values().stream().mapToLong(n -> n).sum(), count));
            });
        } catch (FileAlreadyExistsException e) {
            throw new CommandFailedException(
                    "%s is there already; give another --out, or --force to replace it".formatted(e.getFile()),
                    ExitCode.USAGE);
        } catch (IOException e) {
            throw new CommandFailedException("%s cannot be written: %s".formatted(out, FileFault.reason(e, out)), e);
        }
        PrintWriter report = spec.commandLine().getOut();
        TextTable table = new TextTable().text("").figures("");
        counts.forEach((type, n) -> table.row(type.label(), n));
        table.print(spec.commandLine());
        report.println("wrote %d rows into %s".formatted(count, out.resolve(split.metadataFile())));
        report.flush();
        return ExitCode.OK.code();
    }

    private EditTasks rows() {
        try {
            Map<TaskType, Double> weights = TaskMix.named(tasks).weights();
            return new EditTasks(size, seed, new TaskMix(weights, objects));
        } catch (IllegalArgumentException e) {
            throw new ParameterException(spec.commandLine(), ErrorReason.of(e));
        }
    }
}
