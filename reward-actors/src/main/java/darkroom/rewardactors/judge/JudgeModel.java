package darkroom.rewardactors.judge;

import java.awt.image.BufferedImage;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * A network that rates an edit from two pictures and an instruction.
 *
 * <p>Called by one thread of the endpoint at a time, with 1 to {@link #batchMax} questions; it may block and compute. The
 * answer to a question must not depend on the others of its batch, nor on their number.
 */
public interface JudgeModel {
    /** Maximum number of questions per call. */
    int batchMax();

    /**
     * Answers each question with logits over the labels "0" to "5".
     *
     * @return one array of 6 finite numbers per question, in the questions' order
     */
    List<float[]> judge(List<Question> questions);

    /**
     * One pair of pictures.
     *
     * @param source picture before the edit, RGB
     * @param edited picture after it, RGB
     * @param reference second input picture; null if the question has none
     */
    record Question(
            BufferedImage source,
            BufferedImage edited,
            @Nullable BufferedImage reference,
            String instruction) {}
}
