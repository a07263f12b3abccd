package darkroom.rewardactors;

import org.jspecify.annotations.Nullable;

/**
 * One edit to be scored.
 *
 * @param name says which edit this is, for logs; keys the jitter of retries and the seed of sampled answers
 * @param source the picture before the edit
 * @param edited the picture after it
 * @param reference second input picture of a Reference task
 * @param instruction what was to be done
 * @param requirement what the scorer is told beyond the instruction; may be empty
 * @param task name of the task type, which may have words of its own; may be empty
 */
public record ScoreRequest(
        String name,
        PngImage source,
        PngImage edited,
        @Nullable PngImage reference,
        String instruction,
        String requirement,
        String task) {

    /** An edit of no known task. */
    public ScoreRequest(
            String name,
            PngImage source,
            PngImage edited,
            @Nullable PngImage reference,
            String instruction,
            String requirement) {
        this(name, source, edited, reference, instruction, requirement, "");
    }
}
