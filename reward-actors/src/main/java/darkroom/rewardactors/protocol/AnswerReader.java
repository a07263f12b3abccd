package darkroom.rewardactors.protocol;

import java.util.List;

/** Reads the scores from a judge's answer. */
@FunctionalInterface
public interface AnswerReader {
    /**
     * Returns the scores in the order in which they were requested.
     *
     * @param text the whole answer of the judge
     * @throws FaultyAnswerException if the text does not contain exactly the requested scores
     */
    List<Double> read(String text) throws FaultyAnswerException;
}
