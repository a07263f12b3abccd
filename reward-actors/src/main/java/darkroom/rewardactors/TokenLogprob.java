package darkroom.rewardactors;

/**
 * One alternative that a scorer weighed at one position of its answer.
 *
 * @param token the token's text, exactly as the scorer sent it
 * @param logprob natural logarithm of its probability, unchecked; {@link #NONE} where the scorer says none
 */
public record TokenLogprob(String token, double logprob) {
    /** Of a token without a log-probability: no fault unless the token is a label. */
    static final double NONE = Double.NEGATIVE_INFINITY;
}
