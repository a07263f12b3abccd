package darkroom.rewardactors;

import java.awt.image.BufferedImage;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * A network that looks at two pictures and an instruction and answers how good the edit is.
 *
 * <p>Called by one thread of the endpoint's at a time, with 1 to {@link #batchMax} questions; it may block and compute.
 * The answer to a question must not depend on the others of its batch, nor on how many there are.
 */
public interface JudgeModel {
    /** Questions per call, at most. */
    int batchMax();

    /**
     * Answers each question by logits over the labels "0" to "5".
     *
     * @return one array of 6 finite numbers per question, in the questions' order
     */
    List<float[]> judge(List<Question> questions);

    /**
     * One pair of pictures.
     *
     * @param source picture before the edit, RGB
     * @param edited picture after it, RGB
     * @param reference second input picture, where the question has one
     */
    record Question(
            BufferedImage source,
            BufferedImage edited,
            @Nullable BufferedImage reference,
            String instruction) {}
}
