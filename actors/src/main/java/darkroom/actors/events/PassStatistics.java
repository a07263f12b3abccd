package darkroom.actors.events;

/**
 * Statistics of one optimizer step.
 *
 * @param samples divisor of the gradient
 * @param units gradient units, however many of them were leased at a time
 * @param policyLoss mean over the samples, the units' shares added along {@link SumTree}
 * @param klLoss mean distance to the reference over the samples, added likewise
 * @param gradientNorm Euclidean norm before clipping
 */
public record PassStatistics(int samples, int units, double policyLoss, double klLoss, double gradientNorm) {}
