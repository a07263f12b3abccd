package darkroom.runtime;

import darkroom.config.RunSettings;
import darkroom.edittasks.EditTasks;
import darkroom.edittasks.Split;
import darkroom.edittasks.TaskMix;
import darkroom.gpuworkers.PretrainPolicy;

/**
 * The rows of a run: what it learns from, what decides when it stops, and what it reports. No row is in two of them.
 *
 * @param validation may be empty; the run then never stops by its measure
 * @param heldOut may be empty; nothing is then measured before and after
 */
record DataSplits(Rows train, Rows validation, Rows heldOut) {
    /** Key of the rendered rows. The same for all runs, so that reports compare. */
    private static final long EMBEDDED_SEED = 0;

    /** The rendered rows or the dataset that {@code data.source} names. */
    static DataSplits of(RunSettings settings) {
        return new DataSplits(
                rows(settings, Split.TRAIN, settings.data().trainTasks()),
                rows(settings, Split.VALIDATION, settings.evaluation().validationTasks()),
                rows(settings, Split.HELD_OUT, settings.evaluation().tasks()));
    }

    /** The first {@code size} rows of a split. */
    static Rows rows(RunSettings settings, Split split, int size) {
        TaskMix mix = settings.data().tasks().isEmpty()
                ? PretrainPolicy.mix()
                : TaskMix.named(settings.data().tasks());
        return new EmbeddedRows(new EditTasks(settings.policy().resolution(), EMBEDDED_SEED, mix), split, size);
    }
}
