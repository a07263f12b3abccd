package darkroom.rewardactors.protocol;

/**
 * One alternative that a scorer weighed at one position of its answer.
 *
 * @param token the token's text, exactly as the scorer sent it
 * @param logprob natural logarithm of its probability, unchecked; {@link #NONE} where the scorer gives none
 */
public record TokenLogprob(String token, double logprob) {
    /** Value of a token without a log-probability: a fault only if the token is a label. */
    static final double NONE = Double.NEGATIVE_INFINITY;
}
