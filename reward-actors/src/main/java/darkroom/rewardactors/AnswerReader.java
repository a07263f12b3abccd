package darkroom.rewardactors;

import java.util.List;

/** Reads the scores that a judge wrote. */
@FunctionalInterface
interface AnswerReader {
    /**
     * The scores in the order in which they were asked for.
     *
     * @param text what the judge wrote, whole
     * @throws FaultyAnswerException if the text does not say exactly the scores that were asked for
     */
    List<Double> read(String text) throws FaultyAnswerException;
}
