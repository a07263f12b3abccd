package darkroom.runtime;

import darkroom.config.RunSettings;
import darkroom.edittasks.EditTasks;
import darkroom.edittasks.Split;
import darkroom.edittasks.TaskMix;
import darkroom.gpuworkers.PretrainPolicy;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.List;
import java.util.Objects;
import java.util.function.Consumer;

/**
 * The rows of a run: what it learns from, what decides when it stops, and what it reports. No row is in two of them.
 *
 * @param validation may be empty; the run then never stops by its measure
 * @param heldOut may be empty; nothing is then measured before and after
 */
record DataSplits(Rows train, Rows validation, Rows heldOut) {
    /** Value of {@code data.source} that means rendered tasks. */
    static final String EMBEDDED = "embedded";

    /** Key of the rendered rows. The same for all runs, so that reports compare. */
    private static final long EMBEDDED_SEED = 0;

    /**
     * The rendered rows or the dataset that {@code data.source} names.
     *
     * @param warnings malformed lines of a dataset
     * @throws CommandFailedException if the dataset cannot be used
     */
    static DataSplits of(RunSettings settings, PrintWriter warnings) {
        return new DataSplits(
                rows(settings, Split.TRAIN, settings.data().trainTasks(), warnings),
                rows(settings, Split.VALIDATION, settings.evaluation().validationTasks(), warnings),
                rows(settings, Split.HELD_OUT, settings.evaluation().tasks(), warnings));
    }

    /** Rows of one split: the first {@code size}; all rows of a dataset's training split. */
    static Rows rows(RunSettings settings, Split split, int size, PrintWriter warnings) {
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
