package darkroom.actors.device;

import darkroom.tensors.TensorRef;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * An edit to be made: the source pictures and the instruction.
 *
 * @param row identity of the dataset row: the group key, never the text
 * @param taskType name of the task type, for reports
 * @param requirement what the scorer receives in addition to the instruction; may be empty
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

    /** Returns the pictures to be edited. */
    List<TensorRef> pictures() {
        return reference == null ? List.of(source) : List.of(source, reference);
    }
}
