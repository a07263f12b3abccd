package darkroom.runtime;

import darkroom.edittasks.RgbImage;
import org.jspecify.annotations.Nullable;

/**
 * One row of a dataset, rendered or read.
 *
 * @param id stable identity: the group key
 * @param taskType name of the task type; {@code unknown} where a dataset does not say
 * @param target the exact result where it is known, for ground truth only; never seen by policy or scorer
 */
record Row(
        String id,
        String taskType,
        String instruction,
        String requirement,
        RgbImage source,
        @Nullable RgbImage reference,
        @Nullable RgbImage target) {}
