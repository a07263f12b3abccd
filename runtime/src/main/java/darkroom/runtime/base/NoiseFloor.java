package darkroom.runtime.base;

/**
 * Variation of the scores of one pair at a server; one line of {@code noise.jsonl}. Half of the questions were asked
 * one after the other and half at once, at the start of the run.
 *
 * @param scorer host and port
 * @param count number of scores received
 * @param mean mean of the scores, 0 to 1
 * @param std standard deviation of the scores
 * @param range the largest score minus the smallest
 * @param spreadThreshold setting {@code groups.spread-threshold}: groups of a smaller spread are taken for noise
 */
public record NoiseFloor(String scorer, int count, double mean, double std, double range, double spreadThreshold) {}
