package darkroom.runtime;

import darkroom.config.PictureView;
import darkroom.edittasks.datasets.DatasetDirectory;
import darkroom.edittasks.pictures.FileFault;
import darkroom.edittasks.tasks.Split;
import darkroom.runtime.base.CommandFailedException;
import darkroom.runtime.base.ExitCode;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import picocli.CommandLine.Command;
import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Spec;
import picocli.CommandLine.TypeConversionException;

/** Commands for datasets in the Edit-R1 layout. */
@Command(
        name = "dataset",
        description = {
            "Renders, inspects, validates and curates datasets of editing tasks.",
            "",
            "A dataset is a directory in the Edit-R1 layout: train_metadata.jsonl, perhaps validation_metadata.jsonl"
                + " and test_metadata.jsonl, and images/. Each line is a JSON object: prompt (the instruction), image"
                + " (path of the source picture below the directory), and perhaps requirement (what the scorer is to"
                + " check), id, task_type, target (the exact result), reference (a second input picture), weight (how"
                + " often training uses the row) and any other field. 'train --set data.source=DIR' learns from it."
        },
        synopsisSubcommandLabel = "COMMAND",
        subcommands = {
            DatasetRenderCommand.class,
            DatasetInspectCommand.class,
            DatasetValidateCommand.class,
            DatasetCurateCommand.class
        })
final class DatasetCommand implements Runnable {
    @Spec
    private CommandSpec spec;

    @Override
    public void run() {
        spec.commandLine().usage(spec.commandLine().getOut());
    }

    /**
     * Opens a dataset directory.
     *
     * @throws CommandFailedException if the directory does not exist or holds no metadata file
     */
    static DatasetDirectory open(Path path, PictureView view) {
        DatasetDirectory dataset;
        try {
            dataset = new DatasetDirectory(path, view);
        } catch (IOException e) {
            throw new CommandFailedException(
                    "%s is no directory that can be read: %s; give a dataset directory"
                            .formatted(path, FileFault.reason(e, path)),
                    ExitCode.USAGE);
        }
        if (splits(dataset).isEmpty()) {
            throw new CommandFailedException(
                    "%s has no train_metadata.jsonl, validation_metadata.jsonl or test_metadata.jsonl; it is not a dataset"
                            .formatted(path));
        }
        return dataset;
    }

    /** Returns the splits whose metadata files exist. */
    static List<Split> splits(DatasetDirectory dataset) {
        List<Split> splits = new ArrayList<>();
        for (Split split : List.of(Split.TRAIN, Split.VALIDATION, Split.HELD_OUT)) {
            if (dataset.has(split)) {
                splits.add(split);
            }
        }
        return splits;
    }

    /** Reads a split by its label. */
    static final class SplitLabel implements ITypeConverter<Split> {
        @Override
        public Split convert(String label) {
            return Arrays.stream(Split.values())
                    .filter(split -> split.label().equals(label))
                    .findFirst()
                    .orElseThrow(() -> new TypeConversionException(
                            "'" + label + "' is not train, validation, held-out or unseen-objects"));
        }
    }

    /** The labels of all splits, for completion. */
    static final class SplitLabels extends ArrayList<String> {
        private static final long serialVersionUID = 1;

        SplitLabels() {
            super(Arrays.stream(Split.values()).map(Split::label).toList());
        }
    }
}
