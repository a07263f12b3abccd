package darkroom.edittasks.tasks;

import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * An edit before it is drawn. The place and size of a new object follow from the instruction and the source alone, so that
 * only one result is right.
 *
 * @param reference second input picture of {@link TaskType#REFERENCE} tasks
 */
record Plan(
        Combination combination,
        Request request,
        Scene source,
        Scene target,
        WrongTargets wrong,
        @Nullable Scene reference) {

    /**
     * The words of an edit.
     *
     * @param instruction the request of a user
     * @param requirement the criteria for a judge
     */
    record Request(String instruction, String requirement) {}

    /** Plausible results that violate the instruction. */
    record WrongTargets(Scene first, Scene second) {
        Scene scene(int which) {
            return Objects.checkIndex(which, EditTask.WRONG_TARGETS) == 0 ? first : second;
        }
    }

    /** Creates a plan without a reference picture. */
    Plan(Combination combination, Request request, Scene source, Scene target, WrongTargets wrong) {
        this(combination, request, source, target, wrong, null);
    }
}
