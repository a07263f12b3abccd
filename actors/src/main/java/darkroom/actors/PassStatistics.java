package darkroom.actors;

/**
 * One optimizer step in numbers.
 *
 * @param samples what the gradient was divided by
 * @param units gradient units, however many of them were leased at a time
 * @param policyLoss mean over the samples, the units' shares added along {@link SumTree}
 * @param klLoss mean distance to the reference over the samples, added alike
 * @param gradientNorm Euclidean norm before clipping
 */
public record PassStatistics(int samples, int units, double policyLoss, double klLoss, double gradientNorm) {}
