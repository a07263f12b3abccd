package darkroom.runtime.base;

import darkroom.edittasks.pictures.RgbImage;
import org.jspecify.annotations.Nullable;

/**
 * One row of a dataset, rendered or read.
 *
 * @param id stable identity: the group key
 * @param taskType name of the task type; {@code unknown} if the dataset does not name one
 * @param target the exact result if it is known, for ground truth only; never seen by policy or scorer
 */
public record Row(
        String id,
        String taskType,
        String instruction,
        String requirement,
        RgbImage source,
        @Nullable RgbImage reference,
        @Nullable RgbImage target) {}
