package darkroom.rewardactors.client;

import java.util.List;

/**
 * Variation of the score of one question at a scorer, some asked alone, some concurrently: differences between the edits of a
 * group that are no larger are noise.
 *
 * @param scorer host and port
 * @param count number of scores
 * @param mean of the scores, 0 to 1; 0 without scores
 * @param std their standard deviation
 * @param range the largest less the smallest
 */
public record ScorerNoise(String scorer, int count, double mean, double std, double range) {
    static ScorerNoise of(String scorer, List<Double> scores) {
        double mean = scores.stream().mapToDouble(Double::doubleValue).average().orElse(0);
        double variance = scores.stream()
                .mapToDouble(score -> (score - mean) * (score - mean))
                .average()
                .orElse(0);
        double largest = scores.stream().mapToDouble(Double::doubleValue).max().orElse(0);
        double smallest = scores.stream().mapToDouble(Double::doubleValue).min().orElse(0);
        return new ScorerNoise(scorer, scores.size(), mean, Math.sqrt(variance), largest - smallest);
    }
}
