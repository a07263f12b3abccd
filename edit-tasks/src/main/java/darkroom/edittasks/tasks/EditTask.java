package darkroom.edittasks.tasks;

import darkroom.edittasks.pictures.RgbImage;
import org.jspecify.annotations.Nullable;

/**
 * One edit with its exact result.
 *
 * @param id stable name of the row, valid in file names
 * @param combination of task, subject and attribute, as task/subject/attribute: the unit that splits never share
 * @param instruction the request of a user
 * @param requirement the criteria for a judge
 * @param reference second input picture of {@link TaskType#REFERENCE} tasks
 * @param wrong draws the two wrong results of {@link #wrongTarget}
 */
public record EditTask(
        String id,
        TaskType type,
        String combination,
        String instruction,
        String requirement,
        RgbImage source,
        RgbImage target,
        @Nullable RgbImage reference,
        WrongTargets wrong) {

    /** Number of wrong results of each task. */
    public static final int WRONG_TARGETS = 2;

    /** Draws wrong results on demand; a pure function of {@code which}. */
    @FunctionalInterface
    public interface WrongTargets {
        RgbImage draw(int which);
    }

    /**
     * Returns a plausible result that violates the instruction: another object, colour, place, background, word or style, or
     * half of the edit. Never equal to the target.
     *
     * @param which 0 or 1
     */
    public RgbImage wrongTarget(int which) {
        return wrong.draw(java.util.Objects.checkIndex(which, WRONG_TARGETS));
    }

    /** Returns for each pixel, row by row, whether the edit changes it; see {@link GroundTruth#changed}. */
    public boolean[] mask() {
        return GroundTruth.changed(source, target);
    }
}
