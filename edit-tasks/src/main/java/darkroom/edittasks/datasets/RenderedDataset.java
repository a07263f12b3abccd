package darkroom.edittasks.datasets;

import darkroom.edittasks.pictures.RgbImage;
import darkroom.edittasks.tasks.EditTask;
import darkroom.edittasks.tasks.EditTasks;
import darkroom.edittasks.tasks.GroundTruth;
import darkroom.edittasks.tasks.Split;
import java.io.IOException;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.function.Consumer;

/** Writes rendered tasks as a dataset in the Edit-R1 layout. */
public final class RenderedDataset {
    /** Field of the task's {@link EditTask#combination}. */
    public static final String COMBINATION = "combination";

    /** Field of the path of a picture that is white where the edit changes the source and black elsewhere. */
    public static final String MASK = "mask";

    private RenderedDataset() {}

    /**
     * Writes rows 0 to {@code count - 1} of a split. The bytes are a function of the arguments and the Java runtime.
     *
     * @param replace see {@link DatasetWriter}
     * @param each receives every row after it is written
     * @throws FileAlreadyExistsException if the split exists and may not be replaced
     */
    public static void write(
            EditTasks tasks, Split split, long count, Path directory, boolean replace, Consumer<EditTask> each)
            throws IOException {
        try (DatasetWriter writer = new DatasetWriter(directory, split, replace)) {
            for (long index = 0; index < count; index++) {
                EditTask task = tasks.render(split, index);
                writer.row(row(task, writer));
                each.accept(task);
            }
            writer.finish();
        }
    }

    private static DatasetRow row(EditTask task, DatasetWriter writer) throws IOException {
        String id = task.id();
        DatasetRow row = DatasetRow.of(
                        task.instruction(), writer.image(id + "-source", task.source()), task.requirement())
                .with(DatasetRow.ID, id)
                .with(DatasetRow.TASK_TYPE, task.type().label())
                .with(COMBINATION, task.combination())
                .with(DatasetRow.TARGET, writer.image(id + "-target", task.target()))
                .with(MASK, writer.image(id + "-mask", mask(task)));
        RgbImage reference = task.reference();
        return reference == null ? row : row.with(DatasetRow.REFERENCE, writer.image(id + "-reference", reference));
    }

    /** Returns the pixels that the edit changes, white on black. */
    public static RgbImage mask(EditTask task) {
        return mask(task.source(), task.target());
    }

    /** Returns the pixels in which two pictures of one size differ, white on black; see {@link GroundTruth#changed}. */
    public static RgbImage mask(RgbImage source, RgbImage target) {
        boolean[] changed = GroundTruth.changed(source, target);
        byte[] rgb = new byte[3 * changed.length];
        for (int p = 0; p < changed.length; p++) {
            if (changed[p]) {
                Arrays.fill(rgb, 3 * p, 3 * p + 3, (byte) 255);
            }
        }
        return RgbImage.owning(source.width(), source.height(), rgb);
    }
}
