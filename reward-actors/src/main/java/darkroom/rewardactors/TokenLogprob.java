package darkroom.rewardactors;

/**
 * One alternative that a scorer weighed at one position of its answer.
 *
 * @param token the token's text, exactly as the scorer sent it
 * @param logprob natural logarithm of its probability, unchecked
 */
public record TokenLogprob(String token, double logprob) {}
