package darkroom.actors;

import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * What is to be edited, and how.
 *
 * @param row identity of the dataset row: the group key, never the text
 * @param taskType name of the task type, for reports
 * @param requirement what the scorer is told beyond the instruction; may be empty
 * @param source UINT8 [height, width, 3]
 * @param reference second input image of Reference tasks, UINT8 [height, width, 3]
 */
public record Prompt(
        String row,
        String taskType,
        String instruction,
        String requirement,
        TensorRef source,
        @Nullable TensorRef reference) {

    /** The pictures that are edited. */
    List<TensorRef> pictures() {
        return reference == null ? List.of(source) : List.of(source, reference);
    }
}
