package darkroom.runtime.run;

import darkroom.config.RunSettings;
import darkroom.edittasks.tasks.EditTasks;
import darkroom.edittasks.tasks.Split;
import darkroom.edittasks.tasks.TaskMix;
import darkroom.gpuworkers.PretrainPolicy;
import darkroom.runtime.base.InputLine;
import darkroom.runtime.base.Row;
import darkroom.runtime.base.Rows;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.List;
import java.util.Objects;
import java.util.function.Consumer;

/**
 * The rows of a run: for training, for deciding when it stops, and for its report. No row is in two of them.
 *
 * @param validation may be empty; the run then never stops by its measure
 * @param heldOut may be empty; nothing is then measured before and after
 */
public record DataSplits(Rows train, Rows validation, Rows heldOut) {
    /** Value of {@code data.source} that means rendered tasks. */
    static final String EMBEDDED = "embedded";

    /** Key of the rendered rows. The same for all runs, so that reports compare. */
    private static final long EMBEDDED_SEED = 0;

    /**
     * Returns the rendered rows or the dataset that {@code data.source} names.
     *
     * @param warnings receives the malformed lines of a dataset
     * @throws CommandFailedException if the dataset cannot be used
     */
    public static DataSplits of(RunSettings settings, PrintWriter warnings) {
        return new DataSplits(
                rows(settings, Split.TRAIN, settings.data().trainTasks(), warnings),
                rows(settings, Split.VALIDATION, settings.evaluation().validationTasks(), warnings),
                rows(settings, Split.HELD_OUT, settings.evaluation().tasks(), warnings));
    }

    /** Returns the rows of one split: the first {@code size}; all rows of a dataset's training split. */
    public static Rows rows(RunSettings settings, Split split, int size, PrintWriter warnings) {
        int resolution = settings.policy().resolution();
        if (!settings.data().source().equals(EMBEDDED)) {
            Rows all = JsonlRows.open(Path.of(settings.data().source()), split, settings.data(), resolution, warnings);
            return split == Split.TRAIN ? all : new First(all, Math.min(size, all.size()));
        }
        TaskMix mix = settings.data().tasks().isEmpty()
                ? PretrainPolicy.mix()
                : TaskMix.named(settings.data().tasks());
        return new EmbeddedRows(new EditTasks(resolution, EMBEDDED_SEED, mix), split, size);
    }

    private record First(Rows all, int size) implements Rows {
        @Override
        public List<String> remarks() {
            return all.remarks();
        }

        @Override
        public String digest() {
            return all.digest();
        }

        @Override
        public void inputs(String input, Consumer<InputLine> each) {
            all.inputs(input, each);
        }

        @Override
        public double weight(int index) {
            return all.weight(Objects.checkIndex(index, size));
        }

        @Override
        public Row row(int index) {
            return all.row(Objects.checkIndex(index, size));
        }
    }
}
