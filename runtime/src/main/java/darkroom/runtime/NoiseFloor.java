package darkroom.runtime;

/**
 * How much the scores of one and the same pair vary at a server, a line of {@code noise.jsonl}: half of the questions were asked one
 * after the other, half at once, while the run began.
 *
 * @param scorer host and port
 * @param count scores that came
 * @param mean of the scores, 0 to 1
 * @param std their standard deviation
 * @param range the largest less the smallest
 * @param spreadThreshold setting {@code groups.spread-threshold}: groups of a smaller spread are taken for noise
 */
record NoiseFloor(String scorer, int count, double mean, double std, double range, double spreadThreshold) {}
