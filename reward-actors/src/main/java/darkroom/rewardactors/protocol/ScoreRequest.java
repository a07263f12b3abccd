package darkroom.rewardactors.protocol;

import org.jspecify.annotations.Nullable;

/**
 * One edit to be scored.
 *
 * @param name identifies this edit, for logs; keys the jitter of retries and the seed of sampled answers
 * @param source the picture before the edit
 * @param edited the picture after it
 * @param reference second input picture of a Reference task
 * @param instruction the requested edit
 * @param requirement additional text for the scorer; may be empty
 */
public record ScoreRequest(
        String name,
        PngImage source,
        PngImage edited,
        @Nullable PngImage reference,
        String instruction,
        String requirement,
        String task) {

    /** Creates a request for an edit of no known task. */
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
