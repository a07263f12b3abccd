package darkroom.actors;

/**
 * One optimizer step in numbers.
 *
 * @param samples what the gradient was divided by
 * @param units gradient units
 * @param policyLoss mean over the samples
 * @param klLoss mean distance to the reference over the samples
 * @param gradientNorm Euclidean norm before clipping
 */
public record PassStatistics(int samples, int units, double policyLoss, double klLoss, double gradientNorm) {}
